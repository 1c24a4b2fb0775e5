//! What a client asks for, read from the bytes it sent. Pure; nothing is ever given to a shell.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::domain::environment::EnvironmentName;
use crate::domain::history::Step;
use crate::domain::ids::JobNumber;
use crate::domain::lifetime::Lifetime;
use crate::domain::slug::ProjectName;
use crate::git::wire::Service;
use crate::ssh::git_words::{git_service, project, unquote};

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

/// What is changed about one's keys.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub(super) enum KeyChange {
    /// Add one; it is read from standard input, as it stands in the file that ends in .pub.
    Add(NewKey),
    /// Remove one.
    Remove {
        /// Its fingerprint, `SHA256:…`.
        fingerprint: String,
    },
}

/// A key about to be added.
#[derive(Debug, Clone, PartialEq, Args)]
pub(super) struct NewKey {
    /// What to call it; without one, its comment.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// It clones and looks, and changes nothing.
    #[arg(long)]
    pub(super) read_only: bool,
    /// Only for this project; may be given several times.
    #[arg(long)]
    pub(super) project: Vec<ProjectName>,
    /// How long it lasts, such as 90d or 12w; without this, for ever.
    #[arg(long)]
    pub(super) expires: Option<Lifetime>,
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
pub(super) const USES: [(&str, &str); 11] = [
    ("whoami", "who you are here"),
    ("keys", "your keys; behind it: add [--read-only …], remove <fingerprint>"),
    ("projects", "what you may see"),
    ("info <project>", "where to push, and what serves"),
    ("jobs <project>", "the latest deployments"),
    ("attach <job>", "follow a deployment to its end"),
    ("logs <job> [--step <step>]", "what a deployment has said so far"),
    ("cancel <job>", "end a deployment"),
    ("releases <project> <environment>", "what was live, newest first"),
    ("redeploy <project> <environment> [--no-cache]", "deploy the tip of the ref deployed last"),
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
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn parse(bytes: &[u8]) -> Result<Request, BadRequest> {
        super::parse(bytes, "-p 2222 git@example.org")
    }

    fn git(text: &str) -> Result<String, BadRequest> {
        match parse(text.as_bytes())? {
            Request::Git(service, project) => Ok(format!("{service:?} {project}")),
            request @ (Request::Ours(_) | Request::Help | Request::HelpOn(_)) => {
                Ok(format!("{request:?}"))
            }
        }
    }

    #[test]
    fn git_names_a_project_in_many_ways() {
        for path in ["'acme/shop'", "'/acme/shop.git'", "'~/acme/shop/'", "acme/shop.git"] {
            assert_eq!(git(&format!("git-receive-pack {path}")).unwrap(), "ReceivePack acme/shop");
        }
        assert_eq!(git("git upload-pack 'shop'").unwrap(), "UploadPack shop");
    }

    #[test]
    fn a_path_that_names_no_project_is_not_found() {
        for path in [
            "''",
            "'../x'",
            "'acme/../x'",
            "'/etc/pass.wd'",
            "'a'b",
            "'a'\\''b'",
            "'a",
            "a b",
            "'A'",
        ] {
            assert_eq!(git(&format!("git-receive-pack {path}")), Err(BadRequest::Path), "{path}");
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for text in [
            "",
            "sh",
            "git-upload-archive 'acme/shop'",
            "git-receive-pack",
            "scp -t x",
            "echo whoami;",
            "help nothing",
            "whoami\n",
            "\u{1b}[2J",
        ] {
            assert_eq!(git(text), Err(BadRequest::Unknown), "{text:?}");
        }
        assert_eq!(parse(b"\xff"), Err(BadRequest::Unknown));
        assert_eq!(parse(&[b'a'; 5_000]), Err(BadRequest::Unknown));
    }

    #[test]
    fn our_commands_are_read_by_clap() {
        let Ok(Request::Ours(ours)) = parse(b"logs 42 --step image --json") else { panic!() };
        assert!(ours.json);
        let step = Some(Step::Image);
        assert_eq!(ours.command, Command::Logs { job: JobNumber(42), step });
        assert!(matches!(parse(b"--json whoami"), Ok(Request::Ours(_))));
    }

    #[test]
    fn who_asks_for_help_is_told_what_to_type() {
        assert_eq!(parse(b"help"), Ok(Request::Help));
        assert_eq!(parse(b"--help"), Ok(Request::Help));
        let Ok(Request::HelpOn(text)) = parse(b"help cancel") else { panic!() };
        assert_snapshot!(text, @"
        End a deployment

        Usage: ssh -p 2222 git@example.org cancel [OPTIONS] <JOB>

        Arguments:
          <JOB>  The job's number

        Options:
              --json  Answer with JSON
          -h, --help  Print help
        ");
        assert_eq!(parse(b"cancel --help"), Ok(Request::HelpOn(text)));
    }

    #[test]
    fn bad_words_are_told_with_the_good_ones() {
        let said = |words: &str| match parse(words.as_bytes()) {
            Err(BadRequest::Usage(text)) => format!("$ {words}\n{text}"),
            other => panic!("{other:?}"),
        };
        let words = ["logs 1 --step nope", "logs x", "cancel"];
        assert_snapshot!(words.map(said).join("\n"), @"
        $ logs 1 --step nope
        invalid value 'nope' for '--step <STEP>'
          [possible values: job, queue, checkout, check, hooks, image, release, plan, rollout, route, ref, live, undone, help, ended]

          tip: a similar value exists: 'undone'

        `ssh -p 2222 git@example.org help` lists what there is.

        $ logs x
        invalid value 'x' for '<JOB>': invalid digit found in string

        `ssh -p 2222 git@example.org help` lists what there is.

        $ cancel
        the following required arguments were not provided:
          <JOB>

        Usage: ssh -p 2222 git@example.org cancel <JOB>

        `ssh -p 2222 git@example.org help` lists what there is.
        ");
    }

    #[test]
    fn the_greeting_names_every_command() {
        let command = Ours::command();
        let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        let greeted: Vec<_> =
            USES.iter().map(|(usage, _)| usage.split(' ').next().unwrap()).collect();
        assert_eq!(names, greeted);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            drop(parse(&bytes));
        }

        #[test]
        fn no_quotes_make_it_panic(path in "['\\\\!a/~. ]*") {
            drop(parse(format!("git-receive-pack {path}").as_bytes()));
        }
    }
}
