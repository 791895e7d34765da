//! Progress of a command: the current step, and the time so far.

use std::time::{Duration, Instant};

/// Counts the steps of a command.
pub(crate) struct Steps {
    total: usize,
    begun: usize,
    start: Instant,
}

impl Steps {
    /// Starts a command with that many steps.
    pub(crate) fn new(total: usize) -> Self {
        Self { total, begun: 0, start: Instant::now() }
    }

    /// Prints the start of the next step, and the time so far.
    pub(crate) fn begin(&mut self, what: &str) {
        self.begun += 1;
        eprintln!("\n=== [{}/{}, after {}] {what}", self.begun, self.total, format_duration(self.start.elapsed()));
    }
}

/// Formats a duration.
fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_show_minutes_from_the_first_one() {
        assert_eq!(format_duration(Duration::from_millis(59_900)), "59 s");
        assert_eq!(format_duration(Duration::from_secs(61)), "1 min 1 s");
    }
}
