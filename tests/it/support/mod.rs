//! What tests share.

pub(crate) mod database;
pub(crate) mod entrance;
pub(crate) mod http;
pub(crate) mod rows;
pub(crate) mod upstream;

use std::time::Duration;

/// Longest wait for something that must happen. It only decides how long a failing test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(something: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, something).await.expect("this happens soon")
}
