//! Requests that were refused, told now and then: a client must not fill the log by asking again and again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two lines about refused requests.
const PERIOD: Duration = Duration::from_secs(1);

/// The requests that an application refused.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    /// Refused since.
    count: u64,
}

impl Refusals {
    /// Counts so many refused requests; gives the number since it was last told, where it is time to tell.
    pub fn count(&self, requests: u64) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.count += requests;
        if told.count == 0 || told.last.is_some_and(|last| last.elapsed() < PERIOD) {
            return None;
        }
        told.last = Some(Instant::now());
        Some(std::mem::take(&mut told.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_refusal_is_told_and_the_next_are_counted() {
        let refusals = Refusals::default();
        assert_eq!([refusals.count(0), refusals.count(1), refusals.count(2)], [None, Some(1), None]);
        refusals.0.lock().unwrap().last = None;
        assert_eq!(refusals.count(1), Some(3));
    }
}
