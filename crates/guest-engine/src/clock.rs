//! The epoch clock, which makes guests yield.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// Time that a guest runs before it yields.
///
/// Short enough that others do not notice, long enough that the ticking costs little.
const TICK: Duration = Duration::from_millis(10);

/// Ticks without a running guest after which the thread parks, so that an idle process sleeps.
///
/// Waking it for the next request costs about as much as one tick.
const IDLE_TICKS: u32 = 10;

/// Increments an engine's epoch every ten milliseconds while guests run. Clones share the clock.
#[derive(Clone)]
pub struct Clock(Arc<Handle>);

/// The clock's thread, ended on drop.
struct Handle {
    state: Arc<State>,
    thread: Thread,
}

#[derive(Default)]
struct State {
    /// Calls running at this moment.
    running: AtomicUsize,
    /// True if a call has run since the last tick.
    ran: AtomicBool,
    parked: AtomicBool,
    ended: AtomicBool,
}

impl Clock {
    /// Starts the clock of `engine`, on a thread of its own, which is parked at first.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(engine: &Engine) -> io::Result<Self> {
        let state = Arc::<State>::default();
        let (engine, ticking) = (engine.weak(), state.clone());
        let thread = thread::Builder::new().name("guest-clock".into()).spawn(move || ticking.tick(&engine))?;
        Ok(Self(Arc::new(Handle { state, thread: thread.thread().clone() })))
    }

    /// Runs a guest's `call`, with the clock ticking while it runs.
    ///
    /// Every entry into WebAssembly must go through here, or nothing might interrupt it.
    pub async fn run<F: Future>(&self, call: F) -> F::Output {
        let mut call = pin!(call);
        poll_fn(|cx| {
            let _running = Running::begin(&self.0);
            call.as_mut().poll(cx)
        })
        .await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// One running call.
struct Running<'a>(&'a State);

impl<'a> Running<'a> {
    fn begin(clock: &'a Handle) -> Self {
        let state = &*clock.state;
        // Either this thread sees that the clock is parked, or the clock sees that a call runs.
        state.running.fetch_add(1, Ordering::SeqCst);
        if state.parked.load(Ordering::SeqCst) {
            clock.thread.unpark();
        }
        Self(state)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.ran.store(true, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl State {
    fn tick(&self, engine: &EngineWeak) {
        let mut idle = IDLE_TICKS;
        while !self.ended.load(Ordering::SeqCst) {
            idle = if self.is_running() || self.ran.swap(false, Ordering::Relaxed) { 0 } else { idle + 1 };
            if idle >= IDLE_TICKS {
                self.park();
                idle = 0;
            }
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }

    /// Parks the thread until a guest runs.
    fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
        while !self.is_running() && !self.ended.load(Ordering::SeqCst) {
            thread::park();
        }
        self.parked.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};
    use std::time::Instant;

    use wasmtime::{Config, Module, Store, Trap};

    use super::*;

    fn engine() -> Engine {
        Engine::new(Config::new().epoch_interruption(true)).unwrap()
    }

    fn until(condition: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !condition() {
            assert!(Instant::now() < end, "nothing happened for 30 s");
            thread::yield_now();
        }
    }

    /// Runs a guest with an endless loop until the clock's next tick.
    fn loops(engine: &Engine, clock: &Clock) -> Option<Trap> {
        let wat = r#"(module (func (export "loops") (loop $for_ever (br $for_ever))))"#;
        let module = Module::new(engine, wat::parse_str(wat).unwrap()).unwrap();
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(1);
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        let loops = instance.get_typed_func::<(), ()>(&mut store, "loops").unwrap();
        let call = pin!(clock.run(async { loops.call(&mut store, ()) }));
        let std::task::Poll::Ready(ended) = call.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("a call that does not wait has ended")
        };
        ended.unwrap_err().downcast_ref::<Trap>().copied()
    }

    #[test]
    fn clock_ticks_while_guests_run_and_parks_when_idle() {
        let engine = engine();
        let clock = Clock::start(&engine).unwrap();
        for _ in 0..2 {
            until(|| clock.0.state.parked.load(Ordering::SeqCst));
            assert_eq!(loops(&engine, &clock), Some(Trap::Interrupt));
        }
    }

    #[test]
    fn dropping_the_clock_ends_its_thread() {
        let engine = engine();
        let clock = Clock::start(&engine).unwrap();
        let state = Arc::downgrade(&clock.0.state);
        drop(clock);
        until(|| state.strong_count() == 0);
    }
}
