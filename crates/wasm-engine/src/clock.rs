//! The clock that makes guests yield.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How long a guest computes before others get a turn. Short enough that nobody notices a neighbour's work, long enough that
/// the ticking costs little.
const TICK: Duration = Duration::from_millis(10);

/// After so many ticks in which no guest ran the clock rests: a process that nobody asks for anything sleeps. Waking it for the
/// next request costs about as much as one tick.
const PATIENCE: u32 = 10;

/// Counts the epochs of an engine, one every ten milliseconds, while its guests run. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Handle>);

/// Dropping it ends the thread.
struct Handle {
    state: Arc<State>,
    thread: Thread,
}

#[derive(Default)]
struct State {
    /// Calls that compute at this moment.
    running: AtomicUsize,
    /// Whether one has since the last tick.
    ran: AtomicBool,
    rests: AtomicBool,
    ended: AtomicBool,
}

impl Clock {
    /// The clock of `engine`, on a thread of its own. It rests.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(engine: &Engine) -> io::Result<Self> {
        let state = Arc::<State>::default();
        let (engine, ticking) = (engine.weak(), state.clone());
        let thread = thread::Builder::new().name("guest-clock".into()).spawn(move || ticking.tick(&engine))?;
        Ok(Self(Arc::new(Handle { state, thread: thread.thread().clone() })))
    }

    /// Runs a guest's `call`: the clock goes while that computes. Whatever enters WebAssembly has to come through here, or nothing
    /// might ever interrupt it.
    pub async fn during<F: Future>(&self, call: F) -> F::Output {
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

/// One call that computes.
struct Running<'a>(&'a State);

impl<'a> Running<'a> {
    fn begin(clock: &'a Handle) -> Self {
        let state = &*clock.state;
        // Either this thread sees that the clock rests, or the clock sees that somebody runs.
        state.running.fetch_add(1, Ordering::SeqCst);
        if state.rests.load(Ordering::SeqCst) {
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
        let mut idle = PATIENCE;
        while !self.ended.load(Ordering::SeqCst) {
            idle = if self.runs() || self.ran.swap(false, Ordering::Relaxed) { 0 } else { idle + 1 };
            if idle >= PATIENCE {
                self.rest();
                idle = 0;
            }
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    }

    fn runs(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }

    /// Waits until a guest runs.
    fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
        while !self.runs() && !self.ended.load(Ordering::SeqCst) {
            thread::park();
        }
        self.rests.store(false, Ordering::SeqCst);
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

    fn until(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !what() {
            assert!(Instant::now() < end, "nothing happened for 30 s");
            thread::yield_now();
        }
    }

    /// Runs a guest that loops for ever until the clock's next tick.
    fn loops(engine: &Engine, clock: &Clock) -> Option<Trap> {
        let wat = r#"(module (func (export "loops") (loop $for_ever (br $for_ever))))"#;
        let module = Module::new(engine, wat::parse_str(wat).unwrap()).unwrap();
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(1);
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        let loops = instance.get_typed_func::<(), ()>(&mut store, "loops").unwrap();
        let call = pin!(clock.during(async { loops.call(&mut store, ()) }));
        let std::task::Poll::Ready(ended) = call.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("a call that does not wait has ended")
        };
        ended.unwrap_err().downcast_ref::<Trap>().copied()
    }

    #[test]
    fn a_clock_that_rests_goes_when_a_guest_runs_and_rests_again_when_none_does() {
        let engine = engine();
        let clock = Clock::start(&engine).unwrap();
        for _ in 0..2 {
            until(|| clock.0.state.rests.load(Ordering::SeqCst));
            assert_eq!(loops(&engine, &clock), Some(Trap::Interrupt));
        }
    }

    #[test]
    fn its_thread_ends_with_it() {
        let engine = engine();
        let clock = Clock::start(&engine).unwrap();
        let state = Arc::downgrade(&clock.0.state);
        drop(clock);
        until(|| state.strong_count() == 0);
    }
}
