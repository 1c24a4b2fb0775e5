//! Where projects deploy to.

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::lock::RepositoryLock;
use crate::db::models::account::Account;
use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::models::release::Release;
use crate::db::models::{cluster, deploy_rule};
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::cluster::{Cluster, ClusterKind, Credentials, KubernetesOptions};
use crate::domain::deploy_rule::{DeployRule, Protection, RefPattern};
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{ClusterId, EnvironmentId, ProjectId};
use crate::domain::sealed::{Place, Sealed};
use crate::domain::seen::Seen;
use crate::domain::slug::ProjectName;
use crate::domain::variables::check_secret;
use crate::projects::{ProjectError, only};
use crate::seal::Sealer;

/// A target about to be added to a project.
#[derive(Debug, Clone)]
pub struct NewTarget {
    /// The project.
    pub project: ProjectName,
    /// Name of the target.
    pub name: String,
    /// The environment it serves, made if it is not there.
    pub environment: EnvironmentName,
    /// What drives it.
    pub kind: ClusterKind,
    /// Where it answers.
    pub address: String,
    /// A cluster's namespace, or first part of names on an engine; the account's name if none is
    /// given.
    pub namespace: Option<String>,
    /// How a Kubernetes cluster is used.
    pub kubernetes: KubernetesOptions,
}

/// What is changed of a target; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TargetChange {
    /// Where it answers.
    pub address: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// How it is used.
    pub kubernetes: Option<KubernetesOptions>,
    /// What it must be now.
    pub seen: Seen,
}

/// Who signs in at a cluster, and what that is sealed with.
pub type Login = Option<(Credentials, Sealer)>;

