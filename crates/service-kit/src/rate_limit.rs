//! How much one user may ask for.
//!
//! One record for each user in the state store, so that all instances of a service count together. If the store cannot
//! be asked, users are let through: a limit protects the service, and is no reason to turn anybody away by itself.

mod backoff;
mod gcra;
mod limiter;

pub use gcra::Policy;
pub use limiter::Limiter;
