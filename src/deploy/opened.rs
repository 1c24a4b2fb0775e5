//! What only the worker of a job may read, opened when its run begins.

use base64ct::{Base64, Encoding as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::db::models::job::Job;
use crate::deploy::Deployment;
use crate::deploy::failure::Cause;
use crate::domain::ids::ProjectId;
use crate::domain::registry::{Registry, RegistryLogin};
use crate::domain::sealed::Place;
use crate::domain::variables::Variables;
use crate::paas::compiled::{self, Value};
use crate::seal::{NotOpened, Opener};
use crate::tasks::blocking;

/// The name of a registry's password where it is hidden.
const PASSWORD: &str = "registry password";

/// Begins a value of the file that is in base64.
const ENCODED: &str = "base64:";

/// What a job's row holds sealed, and what is never to be shown.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// Everything that `${NAME}` stands for, whoever gave it.
    pub variables: Variables,
    /// Where images are pushed to.
    pub registry: Option<Registry>,
    /// Names and values that no line of an output may show.
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
        Ok(Self { variables, registry, secrets })
    }

    /// Adds the values that a compiled file calls secret, named `set.key`.
    pub fn add_secrets_of(&mut self, model: &compiled::Deployment) {
        for set in &model.secrets {
            self.add(&set.name, &set.options);
        }
    }

    fn add(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Text(text) => {
                self.add_text(name, text);
                let encoded = text.strip_prefix(ENCODED).map(Base64::decode_vec);
                if let Some(Ok(bytes)) = encoded
                    && let Ok(text) = str::from_utf8(&bytes)
                {
                    self.add_text(name, text);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.add(name, item)),
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    self.add(&format!("{name}.{key}"), value);
                }
            }
        }
    }

    fn add_text(&mut self, name: &str, text: &str) {
        if !self.secrets.iter().any(|(_, known)| known.expose_secret() == text) {
            self.secrets.push((name.to_owned(), SecretString::from(text)));
        }
    }
}

impl Deployment<'_> {
    /// Opens what the job brings.
    pub(super) async fn open(&mut self) -> Result<(), Cause> {
        let (opener, job) = (self.settings().keyring.opener.clone(), self.run.job().clone());
        let project = self.run.project();
        self.opened = blocking(move || Opened::of_job(&opener, &job, project)).await?;
        Ok(())
    }
}
