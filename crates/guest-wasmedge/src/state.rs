//! The state of one running guest.

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
use guest_engine::{InstanceMemory, LineBuffer};

/// Busy time after which requests that the guest has not read move to other instances.
///
/// Small requests take less.
pub(crate) const BUSY_THRESHOLD: Duration = Duration::from_millis(5);

/// The data of a guest's store.
pub(crate) struct GuestState {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) sockets: SocketTable,
    /// Descriptor budget of the application.
    pub(crate) descriptors: Arc<DescriptorBudget>,
    /// Permits of open files, by descriptor. Those that the guest was started with count for nothing.
    pub(crate) files: BTreeMap<u32, DescriptorPermit>,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) output: LineBuffer,
    /// Models that the guest has loaded.
    pub(crate) nn: Session,
    /// The guest's exported memory, looked up once.
    pub(crate) memory: Option<Memory>,
    pub(crate) limits: InstanceMemory,
    /// Zero of the guest's monotonic clock.
    pub(crate) started: Instant,
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

    /// Records that the guest is suspended.
    pub(crate) fn suspend(&mut self) {
        self.activity.suspend();
        self.meter.suspend();
    }

    /// Records that the guest runs again after a call that may have waited.
    pub(crate) fn resume(&mut self) {
        self.activity.resume();
        self.meter.resume();
    }

    /// Hands connections over if the guest is busy for long. Called now and then while it runs.
    pub(crate) fn check_busy(&mut self) {
        if self.activity.busy_for() >= BUSY_THRESHOLD {
            self.sockets.hand_over();
        }
    }
}
