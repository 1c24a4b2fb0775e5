//! `pierhead migrate`.

use crate::cli::say;
use crate::config::Config;
use crate::db::migrate::{MigrateError, migrate};

/// Brings the tables up to date, and says which steps were applied.
pub(super) async fn run(config: &Config) -> Result<(), MigrateError> {
    let applied = migrate(&config.database.url).await?;
    if applied.is_empty() {
        say("The database is up to date.");
    }
    for step in applied {
        say(&format!("Applied {step}."));
    }
    Ok(())
}
