//! The README's first command, as a newcomer runs it.

use std::path::Path;
use std::process::Command;

/// The engine that `bin/test` found or started: a second one would prove nothing more.
#[expect(clippy::disallowed_methods, reason = "`bin/test` names its services in the environment")]
fn engine() -> String {
    std::env::var("TEST_DOCKER_HOST").expect("TEST_DOCKER_HOST is not set: run this by bin/test")
}

#[test]
fn the_quickstart_ends_with_the_apps_own_answer() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/quickstart");
    let output = Command::new(script)
        .args(["--check", "--yes", "--binary", env!("CARGO_BIN_EXE_pierhead")])
        .env("DOCKER_HOST", engine())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("<h1>Hello from Pierhead</h1>"), "{said}");
}
