//! Everything that belongs to one running guest.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Memory, StoreLimits};
use wasmtime_wasi::p1::WasiP1Ctx;

use crate::network::Network;
use crate::socket::SocketTable;
use wasm_engine::LineBuffer;

/// The data of a guest's store.
pub(crate) struct GuestState {
    pub(crate) wasi: WasiP1Ctx,
    pub(crate) sockets: SocketTable,
    pub(crate) network: Arc<dyn Network>,
    pub(crate) output: LineBuffer,
    /// The guest's exported memory, looked up once.
    pub(crate) memory: Option<Memory>,
    pub(crate) limits: StoreLimits,
    /// Zero of the guest's monotonic clock.
    pub(crate) started: Instant,
    /// When the guest last waited for something.
    busy_since: Instant,
}

impl GuestState {
    pub(crate) fn new(
        wasi: WasiP1Ctx,
        sockets: SocketTable,
        network: Arc<dyn Network>,
        output: LineBuffer,
        limits: StoreLimits,
    ) -> Self {
        let now = Instant::now();
        Self { wasi, sockets, network, output, memory: None, limits, started: now, busy_since: now }
    }

    /// The guest has just waited, so its time on the processor counts from here.
    pub(crate) fn rested(&mut self) {
        self.busy_since = Instant::now();
    }

    /// How long the guest has computed without waiting.
    pub(crate) fn busy(&self) -> Duration {
        self.busy_since.elapsed()
    }
}
