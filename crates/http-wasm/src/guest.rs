//! Compiled module, and its instances.

use std::sync::Arc;

use guest_engine::{Clock, Kind, OutputStream};
use wasmtime::{
    Config, Engine, Error, InstancePre, Linker, Module, Result, Store, StoreLimits, StoreLimitsBuilder, TypedFunc,
    UpdateDeadline, bail, format_err,
};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};

use crate::exchange::{Exchange, SUPPORTED_FEATURES};
use crate::output::GuestOutput;
use crate::{Function, Options, abi, sandbox};

/// Limit on the linear memory of one instance, in bytes.
const MAX_MEMORY: usize = 128 << 20;
/// Limit on the elements of all tables of one instance.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;

/// Data of one instance's store.
pub(crate) struct HostState {
    wasi: WasiP1Ctx,
    limits: StoreLimits,
    pub(crate) config: Arc<[u8]>,
    pub(crate) component: Arc<str>,
    /// Features that were enabled outside of a request.
    pub(crate) features: u32,
    /// Request that is being handled.
    pub(crate) exchange: Option<Exchange>,
}

impl HostState {
    pub(crate) fn exchange(&mut self) -> Result<&mut Exchange> {
        self.exchange.as_mut().ok_or_else(|| format_err!("there is no request while the module starts"))
    }
}

/// Compiled module, with everything needed to start instances.
pub(crate) struct Template {
    engine: Engine,
    clock: Clock,
    instance: InstancePre<HostState>,
    component: Arc<str>,
    config: Arc<[u8]>,
    strict_sandbox: bool,
    features: std::sync::OnceLock<u32>,
}

/// Running instance.
pub(crate) struct Guest {
    store: Store<HostState>,
    handle_request: TypedFunc<(), u64>,
    handle_response: TypedFunc<(u32, u32), ()>,
}

impl Template {
    pub(crate) fn new(bytes: &[u8], options: Options) -> Result<Self> {
        match guest_engine::kind(bytes) {
            Some(Kind::Module) => {}
            Some(Kind::Component) => {
                bail!("it is a component of the component model, not a module of the http-wasm ABI")
            }
            None => bail!("it is not a Wasm module"),
        }
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let clock = Clock::start(&engine).map_err(|error| format_err!("starting the clock: {error}"))?;
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |state: &mut HostState| &mut state.wasi)?;
        abi::link(&mut linker)?;
        let instance = linker.instantiate_pre(&Module::new(&engine, bytes)?)?;
        Ok(Self {
            engine,
            clock,
            instance,
            component: options.name.into(),
            config: options.guest_config.into_bytes().into(),
            strict_sandbox: options.strict_sandbox,
            features: std::sync::OnceLock::new(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.component
    }

    /// Returns the features that the module enabled when it started.
    pub(crate) fn features(&self) -> u32 {
        self.features.get().copied().unwrap_or_default()
    }

    /// Starts an instance: its start section, then `_initialize` or `_start` if they exist.
    pub(crate) async fn start(&self) -> Result<Guest> {
        let mut store = Store::new(&self.engine, self.state());
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let instance = self.clock.run(self.instance.instantiate_async(&mut store)).await?;
        for name in ["_initialize", "_start"] {
            let Some(function) = instance.get_func(&mut store, name) else { continue };
            let ended = self.clock.run(function.call_async(&mut store, &[], &mut [])).await;
            ended.or_else(|error| if is_success(&error) { Ok(()) } else { Err(error.context(name)) })?;
        }
        if instance.get_memory(&mut store, "memory").is_none() {
            bail!("it does not export a memory named memory");
        }
        let handle_request = instance.get_typed_func(&mut store, "handle_request")?;
        let handle_response = instance.get_typed_func(&mut store, "handle_response")?;
        let _ = self.features.set(store.data().features);
        Ok(Guest { store, handle_request, handle_response })
    }

    /// Calls a function for `exchange`, and returns its result with the exchange.
    pub(crate) async fn run(
        &self,
        guest: &mut Guest,
        function: Function,
        exchange: Exchange,
    ) -> Result<(u64, Exchange)> {
        guest.store.data_mut().exchange = Some(exchange);
        let outcome = match function {
            Function::HandleRequest => self.clock.run(guest.handle_request.call_async(&mut guest.store, ())).await?,
            Function::HandleResponse { context } => {
                self.clock.run(guest.handle_response.call_async(&mut guest.store, (context, 0))).await?;
                0
            }
        };
        let exchange = guest.store.data_mut().exchange.take();
        exchange.map(|exchange| (outcome, exchange)).ok_or_else(|| format_err!("the request is missing after the call"))
    }

    fn state(&self) -> HostState {
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(GuestOutput::new(self.component.clone(), OutputStream::Stdout));
        wasi.stderr(GuestOutput::new(self.component.clone(), OutputStream::Stderr));
        if self.strict_sandbox {
            sandbox::restrict(&mut wasi);
        }
        let limits = StoreLimitsBuilder::new().memory_size(MAX_MEMORY).table_elements(MAX_TABLE_ELEMENTS).build();
        HostState {
            wasi: wasi.build_p1(),
            limits,
            config: self.config.clone(),
            component: self.component.clone(),
            features: 0,
            exchange: None,
        }
    }
}

/// Returns true if the module exited with code 0, as a command does at its end.
fn is_success(error: &Error) -> bool {
    error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some_and(|exit| exit.0 == 0)
}

/// Enables features, for the current request or for all; returns the enabled ones.
pub(crate) fn enable_features(state: &mut HostState, features: u32) -> u32 {
    let enabled = match &mut state.exchange {
        Some(exchange) => &mut exchange.features,
        None => &mut state.features,
    };
    *enabled |= features & SUPPORTED_FEATURES;
    *enabled
}
