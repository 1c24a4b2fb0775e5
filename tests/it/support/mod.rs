//! What tests share.

pub(crate) mod app;
pub(crate) mod browser;
pub(crate) mod busy;
pub(crate) mod certificate;
pub(crate) mod database;
pub(crate) mod entrance;
pub(crate) mod http;
pub(crate) mod registry;
pub(crate) mod rows;
pub(crate) mod signed_in;
pub(crate) mod site;
pub(crate) mod skopeo;
pub(crate) mod small_engine;
pub(crate) mod stumbling;
pub(crate) mod upstream;

use std::time::Duration;

/// Longest wait for something that must happen. It only decides how long a failing test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(something: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, something).await.expect("this happens soon")
}

/// A variable that `bin/test` sets.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
pub(crate) fn environment_variable(name: &str, what: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("set {name} to {what}; bin/test starts one"))
}
