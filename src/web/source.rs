//! The source of a project, set and looked at for pages and the API.

use secrecy::{ExposeSecret as _, SecretString};

use crate::db::acting::Acting;
use crate::db::models::project::Project;
use crate::domain::slug::ProjectName;
use crate::domain::source::{CheckPurpose, Checked, HostKeys, Schedule, SourceLogin, SourceUrl};
use crate::projects::{NewSource, ProjectError, set_source};
use crate::seal::load_public;
use crate::sources::{Asking, ask, make_key};
use crate::tasks::blocking;
use crate::web::refusal::Refusal;
use crate::web::site::Site;

/// What is said of who signs in at a source.
#[derive(Debug)]
pub(super) enum LoginSaid {
    /// Nothing: it stays as long as the address does.
    Nothing,
    /// A token, by HTTPS.
    Token(SecretString),
    /// A private key as OpenSSH writes it.
    Key(SecretString),
    /// That a key is to be made.
    NewKey,
}

/// A source, as somebody says it.
#[derive(Debug)]
pub(super) struct SourceSaid {
    pub(super) url: String,
    pub(super) username: Option<String>,
    pub(super) login: LoginSaid,
    /// Lines of a `known_hosts` file.
    pub(super) host_keys: Option<String>,
    /// As [`Schedule`] reads it.
    pub(super) check_every: Option<String>,
}

fn invalid(field: &'static str, error: &impl ToString) -> Refusal {
    Refusal::Invalid(Some(field), error.to_string())
}

impl LoginSaid {
    fn read(self) -> Result<Option<SourceLogin>, Refusal> {
        Ok(match self {
            Self::Nothing => None,
            Self::Token(token) => Some(SourceLogin::Token(
                token.expose_secret().trim_end_matches(['\r', '\n']).into(),
            )),
            Self::Key(key) => {
                // Browsers end lines as MIME does.
                let text = key.expose_secret().replace("\r\n", "\n");
                let login = SourceLogin::key(&text);
                Some(login.map_err(|error| invalid("key", &error))?)
            }
            Self::NewKey => Some(make_key().map_err(|error| invalid("new_key", &error))?),
        })
    }
}

/// Says where the commits of a project come from.
pub(super) async fn set(
    site: &Site,
    by: Acting,
    project: ProjectName,
    said: SourceSaid,
) -> Result<(), Refusal> {
    let url: SourceUrl = said.url.parse().map_err(|error| invalid("url", &error))?;
    let host = url.host().to_string();
    let host_keys = said.host_keys.map(|text| HostKeys::read(&text, &host)).transpose();
    let host_keys = host_keys.map_err(|error| invalid("host_keys", &error))?;
    let schedule = said.check_every.map(|text| text.parse::<Schedule>()).transpose();
    let schedule = schedule.map_err(|error| invalid("check_every", &error))?;
    let (login, path) = (said.login.read()?, site.public_key());
    let new = NewSource { project, url, username: said.username, host_keys, schedule };
    let set = site.run(async move {
        let sealer = match &login {
            Some(_) => Some(blocking(move || load_public(&path)).await?),
            None => None,
        };
        set_source(&by, new, login.zip(sealer)).await?;
        Ok::<_, ProjectError>(())
    });
    Ok(set.await?)
}

/// Has a worker look at the source of a project, and waits for what comes of it.
pub(super) async fn check(
    site: &Site,
    by: Acting,
    (project, purpose): (Project, CheckPurpose),
    asking: Asking,
) -> Result<Checked, Refusal> {
    let bells = site.feed().subscribe();
    let asked = site.run(async move { ask(&by, &project, purpose, (asking, bells)).await });
    Ok(asked.await?)
}
