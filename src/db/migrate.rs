//! Brings the tables of a database up to date.

use diesel_async::AsyncMigrationHarness;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::lock;
use crate::db::pool::connect;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Why the tables are not up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The server is away, or refuses.
    #[error("could not connect to PostgreSQL")]
    Connect(#[source] diesel::ConnectionError),
    /// Another migration goes on for too long.
    #[error("could not take the migration lock")]
    Lock(#[source] diesel::result::Error),
    /// A step failed; those before it stay.
    #[error("a migration failed: {0}")]
    Step(Box<dyn std::error::Error + Send + Sync>),
}

/// Applies the steps that are missing and gives their names.
///
/// Needs a multi-threaded runtime: the migration library blocks.
///
/// # Errors
///
/// When the database is away, or a step fails.
pub async fn migrate(url: &str) -> Result<Vec<String>, MigrateError> {
    let mut connection = connect(url).await.map_err(MigrateError::Connect)?;
    lock::migration(&mut connection).await.map_err(MigrateError::Lock)?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let applied = harness.run_pending_migrations(MIGRATIONS).map_err(MigrateError::Step)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// Whether steps are missing.
///
/// # Errors
///
/// When the database is away.
pub async fn is_behind(url: &str) -> Result<bool, MigrateError> {
    let connection = connect(url).await.map_err(MigrateError::Connect)?;
    AsyncMigrationHarness::new(connection)
        .has_pending_migration(MIGRATIONS)
        .map_err(MigrateError::Step)
}
