//! The quick form of those attacks that take seconds, against the daprlet that was built with the tests.

use std::process::Command;

#[test]
fn attacks_do_no_harm() {
    // One after the other: each measures what it costs a neighbour.
    for group in ["module", "component", "statement"] {
        let output = Command::new(env!("CARGO_BIN_EXE_attack")).args(["--quick", group]).output().unwrap();
        let table = String::from_utf8_lossy(&output.stdout);
        println!("{table}");
        assert!(output.status.success(), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}
