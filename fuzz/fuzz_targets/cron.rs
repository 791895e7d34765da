//! Schedules of any text, and the times that they name.

#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/component-native/src/bindings/cron/schedule.rs"]
mod schedule;

use schedule::Schedule;

fuzz_target!(|input: (&str, u32)| {
    let (text, seconds) = input;
    let Ok(schedule) = Schedule::parse(text) else { return };
    let Ok(mut time) = Timestamp::from_second(i64::from(seconds)) else { return };
    for _ in 0..3 {
        let Some(next) = schedule.next_after(time) else { return };
        assert!(next > time, "{text:?} after {time} is {next}");
        time = next;
    }
});
