//! Guests that do nothing but call host functions with what the fuzzer gives them.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use guest_wasmedge::{
    AcceptQueue, Account, Activity, Connecting, DescriptorBudget, Engine, GuestOptions, IoFuture, Limits, Listener,
    MemoryAccount, MemoryStream, Network, Output, OutputStream, Stream, Weight, run,
};
use inference::Graphs;
use tokio::runtime::Runtime;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, InstructionSink, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// The longest that a guest may wait for something that does not come.
const GUEST_TIMEOUT: Duration = Duration::from_millis(20);

/// Bytes at the beginning of the guest's memory that the fuzzer chooses.
const MAX_DATA: usize = 4096;

/// Calls of one guest.
const MAX_CALLS: usize = 24;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
});
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).expect("an engine"));

/// A host function: its name and its parameters, `i` for an i32 and `l` for an i64.
pub type HostFunction = (&'static str, &'static str);

/// An argument. Small numbers are descriptors, lengths and flags; pointers lead into the first page, mostly.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Argument {
    Small(u8),
    Pointer(u16),
    Any(u32),
    /// The number that an earlier call left at this place.
    Stored(u8),
}

/// Builds a guest of `bytes`: its memory, and its calls of functions of `module`. Runs it to its end.
pub fn call_host(module: &str, functions: &[HostFunction], graphs: &Arc<Graphs>, bytes: &[u8]) {
    let Ok(wasm) = guest(module, functions, bytes) else { return };
    let Ok(compiled) = ENGINE.compile(&wasm) else { panic!("the guest is no module") };
    let limits = Limits::default();
    let options = GuestOptions {
        arguments: vec!["guest.wasm".to_owned()],
        environment: vec![],
        preopens: vec![],
        descriptors: DescriptorBudget::new(64),
        limits,
        network: Arc::new(Inside),
        graphs: graphs.clone(),
        output: Arc::new(Silence),
        activity: Arc::<Activity>::default(),
        account: Account::new(Weight::default()),
        memory: MemoryAccount::new(256 << 20),
    };
    // A guest that traps, or that waits for ever, has done nothing wrong here.
    let _ = RUNTIME.block_on(async { tokio::time::timeout(GUEST_TIMEOUT, run(&ENGINE, &compiled, options)).await });
}

fn guest(module: &str, functions: &[HostFunction], bytes: &[u8]) -> arbitrary::Result<Vec<u8>> {
    let mut input = Unstructured::new(bytes);
    let data = input.bytes(input.len().min(MAX_DATA) / 2)?;
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for (index, (name, parameters)) in (0..).zip(functions) {
        let parameters = parameters.bytes().map(|it| if it == b'l' { ValType::I64 } else { ValType::I32 });
        types.ty().function(parameters, [ValType::I32]);
        imports.import(module, name, EntityType::Function(index));
    }
    let start = u32::try_from(functions.len()).expect("few functions");
    types.ty().function([], []);
    let mut defined = FunctionSection::new();
    defined.function(start);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 2, maximum: Some(8), memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("_start", ExportKind::Func, start);
    let mut body = Function::new([]);
    for _ in 0..MAX_CALLS {
        if input.is_empty() {
            break;
        }
        let index = input.choose_index(functions.len())?;
        let (_, parameters) = functions.get(index).copied().unwrap_or_default();
        for parameter in parameters.bytes() {
            push(&mut body.instructions(), input.arbitrary()?, parameter == b'l');
        }
        body.instructions().call(u32::try_from(index).expect("few functions")).drop();
    }
    body.instructions().end();
    let mut code = CodeSection::new();
    code.function(&body);
    let mut memory = DataSection::new();
    memory.active(0, &ConstExpr::i32_const(0), data.iter().copied());
    let mut guest = Module::new();
    guest.section(&types).section(&imports).section(&defined).section(&memories).section(&exports);
    guest.section(&code).section(&memory);
    Ok(guest.finish())
}

fn push(body: &mut InstructionSink<'_>, argument: Argument, is_long: bool) {
    let number = match argument {
        Argument::Small(number) => u32::from(number),
        Argument::Pointer(address) => u32::from(address),
        Argument::Any(number) => number,
        Argument::Stored(place) => {
            let place = wasm_encoder::MemArg { offset: u64::from(place), align: 0, memory_index: 0 };
            body.i32_const(0).i32_load(place);
            if is_long {
                body.i64_extend_i32_u();
            }
            return;
        }
    };
    if is_long {
        body.i64_const(i64::from(number));
    } else {
        body.i32_const(number.cast_signed());
    }
}

/// A network inside the process: every connection is to a peer that sends everything back.
struct Inside;

impl Network for Inside {
    fn listen(&self, address: SocketAddr, activity: &Arc<Activity>) -> io::Result<Listener> {
        Ok(AcceptQueue::new(1).listener(address, activity))
    }

    fn connect(&self, peer: SocketAddr) -> io::Result<Connecting> {
        let (guest, host) = MemoryStream::pair();
        tokio::spawn(async move {
            let (mut from, mut to) = tokio::io::split(host);
            tokio::io::copy(&mut from, &mut to).await
        });
        Ok(Connecting::Done(Stream::memory(guest, SocketAddr::from(([127, 0, 0, 1], 1)), peer)))
    }

    fn bind_datagram(&self, _: SocketAddr) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn send_datagram(&self, _: SocketAddr) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn resolve(&self, _: String) -> IoFuture<Vec<IpAddr>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

struct Silence;

impl Output for Silence {
    fn line(&self, _: OutputStream, _: &str) {}
}
