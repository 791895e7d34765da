//! Rate limits for each user.
//!
//! Each user has one record in the state store, so that all instances of a service count together. If the store cannot
//! be reached, users are let through: the limit only protects the service.

mod backoff;
mod error;
mod gcra;
mod limiter;

pub use error::RateLimited;
pub use gcra::Policy;
pub use limiter::{Limiter, Turn};
