//! What our commands do: each looks up, asks a use case, and prints.

mod attach;
mod cancel;
mod git;
mod jobs;
mod keys;
mod logs;
mod projects;
mod redeploy;
mod releases;
mod vars;
mod whoami;

use chrono::{DateTime, Utc};
use russh::Channel;
use russh::server::Msg;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::db::acting::Acting;
use crate::db::models::audit::NewEntry;
use crate::db::models::job::Job;
use crate::db::models::project::{Inactive, Project};
use crate::db::pool::told;
use crate::domain::access::{Denied, Verb, What, authorise};
use crate::domain::cache::Cache;
use crate::domain::history::End;
use crate::domain::ids::JobNumber;
use crate::domain::slug::ProjectName;
use crate::people::{Identity, PeopleError, identify};
use crate::projects::{ProjectError, find, find_job};
use crate::push::Watched;
use crate::ssh::Door;
use crate::ssh::command::{BadRequest, Command, Ours, Request, USES};
use crate::ssh::output::{BadInput, Output};
use crate::ssh::rights;
use crate::tasks::Tasks;

/// Who calls.
pub(super) struct Caller {
    /// The person, and the key that signed.
    pub(super) identity: Identity,
    /// The address they come from.
    pub(super) origin: String,
    /// `GIT_PROTOCOL`, as the client sent it.
    pub(super) protocol: Option<String>,
}

/// Exit status of a command, as a client sees it; README.md lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status(u32);

impl Status {
    /// Done, or live.
    const OK: Self = Self(0);
    /// Failed, or not live.
    const FAILED: Self = Self(1);
    /// Words that the command does not take.
    const USAGE: Self = Self(2);
    /// It took too long to wait for.
    const WAIT_LIMIT: Self = Self(3);
    /// This server stops.
    const STOPPING: Self = Self(4);
    /// No such command.
    const UNKNOWN: Self = Self(127);
    /// No such project or job, or no right.
    const NOT_FOUND: Self = Self(128);
}

/// Why a command did not do what it is for.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The client hung up.
    #[error("the client hung up")]
    HungUp(#[from] russh::Error),
    /// What was asked for is not there, or not theirs.
    #[error(transparent)]
    Project(ProjectError),
    /// Their keys cannot be read or changed.
    #[error(transparent)]
    People(PeopleError),
    /// They would be out.
    #[error("you came with this key: remove it with another one")]
    OwnKey,
    /// The key that they came with ends.
    #[error("the key that you came with ends on {}: give one that you add an earlier end, by --expires", .0.format("%Y-%m-%d %H:%M UTC"))]
    Outlives(DateTime<Utc>),
    /// They may, but not with this key.
    #[error("the key that you came with is for less: come with one that may all that you may")]
    Key,
    /// They may not.
    #[error("you may not do this")]
    Forbidden,
    /// Standard input is not what the command needs.
    #[error(transparent)]
    Input(#[from] BadInput),
    /// Nothing of this project is deployed.
    #[error(transparent)]
    Inactive(#[from] Inactive),
    /// Jobs cannot be read or changed.
    #[error(transparent)]
    Jobs(#[from] crate::jobs::JobsError),
    /// The database does not answer.
    #[error("{}", told(.0))]
    Db(#[from] diesel::result::Error),
}

impl From<ProjectError> for Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only one kind is for the log")]
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Db(error) => Self::Db(error),
            error => Self::Project(error),
        }
    }
}

impl From<PeopleError> for Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only one kind is for the log")]
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Db(error) => Self::Db(error),
            error => Self::People(error),
        }
    }
}

impl Failure {
    fn status(&self) -> Status {
        match self {
            Self::Project(
                ProjectError::NotFound(_)
                | ProjectError::Forbidden(_)
                | ProjectError::Key(_)
                | ProjectError::Barred(_),
            )
            | Self::Key
            | Self::Forbidden => Status::NOT_FOUND,
            Self::HungUp(_)
            | Self::Project(_)
            | Self::People(_)
            | Self::OwnKey
            | Self::Outlives(_)
            | Self::Input(_)
            | Self::Inactive(_)
            | Self::Jobs(_)
            | Self::Db(_) => Status::FAILED,
        }
    }
}

