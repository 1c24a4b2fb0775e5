//! What was deleted.

use crate::db::models::deleted::{Deleted, newest};
use crate::db::pool::Db;
use crate::projects::ProjectError;

/// What was deleted last, at most so much of each kind; for an administrator.
///
/// # Errors
///
/// When the database does not answer.
pub async fn deleted(db: &Db, most: i64) -> Result<Vec<Deleted>, ProjectError> {
    Ok(db.run(async move |connection| newest(connection, most).await).await?)
}
