//! Decides which guest computes on which thread, and when.
//!
//! A guest that was woken begins on the thread that woke it: the small request that most of them wait for is answered there and
//! then. One that goes on computing, and one whose application takes more than its share, goes on with the *workers*: threads of
//! lower priority, from which the operating system takes the processor as soon as anybody else wants it. There the application
//! that has used least of its share goes first. So no guest holds a thread that serves others for longer than one turn of the
//! engine's [clock](crate::Clock), and guests that compute for ever share what is left over.

mod account;
mod cpu;
mod shares;
mod task;
mod workers;

pub use account::{Account, Weight};
pub use cpu::task_time;
pub use task::Scheduled;

/// A guest that was cut off by the clock before it computed for so long goes on where it was woken; another one with the workers.
const BRIEF: std::time::Duration = std::time::Duration::from_millis(5);

#[cfg(test)]
mod tests;
