//! Where the commits of a project come from, when nobody pushes them.

use secrecy::ExposeSecret as _;

use crate::db::acting::Acting;
use crate::db::models::project::Project;
use crate::db::models::source::{self, Source, SourceValues};
use crate::db::models::source_tip;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::ids::ProjectId;
use crate::domain::sealed::{Place, Sealed};
use crate::domain::slug::ProjectName;
use crate::domain::source::{HostKeys, Schedule, SourceLogin, SourceUrl, Transport, is_user};
use crate::domain::variables::check_secret;
use crate::projects::{ProjectError, only};
use crate::seal::Sealer;

/// A source about to be set. What is `None` stays, as long as the address does.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// The project.
    pub project: ProjectName,
    /// Where it is.
    pub url: SourceUrl,
    /// Who signs in; if nobody says, whoever the address names.
    pub username: Option<String>,
    /// The keys that the host may show.
    pub host_keys: Option<HostKeys>,
    /// How often it is looked at.
    pub schedule: Option<Schedule>,
}

/// What signs in, and what that is sealed with.
type Login = (SourceLogin, Sealer);

/// Says where the commits of a project come from; from then on it takes no pushes.
///
/// # Errors
///
/// When the project is missing, what signs in does not fit the address, or the database does not
/// answer.
pub async fn set_source(
    by: &Acting,
    new: NewSource,
    login: Option<(SourceLogin, Sealer)>,
) -> Result<(), ProjectError> {
    check(&new, login.as_ref())?;
    let pinned = new.host_keys.as_ref().map(HostKeys::fingerprints);
    let entry = by
        .entry(Deed::SetSource, &new.project)
        .with("url", new.url.as_str())
        .with_some("username", new.username.clone())
        .with("signs_in", login.is_some())
        .with_some("host_keys", pinned)
        .with_some("check_every", new.schedule.map(|schedule| schedule.to_string()));
    by.db
        .transaction(async move |connection| {
            let project = only(Project::by_name(connection, &new.project).await?, &new.project)?.id;
            let before = Source::of_project(connection, project).await?;
            let before = before.filter(|before| before.url == new.url);
            let username = new.username.as_deref();
            let username = username.or(before.as_ref().map(|before| before.username.as_str()));
            let username = username.unwrap_or_else(|| new.url.user()).to_owned();
            // What was sealed for another name does not open.
            let same = before.as_ref().filter(|before| before.username == username);
            let (secret, public_key) = match &login {
                Some(login) => sealed(login, project, (&new.url, &username)),
                None => {
                    let kept = same.map(|same| (same.secret.clone(), same.public_key.clone()));
                    kept.unwrap_or_default()
                }
            };
            if secret.is_none() && new.url.transport() == Transport::Ssh {
                return Err(ProjectError::Source(
                    "a source by SSH needs a key: give one by --key, or have one made by --new-key",
                ));
            }
            let kept = || before.as_ref().map(|before| before.host_keys.clone());
            let host_keys = new.host_keys.as_ref().map(HostKeys::to_string).or_else(kept);
            let kept = || before.as_ref().and_then(|before| before.check_every);
            let values = SourceValues {
                url: &new.url,
                username: &username,
                secret: secret.as_ref(),
                public_key: public_key.as_deref(),
                host_keys: host_keys.as_deref().unwrap_or_default(),
                check_every: new.schedule.map_or_else(kept, Schedule::seconds),
            };
            source::set(connection, project, values).await?;
            if before.is_none() {
                source_tip::forget_all(connection, project).await?;
            }
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// Checks what can be known without rows.
fn check(new: &NewSource, login: Option<&Login>) -> Result<(), ProjectError> {
    if new.username.as_deref().is_some_and(|username| !is_user(username)) {
        return Err(ProjectError::Source(
            "who signs in is named by up to 64 of a-z, A-Z, 0-9, `.`, `_`, `-` and `+`",
        ));
    }
    let transport = new.url.transport();
    if new.host_keys.is_some() && transport == Transport::Https {
        return Err(ProjectError::Source(
            "only hosts that are reached by SSH have host keys; HTTPS has certificates",
        ));
    }
    match (transport, login.map(|(login, _)| login)) {
        (Transport::Ssh, Some(SourceLogin::Token(_))) => {
            Err(ProjectError::Source("a source by SSH is signed in at with a key, not a token"))
        }
        (Transport::Https, Some(SourceLogin::Key { .. })) => {
            Err(ProjectError::Source("a source by HTTPS is signed in at with a token, not a key"))
        }
        // It has to be hidden wherever a server repeats it.
        (Transport::Https, Some(SourceLogin::Token(token))) => {
            let token = token.expose_secret();
            if token.contains(|c: char| c.is_control()) {
                return Err(ProjectError::Source(
                    "a token is one line, without control characters",
                ));
            }
            Ok(check_secret("token", token)?)
        }
        (Transport::Ssh, Some(SourceLogin::Key { .. }) | None) | (Transport::Https, None) => Ok(()),
    }
}

fn sealed(
    (login, sealer): &Login,
    project: ProjectId,
    (url, username): (&SourceUrl, &str),
) -> (Option<Sealed>, Option<String>) {
    let place = Place::source(project, url, username);
    let seal = |value: &str| Some(sealer.seal(value.as_bytes(), &place));
    match login {
        SourceLogin::Key { private, public } => {
            (seal(private.expose_secret()), Some(public.clone()))
        }
        SourceLogin::Token(token) => (seal(token.expose_secret()), None),
    }
}

/// Has a project take pushes again. What came from its source stays.
///
/// # Errors
///
/// When the project is missing or has no source, or the database does not answer.
pub async fn unset_source(by: &Acting, name: ProjectName) -> Result<(), ProjectError> {
    let entry = by.entry(Deed::UnsetSource, &name);
    by.db
        .transaction(async move |connection| {
            if entry.is_noted(connection).await? {
                return Ok(());
            }
            let project = only(Project::by_name(connection, &name).await?, &name)?.id;
            if !source::unset(connection, project).await? {
                return Err(ProjectError::NotFound(format!("source of {name}")));
            }
            source_tip::forget_all(connection, project).await?;
            Ok(entry.insert(connection).await?)
        })
        .await
}

/// The source of a project that was found for somebody, if it has one.
///
/// # Errors
///
/// When the database does not answer.
pub async fn source_of(db: &Db, project: ProjectId) -> Result<Option<Source>, ProjectError> {
    Ok(db.run(async move |connection| Source::of_project(connection, project).await).await?)
}

/// Every source, each with its project, by name; for an administrator of the installation.
///
/// # Errors
///
/// When the database does not answer.
pub async fn sources(db: &Db) -> Result<Vec<(Project, Source)>, ProjectError> {
    db.run(async move |connection| {
        let mut rows = Source::all(connection).await?;
        let mut found = Vec::new();
        for project in Project::all(connection).await? {
            let place = rows.iter().position(|(id, _)| *id == project.id);
            if let Some(place) = place.filter(|_| !project.is_deleted()) {
                found.push((project, rows.swap_remove(place).1));
            }
        }
        Ok(found)
    })
    .await
}
