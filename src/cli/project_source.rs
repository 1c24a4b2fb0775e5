//! `pierhead admin set source`, `check source` and `test source`.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use crate::cli::admin_error::AdminError;
use crate::cli::cluster::read;
use crate::cli::{note, say};
use crate::config::Config;
use crate::db::acting::Acting;
use crate::db::feed::Feed;
use crate::domain::slug::ProjectName;
use crate::domain::source::{CheckPurpose, HostKeys, Schedule, SourceLogin, SourceUrl};
use crate::projects::{self, NewSource};
use crate::seal::load_public;
use crate::sources::{Asking, ask, make_key};
use crate::tasks::Tasks;

/// Where the commits of a project come from. What is not said stays as long as the address does.
#[derive(Debug, Args)]
pub(super) struct SetSource {
    /// The project, as `account/project`.
    project: ProjectName,
    /// `https://host/path`, `ssh://user@host/path` or `user@host:path`
    // A text: whoever writes a token into it must not read it again in what is said of it.
    url: String,
    /// Who signs in; without one, whoever the address names, and `git` else.
    #[arg(long)]
    username: Option<String>,
    /// The file of a token, by HTTPS; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "new_key"])]
    token: Option<PathBuf>,
    /// The file of an SSH private key; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "new_key")]
    key: Option<PathBuf>,
    /// Make an SSH key, and print its public half.
    #[arg(long)]
    new_key: bool,
    /// The file of the keys that the host may show, as `ssh-keyscan` prints them.
    #[arg(long, value_name = "FILE")]
    host_key: Option<PathBuf>,
    /// How often it is looked at: 5m, 1h, 1d, or never.
    #[arg(long, value_name = "TIME")]
    check_every: Option<Schedule>,
}

impl SetSource {
    /// Does it, and says what was done.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<String, AdminError> {
        let url: SourceUrl = self.url.parse()?;
        let login = self.login()?;
        let host = url.host().to_string();
        let keys = self.host_key.as_deref().map(read).transpose()?;
        let host_keys = keys.map(|text| HostKeys::read(&text, &host)).transpose()?;
        let public = match &login {
            Some(SourceLogin::Key { public, .. }) if self.new_key => Some(public.clone()),
            Some(SourceLogin::Key { .. } | SourceLogin::Token(_)) | None => None,
        };
        let sealer = login.as_ref().map(|_| load_public(&config.seal.public_key)).transpose()?;
        let Self { project, username, check_every: schedule, .. } = self;
        let text = format!(
            "{project} takes its commits from {url} now, and no pushes. `pierhead admin test source \
             {project}` tries it, `check source` deploys what is new."
        );
        let new = NewSource { project, url, username, host_keys, schedule };
        projects::set_source(by, new, login.zip(sealer)).await?;
        if let Some(public) = public {
            note("Let this key read the repository there:");
            say(&public);
        }
        Ok(text)
    }

    fn login(&self) -> Result<Option<SourceLogin>, AdminError> {
        if let Some(file) = &self.token {
            let token = SecretString::from(read(file)?.trim_end_matches(['\r', '\n']));
            return Ok(Some(SourceLogin::Token(token)));
        }
        if let Some(file) = &self.key {
            return Ok(Some(SourceLogin::key(&read(file)?)?));
        }
        if !self.new_key {
            return Ok(None);
        }
        Ok(Some(make_key()?))
    }
}

/// Has a worker look at the source of a project, and says what came of it.
pub(super) async fn check(
    config: &Config,
    by: &Acting,
    (name, purpose): (ProjectName, CheckPurpose),
) -> Result<String, AdminError> {
    let project = projects::named(&by.db, name).await?;
    let asking = Asking { name: by.actor.who.clone(), ..Asking::default() };
    let bells = Feed::start(&config.database.url, &Tasks::default()).subscribe();
    let checked = ask(by, &project, purpose, (asking, bells)).await?;
    Ok(checked.to_string())
}
