//! What a client asks for, read from the bytes it sent. Pure; nothing is ever given to a shell.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::domain::environment::EnvironmentName;
use crate::domain::history::Step;
use crate::domain::ids::{JobNumber, ReleaseNumber};
use crate::domain::question::{LINES, MOST_LINES};
use crate::domain::slug::ProjectName;
use crate::git::wire::Service;
use crate::ssh::git_words::{git_service, project, unquote};
use crate::ssh::own::{KeyChange, TokenChange};

/// Longest command in bytes.
const LONGEST: usize = 4_096;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// One of git's services on a project.
    Git(Service, ProjectName),
    /// One of our commands.
    Ours(Ours),
    /// What there is.
    Help,
    /// How one of our commands is used, in clap's words.
    HelpOn(String),
}

/// Why a client's words are no request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(super) enum BadRequest {
    /// Not a command of this server.
    #[error("unknown command")]
    Unknown,
    /// git's service, but the path names no project.
    #[error("repository not found")]
    Path,
    /// One of our commands with words it does not take, and how it is used, in clap's words.
    #[error("{0}")]
    Usage(String),
}

/// Our commands.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(no_binary_name = true, disable_version_flag = true, about = None)]
pub(super) struct Ours {
    /// Answer with JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Which one.
    #[command(subcommand)]
    pub(super) command: Command,
}

/// One of our commands.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub(super) enum Command {
    /// Who you are here.
    Whoami,
    /// List your keys, or change them.
    Keys {
        /// What to change.
        #[command(subcommand)]
        change: Option<KeyChange>,
    },
    /// List your tokens for the API, or change them.
    Tokens {
        /// What to change.
        #[command(subcommand)]
        change: Option<TokenChange>,
    },
    /// The projects that you may see.
    Projects,
    /// Where to push a project, and what serves in its environments.
    Info {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
    },
    /// The latest deployments of a project.
    Jobs {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
    },
    /// Follow a deployment to its end.
    Attach {
        /// The job's number.
        job: JobNumber,
    },
    /// What a deployment has said so far.
    Logs {
        /// The job's number.
        job: JobNumber,
        /// Only this step, such as `image`.
        #[arg(long, value_parser = steps())]
        step: Option<Step>,
    },
    /// End a deployment.
    Cancel {
        /// The job's number.
        job: JobNumber,
    },
    /// The newest releases of an environment.
    Releases {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
    },
    /// What differs between two releases of an environment.
    Diff {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
        /// The first release, such as v17.
        from: ReleaseNumber,
        /// The other one; without it, the one that is live.
        to: Option<ReleaseNumber>,
    },
    /// Apply a release again: its images, model and variables, without a build.
    Rollback {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
        /// The release, such as v17; without one, what served before.
        release: Option<ReleaseNumber>,
    },
    /// Deploy the tip of the ref that was deployed last.
    Redeploy {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
        /// Drop what build hooks kept.
        #[arg(long)]
        no_cache: bool,
    },
    /// Look at the source of a project, deploy what is new there, and follow it.
    Fetch {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
    },
    /// Which containers run.
    Ps {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
    },
    /// What containers print.
    Tail {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
        /// Only those of this pod, as the file calls it.
        pod: Option<String>,
        /// Go on with what they print from now on.
        #[arg(short, long)]
        follow: bool,
        /// How many lines of before, of each container.
        #[arg(short = 'n', long, default_value_t = LINES, value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_LINES)))]
        lines: u32,
    },
    /// List the variables of a project, or change one; deployments from then on get them.
    Vars {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// What only this environment has; without one, what all of them have.
        environment: Option<EnvironmentName>,
        /// What to change.
        #[command(subcommand)]
        change: Option<Change>,
    },
}

/// What is changed about a variable.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub(super) enum Change {
    /// Set one; its value is read from standard input, without the end of its last line.
    Set {
        /// Its name, as in `${NAME}`.
        name: String,
        /// Nobody reads it ever again, only deployments do.
        #[arg(long)]
        secret: bool,
    },
    /// Remove one.
    Unset {
        /// Its name.
        name: String,
    },
}

/// Names and uses of our commands, for the greeting.
pub(super) const USES: [(&str, &str); 17] = [
    ("whoami", "who you are here"),
    ("keys", "your keys; behind it: add [--read-only …], remove <fingerprint>"),
    ("tokens", "your tokens for the API; behind it: add <name> [--read-only …], remove <id>"),
    ("projects", "what you may see"),
    ("info <project>", "where to push, and what serves"),
    ("jobs <project>", "the latest deployments"),
    ("attach <job>", "follow a deployment to its end"),
    ("logs <job> [--step <step>]", "what a deployment has said so far"),
    ("cancel <job>", "end a deployment"),
    ("releases <project> <environment>", "what was live, newest first"),
    ("diff <project> <environment> <release> [<release>]", "what differs between releases"),
    ("rollback <project> <environment> [<release>]", "apply a release again, as it was"),
    ("redeploy <project> <environment> [--no-cache]", "deploy the tip of the ref deployed last"),
    ("fetch <project>", "deploy what is new at the source of a project"),
    ("ps <project> <environment>", "which containers run"),
    ("tail <project> <environment> [<pod>] [-f]", "what containers print"),
    ("vars <project> [<environment>]", "variables; behind it: set <name> [--secret], unset <name>"),
];

/// One of the steps; whoever names another is told all of them.
fn steps() -> impl TypedValueParser<Value = Step> {
    PossibleValuesParser::new(Step::ALL.iter().map(|step| step.as_str()))
        .try_map(|word| word.parse::<Step>())
}

/// Reads a request to the server that people reach with `ssh ADDRESS`.
pub(super) fn parse(bytes: &[u8], address: &str) -> Result<Request, BadRequest> {
    let text = std::str::from_utf8(bytes).map_err(|_not_text| BadRequest::Unknown)?;
    if text.len() > LONGEST || text.contains(char::is_control) {
        return Err(BadRequest::Unknown);
    }
    if let Some((service, path)) = git_service(text) {
        let path = unquote(path).ok_or(BadRequest::Path)?;
        return Ok(Request::Git(service, project(&path)?));
    }
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let ["help" | "--help" | "-h"] = words.as_slice() {
        return Ok(Request::Help);
    }
    let mut known = USES.iter().filter_map(|(usage, _)| usage.split(' ').next());
    if !known.any(|name| words.contains(&name)) {
        return Err(BadRequest::Unknown);
    }
    let program = format!("ssh {address}");
    let command = Ours::command().bin_name(&program);
    let found = command.try_get_matches_from(words);
    match found.and_then(|found| Ours::from_arg_matches(&found)) {
        Ok(ours) => Ok(Request::Ours(ours)),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            Ok(Request::HelpOn(error.to_string()))
        }
        Err(error) => Err(BadRequest::Usage(in_terms_of(&program, &error))),
    }
}

/// What clap says of bad words, as somebody needs it who is not at this program's terminal.
fn in_terms_of(program: &str, error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let hint = "For more information, try '--help'.";
    text.replace(hint, &format!("`{program} help` lists what there is."))
}

#[cfg(test)]
mod tests;
