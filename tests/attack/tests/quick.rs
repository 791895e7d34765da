//! The quick form of all attacks, against the daprlet that was built with the tests.

use std::process::Command;

#[test]
fn attacks_do_no_harm() {
    let output = Command::new(env!("CARGO_BIN_EXE_attack")).arg("--quick").output().unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    println!("{table}");
    assert!(output.status.success(), "{table}\n{}", String::from_utf8_lossy(&output.stderr));
}