/// What a command is called with.
struct Call<'a> {
    door: &'a Door,
    caller: &'a Identity,
    origin: &'a str,
    /// The right that the command needs.
    verb: Verb,
    output: &'a Output,
    gone: &'a CancellationToken,
    json: Format,
}

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// Does what a client asks for, or says what there is.
pub(super) async fn run(
    channel: Channel<Msg>,
    door: Door,
    caller: Caller,
    request: Option<Result<Request, BadRequest>>,
    tasks: Tasks,
) {
    // The key may have been revoked since the login, or its owner disabled.
    let identity = match identify(&door.db, &caller.identity.fingerprint).await {
        Ok(Some(identity)) => identity,
        Ok(None) => {
            return refuse(channel, "this key is no longer accepted", Status::NOT_FOUND).await;
        }
        Err(error) => {
            warn!("Could not look up a key: {error}");
            return refuse(channel, "the server cannot reach its database", Status::FAILED).await;
        }
    };
    if let Err(Denied::Barred(bar)) = authorise(&identity.who(), Verb::Identify, What::Oneself) {
        return refuse(channel, &bar.to_string(), Status::NOT_FOUND).await;
    }
    let Some(request) = request else { return greet(channel, &door, &identity).await };
    match request {
        Ok(Request::Git(service, project)) => {
            let caller = Caller { identity, ..caller };
            git::serve(channel, &door, &caller, service, &project).await;
        }
        Ok(Request::Help) => tell(channel, &help(&door)).await,
        Ok(Request::HelpOn(text)) => tell(channel, text.trim_end()).await,
        Ok(Request::Ours(ours)) => {
            let caller = Caller { identity, ..caller };
            ours_on(channel, &door, &caller, ours, &tasks).await;
        }
        Err(error @ BadRequest::Unknown) => {
            refuse(
                channel,
                &format!("{error}; `ssh {}` lists what there is", door.address()),
                Status::UNKNOWN,
            )
            .await;
        }
        Err(error @ BadRequest::Path) => {
            refuse(channel, &error.to_string(), Status::NOT_FOUND).await;
        }
        Err(error @ BadRequest::Usage(_)) => {
            refuse(channel, error.to_string().trim_end(), Status::USAGE).await;
        }
    }
}

async fn refuse(channel: Channel<Msg>, text: &str, status: Status) {
    let (output, _gone, _drain) = Output::open(channel);
    // A client that hung up does not read it.
    drop(output.error(&format!("pierhead: {text}")).await);
    output.end(status.0).await;
}

async fn ours_on(channel: Channel<Msg>, door: &Door, caller: &Caller, ours: Ours, tasks: &Tasks) {
    let (output, gone, input, drain) = Output::open_with_input(channel);
    drop(tasks.start(drain));
    let json = if ours.json { Format::Json } else { Format::Text };
    let (verb, origin) = (rights::of_command(&ours.command), caller.origin.as_str());
    let caller = &caller.identity;
    let call = Call { door, caller, origin, verb, output: &output, gone: &gone, json };
    let done = match ours.command {
        Command::Whoami => whoami::run(&call).await,
        Command::Keys { change: None } => keys::list(&call).await,
        Command::Keys { change: Some(change) } => keys::change(&call, change, input).await,
        Command::Projects => projects::list(&call).await,
        Command::Info { project } => projects::info(&call, &project).await,
        Command::Jobs { project } => jobs::run(&call, &project).await,
        Command::Attach { job } => attach::run(&call, job).await,
        Command::Logs { job, step } => logs::run(&call, job, step).await,
        Command::Cancel { job } => cancel::run(&call, job).await,
        Command::Releases { project, environment } => {
            releases::run(&call, &project, environment).await
        }
        Command::Redeploy { project, environment, no_cache } => {
            let cache = if no_cache { Cache::Dropped } else { Cache::Used };
            redeploy::run(&call, &project, environment, cache).await
        }
        Command::Vars { project, environment, change: None } => {
            vars::list(&call, &project, environment).await
        }
        Command::Vars { project, environment, change: Some(change) } => {
            vars::change(&call, (&project, environment), change, input).await
        }
    };
    let status = match done {
        Ok(status) => status,
        Err(failure) => {
            if let Failure::Jobs(_)
            | Failure::Db(_)
            | Failure::Project(ProjectError::Seal(_) | ProjectError::NoKey) = &failure
            {
                warn!("Could not do what {} asked for: {failure:?}", caller.user.name);
            }
            drop(output.error(&format!("pierhead: {failure}")).await);
            failure.status()
        }
    };
    output.end(status.0).await;
}

