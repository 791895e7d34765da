//! Rate limits for each user.
//!
//! Each user has one record in the state store, so that all instances of a service count together. If the store cannot
//! be reached, users are let through: the limit only protects the service.

mod backoff;
mod gcra;
mod limiter;

pub use gcra::Policy;
pub use limiter::Limiter;
