//! What only the worker of a job may read, opened when its run begins.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};

use crate::db::models::cluster;
use crate::db::models::job::Job;
use crate::deploy::Deployment;
use crate::deploy::failure::Cause;
use crate::domain::cluster::{Adoption, Cluster, Credentials};
use crate::domain::ids::{ClusterId, ProjectId};
use crate::domain::redact::{Redactor, Secrets};
use crate::domain::registry::{Registry, RegistryLogin};
use crate::domain::sealed::{Place, Sealed};
use crate::domain::variables::Variables;
use crate::jobs::RunError;
use crate::seal::{NotOpened, Opener};
use crate::tasks::blocking;

/// The name of a registry's password where it is hidden.
const PASSWORD: &str = "registry password";

/// What a job's row holds sealed, and what is never to be shown.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// Everything that `${NAME}` stands for, whoever gave it.
    pub variables: Variables,
    /// Where images are pushed to.
    pub registry: Option<Registry>,
    /// Who signs in at clusters, each with what its id is.
    pub logins: BTreeMap<ClusterId, Credentials>,
    /// Names and values of secrets that somebody set for the project or gave to the job.
    pub secrets: Vec<(String, SecretString)>,
}

impl Opened {
    /// Opens what a job of a project brings. Takes some milliseconds for each value.
    ///
    /// # Errors
    ///
    /// When a value does not open.
    pub fn of_job(opener: &Opener, job: &Job, project: ProjectId) -> Result<Self, NotOpened> {
        let mut stored = job.snapshot.variables.clone();
        stored.overlay(job.variables.clone());
        let variables = opener.open_variables(&stored, (project, job.environment_id))?;
        let is_secret = |(name, value): (&str, &str)| {
            stored.is_secret(name).then(|| (name.to_owned(), SecretString::from(value)))
        };
        let mut secrets: Vec<_> = variables.iter().filter_map(is_secret).collect();
        let mut registry = None;
        if let Some(stored) = &job.snapshot.registry {
            let login = stored.login.as_ref().map(|login| {
                let place = Place::registry(project, &stored.address, &login.username);
                let password = opener.open_text(&login.password, &place)?;
                Ok(RegistryLogin { username: login.username.clone(), password })
            });
            let login = login.transpose()?;
            let password = login.as_ref().map(|login| login.password.clone());
            secrets.extend(password.map(|password| (PASSWORD.to_owned(), password)));
            registry = Some(stored.with_login(login));
        }
        let mut logins = BTreeMap::new();
        for cluster in &job.snapshot.clusters {
            let Some(sealed) = &cluster.credentials else { continue };
            let place = Place::cluster(project, &cluster.address, &cluster.name);
            let credentials = open_credentials(opener, sealed, &place)?;
            secrets.extend(
                credentials.secrets().map(|(name, secret)| (name.to_owned(), secret.clone())),
            );
            logins.insert(cluster.id, credentials);
        }
        Ok(Self { variables, registry, logins, secrets })
    }

    /// What commands of Dockerfiles may be shown: secrets whose names can be ids.
    pub fn build_secrets(&self) -> BTreeMap<String, SecretString> {
        let is_variable = |name: &str| self.variables.iter().any(|(known, _)| known == name);
        self.secrets.iter().filter(|(name, _)| is_variable(name)).cloned().collect()
    }

    /// What is hidden in everything that tools say: every one of these secrets that can be, and the
    /// names of those that cannot. They were refused when they were set, unless an older version
    /// took them.
    pub fn hidden(&self) -> (Secrets, Vec<String>) {
        let (mut hidden, mut bare) = (Secrets::default(), Vec::new());
        for (name, value) in &self.secrets {
            if hidden.add(name, value.expose_secret()).is_err() {
                bare.push(name.clone());
            }
        }
        (hidden, bare)
    }
}

/// Who signs in at a cluster.
///
/// # Errors
///
/// When it does not open, or is not what was sealed.
pub fn open_credentials(
    opener: &Opener,
    sealed: &Sealed,
    place: &Place,
) -> Result<Credentials, NotOpened> {
    let document = opener.open_text(sealed, place)?;
    Credentials::read(&document).map_err(|_no_document| NotOpened::new(place, sealed))
}

/// Opens who signs in at clusters of a project.
pub(super) async fn logins(
    opener: &Opener,
    project: ProjectId,
    sealed: Vec<(Cluster, Sealed)>,
) -> Result<BTreeMap<ClusterId, Credentials>, NotOpened> {
    let opener = opener.clone();
    blocking(move || {
        let opened = |(cluster, sealed): &(Cluster, Sealed)| {
            let place = Place::cluster(project, &cluster.address, &cluster.name);
            Ok((cluster.id, open_credentials(&opener, sealed, &place)?))
        };
        sealed.iter().map(opened).collect()
    })
    .await
}

/// What a job may take over: what it was allowed when it was made, unless a job before it has used
/// that up. What was allowed since then ends with a job that knows of it, and is only for such.
fn allowed(when_made: Adoption, today: Option<Adoption>) -> Adoption {
    match (when_made, today) {
        (Adoption::Adopt, Some(Adoption::Adopt)) => Adoption::Adopt,
        (Adoption::Adopt | Adoption::Refuse, _) => Adoption::Refuse,
    }
}

impl Deployment<'_> {
    /// Opens who signs in at clusters today, and reads whether what others have made there may be
    /// taken over: what the job remembers may have been replaced since.
    pub(super) async fn sign_in(&mut self, clusters: &mut [Cluster]) -> Result<(), Cause> {
        let environment = self.run.job().environment_id;
        let rows = self
            .jobs()
            .db()
            .run(async move |connection| cluster::of_environment(connection, environment).await);
        let rows: Vec<Cluster> = rows.await.map_err(RunError::from)?;
        let mut sealed = Vec::new();
        for cluster in clusters {
            let same = |row: &&Cluster| {
                (row.id, &row.name, &row.address) == (cluster.id, &cluster.name, &cluster.address)
            };
            let row = rows.iter().find(same);
            cluster.kubernetes.adoption =
                allowed(cluster.kubernetes.adoption, row.map(|row| row.kubernetes.adoption));
            let credentials = row.unwrap_or(cluster).credentials.clone();
            sealed.extend(credentials.map(|sealed| (cluster.clone(), sealed)));
        }
        let opener = &self.settings().keyring.opener;
        self.opened.logins = logins(opener, self.run.project(), sealed).await?;
        Ok(())
    }

    /// Opens what the job brings, and hides what is secret of it from then on.
    pub(super) async fn open(&mut self) -> Result<(), Cause> {
        let (opener, job) = (self.settings().keyring.opener.clone(), self.run.job().clone());
        let project = self.run.project();
        let (opened, redactor) = blocking(move || {
            let opened = Opened::of_job(&opener, &job, project)?;
            let redactor = Redactor::new(&opened.hidden().0);
            Ok::<_, NotOpened>((opened, redactor))
        })
        .await?;
        self.opened = opened;
        self.hide(redactor);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_taken_over_is_for_jobs_made_since_and_only_until_one_is_live() {
        let (never, next) = (Adoption::Refuse, Adoption::Adopt);
        assert_eq!(allowed(next, Some(next)), next);
        for (when_made, today) in [(next, Some(never)), (next, None), (never, Some(next))] {
            assert_eq!(allowed(when_made, today), never, "{when_made:?} {today:?}");
        }
    }
}
