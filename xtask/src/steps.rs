//! Progress: which step of how many, and how long it has taken so far.

use std::time::{Duration, Instant};

/// Counts the steps of a command.
pub(crate) struct Steps {
    total: usize,
    begun: usize,
    start: Instant,
}

impl Steps {
    /// A command of that many steps, which starts now.
    pub(crate) fn new(total: usize) -> Self {
        Self { total, begun: 0, start: Instant::now() }
    }

    /// Says that the next step begins, and when.
    pub(crate) fn begin(&mut self, what: &str) {
        self.begun += 1;
        eprintln!("\n=== [{}/{}, after {}] {what}", self.begun, self.total, told(self.start.elapsed()));
    }
}

/// A duration as people tell it.
fn told(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_told_from_the_first_one_on() {
        assert_eq!(told(Duration::from_millis(59_900)), "59 s");
        assert_eq!(told(Duration::from_secs(61)), "1 min 1 s");
    }
}
