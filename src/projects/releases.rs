//! What was put live.

use crate::db::models::environment::Environment;
use crate::db::models::project::Project;
use crate::db::models::release_list::{self, Listed};
use crate::db::pool::Db;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{EnvironmentId, ReleaseNumber};
use crate::domain::oid::Oid;
use crate::projects::ProjectError;

/// The newest releases of an environment, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn releases(
    db: &Db,
    environment: &Environment,
    most: i64,
) -> Result<Vec<Listed>, ProjectError> {
    let id = environment.id;
    Ok(db.run(async move |connection| release_list::newest(connection, id, most).await).await?)
}

/// An environment, and what serves there.
pub type Serving = (EnvironmentName, Option<(ReleaseNumber, Oid)>);

/// The environments of a project, each with what serves there.
///
/// # Errors
///
/// When the database does not answer.
pub async fn serving(db: &Db, project: &Project) -> Result<Vec<Serving>, ProjectError> {
    let id = project.id;
    db.run(async move |connection| {
        let all = Environment::of_project(connection, id).await?;
        let ids: Vec<EnvironmentId> = all.iter().map(|row| row.id).collect();
        let live = release_list::live(connection, &ids).await?;
        let of = |environment: EnvironmentId| {
            let found = live.iter().find(|(id, ..)| *id == environment);
            found.map(|(_, number, commit)| (*number, *commit))
        };
        Ok(all.into_iter().map(|row| (row.name, of(row.id))).collect())
    })
    .await
}
