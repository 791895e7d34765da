//! The clock that makes guests yield.

use std::io;
use std::time::Duration;

use wasmtime::Engine;

/// How long a guest computes before others get a turn. Short enough that nobody notices a neighbour's work, long enough that
/// the ticking costs nothing.
const TICK: Duration = Duration::from_millis(10);

/// Counts the epochs of `engine`, one every ten milliseconds, on one thread that ends with the engine.
///
/// # Errors
/// When no thread can be started.
pub fn start_clock(engine: &Engine) -> io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new().name("guest-clock".into()).spawn(tick)?;
    Ok(())
}
