//! What was put live.

use std::collections::BTreeMap;

use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::models::release_list::{self, Listed};
use crate::db::models::{cluster, deploy_rule};
use crate::db::pool::Db;
use crate::domain::cluster::ClusterKind;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{EnvironmentId, JobNumber, ProjectId, ReleaseNumber};
use crate::domain::job::{JobKind, JobState};
use crate::domain::oid::Oid;
use crate::projects::ProjectError;

/// The newest releases of an environment, of those before one, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn releases(
    db: &Db,
    environment: &Environment,
    before: Option<ReleaseNumber>,
    most: i64,
) -> Result<Vec<Listed>, ProjectError> {
    let id = environment.id;
    Ok(db
        .run(async move |connection| release_list::newest(connection, id, before, most).await)
        .await?)
}

/// Two releases of an environment: of these numbers, or the first one and what serves.
///
/// # Errors
///
/// When there is no such release, nothing serves, or the database does not answer.
pub async fn find_releases(
    db: &Db,
    environment: &Environment,
    (from, to): (ReleaseNumber, Option<ReleaseNumber>),
) -> Result<[Listed; 2], ProjectError> {
    let (id, name) = (environment.id, environment.name.clone());
    db.run(async move |connection| {
        let live = release_list::live(connection, id).await?.map(|live| live.number);
        let to = to.or(live).ok_or_else(|| ProjectError::NothingLive(name.clone()))?;
        let unknown = |number| ProjectError::NoRelease { environment: name.clone(), number };
        let first = release_list::numbered(connection, id, from).await?;
        let other = release_list::numbered(connection, id, to).await?;
        Ok([first.ok_or_else(|| unknown(from))?, other.ok_or_else(|| unknown(to))?])
    })
    .await
}

/// How many targets an environment has, in which something serves.
///
/// # Errors
///
/// When nothing does, or the database does not answer.
pub async fn live_targets(db: &Db, environment: &Environment) -> Result<usize, ProjectError> {
    if environment.live_release.is_none() {
        return Err(ProjectError::NothingLive(environment.name.clone()));
    }
    let id = environment.id;
    let targets = db.run(async move |connection| cluster::of_environment(connection, id).await);
    Ok(targets.await?.len())
}

/// An environment, and what is known of it.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Its name.
    pub environment: EnvironmentName,
    /// What serves.
    pub live: Option<Listed>,
    /// Where it deploys to: names and kinds.
    pub targets: Vec<(String, ClusterKind)>,
    /// Patterns of the refs that deploy there.
    pub refs: Vec<String>,
    /// Jobs that run or wait, newest first.
    pub open: Vec<(JobNumber, JobKind, JobState)>,
}

/// The environments of a project, each with what serves there and what deploys to it.
///
/// # Errors
///
/// When the database does not answer.
pub async fn serving(db: &Db, project: &Project) -> Result<Vec<Serving>, ProjectError> {
    let id = project.id;
    db.run(async move |connection| {
        let rules = deploy_rule::of_project(connection, id).await?;
        let clusters = cluster::of_project(connection, id).await?;
        let mut all = Vec::new();
        for row in Environment::of_project(connection, id).await? {
            let live = release_list::live(connection, row.id).await?;
            let open = Job::open_of_environment(connection, row.id).await?;
            let rules = rules.iter().filter(|rule| rule.environment == row.id);
            let targets = clusters.iter().filter(|(_, environment)| *environment == row.name);
            all.push(Serving {
                live,
                refs: rules.map(|rule| rule.pattern.to_string()).collect(),
                targets: targets.map(|(it, _)| (it.name.clone(), it.kind)).collect(),
                open: open.iter().map(|job| (job.number, job.kind, job.state)).collect(),
                environment: row.name,
            });
        }
        Ok(all)
    })
    .await
}

/// An environment, and the release and the commit that serve there.
pub type Serves = (EnvironmentName, Option<(ReleaseNumber, Oid)>);

/// What serves in the environments of several projects.
///
/// # Errors
///
/// When the database does not answer.
pub async fn serving_of(
    db: &Db,
    projects: Vec<ProjectId>,
) -> Result<BTreeMap<ProjectId, Vec<Serves>>, ProjectError> {
    db.run(async move |connection| {
        let all = Environment::of_projects(connection, &projects).await?;
        let ids: Vec<EnvironmentId> = all.iter().map(|row| row.id).collect();
        let live = release_list::live_of(connection, &ids).await?;
        let live: BTreeMap<EnvironmentId, (ReleaseNumber, Oid)> =
            live.into_iter().map(|(id, number, commit)| (id, (number, commit))).collect();
        let mut of: BTreeMap<ProjectId, Vec<Serves>> = BTreeMap::new();
        for row in all {
            let serves = live.get(&row.id).copied();
            of.entry(row.project_id).or_default().push((row.name, serves));
        }
        Ok(of)
    })
    .await
}
