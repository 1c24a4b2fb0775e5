//! schemathesis tries what the API's own description allows, and what it does not.
//!
//! `bin/schemathesis` says where it is; where it is not, this test says so and tries nothing.

use std::process::Stdio;

use pierhead::domain::access::Role;
use tokio::process::Command;

use crate::api::Api;

/// What it takes for an answer to what must not be taken, besides what it knows itself: a change that
/// names no state, or another one than there is (RFC 6585, RFC 9110).
const CONFIGURATION: &str = "
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429, '5xx']

[checks.missing_required_header]
expected-statuses = [400, 401, 403, 406, 415, 422, 428]
";

/// Requests of each kind that are tried for each address.
const EXAMPLES: &str = "25";

#[expect(clippy::print_stderr, reason = "whoever reads the log must know that nothing was tried")]
#[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_answers_is_what_its_description_says() {
    let Ok(program) = std::env::var("TEST_SCHEMATHESIS") else {
        eprintln!("not tried: set TEST_SCHEMATHESIS to the program; bin/test does");
        return;
    };
    let api = Api::start().await;
    let root = api.administrator().await;
    api.person("olga", Some(Role::Owner)).await;
    api.ask(&root, "POST /projects/acme/shop/environments/production/jobs").await.assert(202);
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), CONFIGURATION).unwrap();
    let output = Command::new(program)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder.path())
        .args(["run", &format!("http://{}/api/v1/openapi.json", api.address)])
        .args(["-H", &format!("Authorization: Bearer {root}")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES])
        // A name that fits its pattern may be taken, and an address of a person may be none.
        .args(["--exclude-checks", "positive_data_acceptance"])
        // Its threads share a parser of Python 3.11, which ends it now and then.
        .args(["--seed", "1", "--workers", "1", "--no-shrink", "--continue-on-failure"])
        // A worker answers these, and there is none; they are tried where one is.
        .args(["--exclude-path-regex", "/(test|checks)$"])
        // Administrators would delete themselves.
        .args(["--exclude-method", "DELETE"])
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    api.stop().await;
}