/// Tells a client what they asked to know.
async fn tell(channel: Channel<Msg>, text: &str) {
    let (output, _gone, _drain) = Output::open(channel);
    drop(output.line(text).await);
    output.end(Status::OK.0).await;
}

/// What there is, as one types it.
fn help(door: &Door) -> String {
    let address = door.address();
    let mut text = String::new();
    for (usage, does) in USES {
        text.push_str(&format!("  ssh {address} {usage:<34} {does}\n"));
    }
    text.push_str(&format!("Each takes --json. `ssh {address} help <command>` tells more."));
    text
}

/// Tells a client that came without a command what there is.
async fn greet(channel: Channel<Msg>, door: &Door, identity: &Identity) {
    let (output, _gone, _drain) = Output::open(channel);
    let hello = format!("Hello {} ({}).", identity.user.name, identity.fingerprint);
    let text = format!("{hello} This is Pierhead; there is no shell, but:\n{}", help(door));
    drop(output.error(&text).await);
    output.end(Status::FAILED.0).await;
}

impl Call<'_> {
    /// Goes on if the caller may do this to themselves.
    fn oneself(&self) -> Result<(), Failure> {
        authorise(&self.caller.who(), self.verb, What::Oneself).map_err(|denied| match denied {
            Denied::Barred(bar) => Failure::Project(ProjectError::Barred(bar)),
            Denied::Key => Failure::Key,
            Denied::Unseen | Denied::Forbidden => Failure::Forbidden,
        })
    }

    /// The project of this name, if the caller may do this to it.
    async fn project(&self, name: &ProjectName) -> Result<Project, Failure> {
        Ok(find(&self.door.db, &self.caller.who(), name, self.verb).await?)
    }

    /// The job of this number, if the caller may do this to it.
    async fn job(&self, number: JobNumber) -> Result<Job, Failure> {
        Ok(find_job(&self.door.db, &self.caller.who(), number, self.verb).await?)
    }

    /// The caller, who changes something.
    fn acting(&self) -> Acting {
        Acting { db: self.door.db.clone(), actor: self.caller.actor(self.origin.to_owned()) }
    }

    /// Notes what the caller did where that is not noted by what did it.
    async fn note(&self, entry: NewEntry) -> Result<(), Failure> {
        Ok(self.door.db.run(async move |connection| entry.insert(connection).await).await?)
    }

    /// The exit status for somebody who followed a job.
    async fn watched(&self, number: JobNumber, watched: Watched) -> Result<Status, Failure> {
        let attach = || self.door.jobs.command(&format!("attach {number}"));
        match watched {
            Watched::Ended(End { exit_code: 0, .. }) => Ok(Status::OK),
            Watched::Ended(_) => Ok(Status::FAILED),
            Watched::Gone => Ok(Status::FAILED),
            Watched::WaitLimit => {
                self.output.error(&format!("job {number} goes on: {}", attach())).await?;
                Ok(Status::WAIT_LIMIT)
            }
            Watched::Stopping => {
                let text = format!("the server stops; job {number} goes on: {}", attach());
                self.output.error(&text).await?;
                Ok(Status::STOPPING)
            }
        }
    }
}