/// Adds a target. The first one of a project also makes the default branch deploy to it.
///
/// # Errors
///
/// When the project is missing, the name is taken, the address is of another form, or the database
/// does not answer.
pub async fn create_cluster(
    by: &Acting,
    target: NewTarget,
    login: Login,
) -> Result<(), ProjectError> {
    target.kind.check_address(&target.address)?;
    check_login(&login)?;
    let id = ClusterId::from(Uuid::now_v7());
    let entry = by
        .entry(Deed::CreateCluster, &target.project)
        .with("cluster", target.name.as_str())
        .with("environment", target.environment.to_string())
        .with("address", target.address.as_str())
        .with("signs_in", login.is_some());
    by.db
        .transaction(async move |connection| {
            let project =
                only(Project::by_name(connection, &target.project).await?, &target.project)?;
            let environment =
                Environment::ensure(connection, project.id, &target.environment).await?.id;
            let NewTarget { name, kind, address, namespace, kubernetes, .. } = target;
            let cluster = Cluster {
                id,
                credentials: sealed(login, project.id, (&address, &name)),
                namespace: match namespace {
                    Some(namespace) => namespace,
                    None => default_namespace(connection, &project).await?,
                },
                name,
                kind,
                address,
                kubernetes,
            };
            check_place(connection, environment, &cluster).await?;
            if cluster::insert(connection, (project.id, environment), &cluster).await?.is_none() {
                return Err(ProjectError::Exists(cluster.name));
            }
            if !deploy_rule::exist(connection, project.id).await? {
                let branch = RefName::branch(project.default_branch())?;
                let pattern = branch.as_str().parse();
                let pattern: RefPattern = pattern.expect("the name of a branch is a pattern");
                let protection = Protection::Open;
                let rule = DeployRule { pattern, environment, priority: 0, protection };
                deploy_rule::set(connection, project.id, &rule).await?;
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Where a target of a project deploys to, if nobody says.
async fn default_namespace(
    connection: &mut AsyncPgConnection,
    project: &Project,
) -> diesel::QueryResult<String> {
    let account = Account::any_by_slug(connection, &project.account).await?;
    Ok(account.map_or_else(|| project.account.to_string(), |account| account.default_namespace()))
}

/// Changes a target; jobs that wait already keep what it was.
///
/// Who signs in is sealed for the address: whoever changes that says who signs in there.
///
/// # Errors
///
/// When the target is missing, the address is of another form, or the database does not answer.
pub async fn set_cluster(
    by: &Acting,
    (project, name): (ProjectName, String),
    change: TargetChange,
    login: Login,
) -> Result<(), ProjectError> {
    check_login(&login)?;
    let entry = by
        .entry(Deed::ChangeCluster, &project)
        .with("cluster", name.as_str())
        .with_some("address", change.address.clone())
        .with_some("namespace", change.namespace.clone())
        .with("signs_in_anew", login.is_some());
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let id = only(Project::by_name(connection, &project).await?, &project)?.id;
            let missing = || ProjectError::NotFound(format!("cluster {name} of {project}"));
            let mut cluster = cluster::by_name(connection, id, &name).await?.ok_or_else(missing)?;
            let changed = cluster::version(connection, cluster.id).await?;
            if !change.seen.is_still(Some(changed)) {
                return Err(ProjectError::Changed(format!("cluster {name} of {project}")));
            }
            if let Some(address) = change.address {
                cluster.kind.check_address(&address)?;
                if address != cluster.address && cluster.credentials.is_some() && login.is_none() {
                    return Err(ProjectError::LoginElsewhere);
                }
                cluster.address = address;
            }
            let before = (cluster.namespace.clone(), cluster.kubernetes.hierarchical_namespaces);
            cluster.namespace = change.namespace.unwrap_or(cluster.namespace);
            cluster.kubernetes = change.kubernetes.unwrap_or(cluster.kubernetes);
            let is_moved =
                before != (cluster.namespace.clone(), cluster.kubernetes.hierarchical_namespaces);
            let environment = cluster::environment(connection, cluster.id).await?;
            if is_moved && Release::live(connection, environment).await?.is_some() {
                return Err(ProjectError::NamespaceInUse(before.0));
            }
            check_place(connection, environment, &cluster).await?;
            if login.is_some() {
                cluster.credentials = sealed(login, id, (&cluster.address, &name));
            }
            cluster::update(connection, &cluster).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Takes a target away. What was deployed there stays, and past jobs still tell of it.
///
/// # Errors
///
/// When the target is missing, a deployment is under way there, or the database does not answer.
pub async fn delete_cluster(
    by: &Acting,
    (project, name): (ProjectName, String),
) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::DeleteCluster, &project).with("cluster", name.as_str());
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let id = only(Project::by_name(connection, &project).await?, &project)?.id;
            let missing = || ProjectError::NotFound(format!("cluster {name} of {project}"));
            RepositoryLock::take(connection, id).await?;
            let cluster = cluster::by_name(connection, id, &name).await?.ok_or_else(missing)?;
            let environment = cluster::environment(connection, cluster.id).await?;
            drop(Environment::lock(connection, environment).await?);
            let open = Job::open_of_environment(connection, environment).await?;
            if let Some(job) = open.last() {
                return Err(ProjectError::Busy(job.number));
            }
            cluster::delete(connection, cluster.id).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// A target, the environment it serves, and when it was changed last.
#[derive(Debug, Clone)]
pub struct Target {
    /// The target.
    pub cluster: Cluster,
    /// What it serves.
    pub environment: EnvironmentName,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// The targets of a project, by name.
///
/// # Errors
///
/// When the database does not answer.
pub async fn targets(db: &Db, project: &Project) -> Result<Vec<Target>, ProjectError> {
    let id = project.id;
    let rows = db.run(async move |connection| {
        Ok::<_, ProjectError>(cluster::with_versions(connection, id).await?)
    });
    let target = |(cluster, environment, updated_at)| Target { cluster, environment, updated_at };
    Ok(rows.await?.into_iter().map(target).collect())
}

/// The targets of a project, each with the environment it serves, for an administrator.
///
/// # Errors
///
/// When the project is missing, or the database does not answer.
pub async fn clusters(
    db: &Db,
    name: ProjectName,
) -> Result<Vec<(Cluster, EnvironmentName)>, ProjectError> {
    db.run(async move |connection| {
        let project = only(Project::by_name(connection, &name).await?, &name)?.id;
        Ok(cluster::of_project(connection, project).await?)
    })
    .await
}

/// The targets of all projects that are not deleted, for an administrator: each with its project and
/// the environment it serves.
///
/// # Errors
///
/// When the database does not answer.
pub async fn all_clusters(
    db: &Db,
    most: i64,
) -> Result<Vec<(ProjectName, EnvironmentName, Cluster)>, ProjectError> {
    Ok(db.run(async move |connection| cluster::all(connection, most).await).await?)
}

/// Refuses a second entry for one namespace of one cluster.
async fn check_place(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
    cluster: &Cluster,
) -> Result<(), ProjectError> {
    let same = |other: &Cluster| {
        cluster.kind == ClusterKind::Kubernetes
            && other.name != cluster.name
            && (&other.address, &other.namespace) == (&cluster.address, &cluster.namespace)
    };
    let others = cluster::of_environment(connection, environment).await?;
    match others.into_iter().find(same) {
        Some(other) => Err(ProjectError::SamePlace(other.name)),
        None => Ok(()),
    }
}

/// A target of a project, with the project, for an administrator.
///
/// # Errors
///
/// When there is none, or the database does not answer.
pub async fn cluster(
    db: &Db,
    (project, name): (ProjectName, String),
) -> Result<(Cluster, ProjectId), ProjectError> {
    db.run(async move |connection| {
        let id = only(Project::by_name(connection, &project).await?, &project)?.id;
        let missing = || ProjectError::NotFound(format!("cluster {name} of {project}"));
        Ok((cluster::by_name(connection, id, &name).await?.ok_or_else(missing)?, id))
    })
    .await
}

/// Refuses what could not be hidden in output.
fn check_login(login: &Login) -> Result<(), ProjectError> {
    let secret = login.as_ref().and_then(|(credentials, _)| credentials.secrets());
    match secret {
        Some((name, secret)) => Ok(check_secret(name, secret.expose_secret())?),
        None => Ok(()),
    }
}

fn sealed(login: Login, project: ProjectId, (address, name): (&str, &str)) -> Option<Sealed> {
    let (credentials, sealer) = login?;
    let place = Place::cluster(project, address, name);
    Some(sealer.seal(credentials.document().expose_secret().as_bytes(), &place))
}
