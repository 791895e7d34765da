//! Everything that belongs to one running guest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use inference::Session;
use wasmtime::Memory;
use wasmtime_wasi::p1::WasiP1Ctx;

use crate::activity::Activity;
use crate::descriptors::{DescriptorBudget, DescriptorPermit};
use crate::meter::Meter;
use crate::network::Network;
use crate::socket::SocketTable;
use wasm_engine::{InstanceMemory, LineBuffer};

/// How long a guest computes before requests that it has not seen are left to others. Small requests take less.
pub(crate) const BUSY: Duration = Duration::from_millis(5);

/// The data of a guest's store.
pub(crate) struct GuestState {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) sockets: SocketTable,
    /// What all guests of the application may have open.
    pub(crate) descriptors: Arc<DescriptorBudget>,
    /// The files that are open, by descriptor. (Those that the guest was started with count for nothing.)
    pub(crate) files: BTreeMap<u32, DescriptorPermit>,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) output: LineBuffer,
    /// The networks that it asks.
    pub(crate) nn: Session,
    /// The guest's exported memory, looked up once.
    pub(crate) memory: Option<Memory>,
    pub(crate) limits: InstanceMemory,
    /// Zero of the guest's monotonic clock.
    pub(crate) started: Instant,
    /// Whether it computes, and since when.
    pub(crate) activity: Arc<Activity>,
    pub(crate) meter: Meter,
}

impl GuestState {
    pub(crate) fn new(
        wasi: WasiP1Ctx,
        descriptors: Arc<DescriptorBudget>,
        network: Arc<dyn Network>,
        output: LineBuffer,
        nn: Session,
        limits: InstanceMemory,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            wasi,
            sockets: SocketTable::new(descriptors.clone()),
            descriptors,
            files: BTreeMap::new(),
            network,
            output,
            nn,
            memory: None,
            limits,
            started: Instant::now(),
            activity,
            meter: Meter::default(),
        }
    }

    /// The guest is suspended.
    pub(crate) fn waits(&mut self) {
        self.activity.waits();
        self.meter.waits();
    }

    /// The guest goes on after a call that may have waited.
    pub(crate) fn goes_on(&mut self) {
        self.activity.goes_on();
        self.meter.goes_on();
    }

    /// Looked at from time to time while the guest computes.
    pub(crate) fn computes(&mut self) {
        if self.activity.computing() >= BUSY {
            self.sockets.hand_over();
        }
    }
}
