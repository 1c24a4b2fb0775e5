//! What our commands do: each looks up, asks a use case, and prints.

mod asking;
mod attach;
mod cancel;
mod diff;
mod failure;
mod fetch;
mod git;
mod jobs;
mod keys;
mod logs;
mod projects;
mod ps;
mod redeploy;
mod releases;
mod rollback;
mod tail;
mod tokens;
mod vars;
mod whoami;

use russh::Channel;
use russh::server::Msg;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::db::acting::Acting;
use crate::db::models::audit::NewEntry;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::domain::access::{Denied, Verb, What, authorise};
use crate::domain::cache::Cache;
use crate::domain::history::End;
use crate::domain::ids::JobNumber;
use crate::domain::push_option;
use crate::domain::slug::ProjectName;
use crate::people::{Identity, identify};
use crate::projects::{ProjectError, find, find_job};
use crate::push::Watched;
use crate::ssh::Door;
use crate::ssh::command::{BadRequest, Command, Ours, Request, USES};
use crate::ssh::commands::failure::{Failure, Status};
use crate::ssh::output::Output;
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

impl Format {
    /// The same, as printers know it.
    const fn of_printers(self) -> push_option::Format {
        match self {
            Self::Text => push_option::Format::Full,
            Self::Json => push_option::Format::Json,
        }
    }
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
            return refuse(
                channel,
                "this key was removed: register another one",
                Status::NOT_FOUND,
            )
            .await;
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
        Command::Tokens { change: None } => tokens::list(&call).await,
        Command::Tokens { change: Some(change) } => tokens::change(&call, change).await,
        Command::Projects => projects::list(&call).await,
        Command::Info { project } => projects::info(&call, &project).await,
        Command::Jobs { project } => jobs::run(&call, &project).await,
        Command::Attach { job } => attach::run(&call, job).await,
        Command::Logs { job, step } => logs::run(&call, job, step).await,
        Command::Cancel { job } => cancel::run(&call, job).await,
        Command::Releases { project, environment } => {
            releases::run(&call, &project, environment).await
        }
        Command::Diff { project, environment, from, to } => {
            diff::run(&call, (&project, environment), (from, to)).await
        }
        Command::Ps { project, environment } => ps::run(&call, (&project, environment)).await,
        Command::Tail { project, environment, pod, follow, lines } => {
            tail::run(&call, (&project, environment), (pod, lines, follow)).await
        }
        Command::Rollback { project, environment, release } => {
            rollback::run(&call, (&project, environment), release).await
        }
        Command::Redeploy { project, environment, no_cache } => {
            let cache = if no_cache { Cache::Dropped } else { Cache::Used };
            redeploy::run(&call, &project, environment, cache).await
        }
        Command::Fetch { project } => fetch::run(&call, &project).await,
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
        Ok(find_job(&self.door.db, &self.caller.who(), number, self.verb).await?.0)
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
