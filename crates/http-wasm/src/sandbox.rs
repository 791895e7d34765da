//! WASI for guests that must not measure anything: clocks that only count, and constant random numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// Time between two readings of a clock.
const CLOCK_STEP: Duration = Duration::from_millis(1);

pub(crate) fn restrict(wasi: &mut WasiCtxBuilder) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    wasi.wall_clock(Counter::new(Duration::from_secs(now.as_secs())))
        .monotonic_clock(Counter::new(Duration::ZERO))
        .secure_random(Deterministic::new(vec![0; 32]))
        .insecure_random(Deterministic::new(vec![0; 32]))
        .insecure_random_seed(0);
}

/// Clock that advances by one step per reading.
struct Counter {
    start: Duration,
    readings: AtomicU64,
}

impl Counter {
    const fn new(start: Duration) -> Self {
        Self { start, readings: AtomicU64::new(0) }
    }

    fn read(&self) -> Duration {
        let readings = self.readings.fetch_add(1, Ordering::Relaxed);
        self.start + Duration::from_nanos(readings.saturating_mul(CLOCK_STEP.as_nanos() as u64))
    }
}

impl HostWallClock for Counter {
    fn resolution(&self) -> Duration {
        CLOCK_STEP
    }

    fn now(&self) -> Duration {
        self.read()
    }
}

impl HostMonotonicClock for Counter {
    fn resolution(&self) -> u64 {
        CLOCK_STEP.as_nanos() as u64
    }

    fn now(&self) -> u64 {
        self.read().as_nanos() as u64
    }
}
