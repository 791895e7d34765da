//! Schedules guests onto threads.
//!
//! A guest that is woken starts on the thread that woke it: most wait for a small request, which is served there and
//! then. One that keeps computing, and one whose application exceeds its share, continues on the *workers*: threads of
//! lower priority, from which the operating system takes the processor as soon as another thread needs it. There the
//! application that has used least of its share goes first. So no guest holds a serving thread for longer than one tick
//! of the engine's [clock](crate::Clock), and guests that compute for ever share what is left over.

mod account;
mod cpu;
mod shares;
mod task;
mod workers;

pub use account::{Account, Weight};
pub use cpu::task_time;
pub use task::Scheduled;

/// Time that an interrupted guest may have run to continue on a serving thread. Longer ones move to the workers.
const SERVING_TIME_LIMIT: std::time::Duration = std::time::Duration::from_millis(5);

#[cfg(test)]
mod tests;
