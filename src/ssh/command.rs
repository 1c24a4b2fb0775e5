//! What a client asks for, read from the bytes it sent. Pure; nothing is ever given to a shell.

use clap::{Parser, Subcommand};

use crate::domain::environment::EnvironmentName;
use crate::domain::ids::JobNumber;
use crate::domain::slug::ProjectName;
use crate::git::wire::Service;

/// Longest command in bytes.
const LONGEST: usize = 4_096;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    /// One of git's services on a project.
    Git(Service, ProjectName),
    /// One of our commands.
    Ours(Ours),
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
    /// One of our commands with words it does not take, in clap's words.
    #[error("{0}")]
    Usage(String),
}

/// Our commands.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(no_binary_name = true, disable_version_flag = true, name = "ssh")]
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
        #[arg(long)]
        step: Option<crate::domain::history::Step>,
    },
    /// End a deployment.
    Cancel {
        /// The job's number.
        job: JobNumber,
    },
    /// Deploy again what was deployed last.
    Redeploy {
        /// The project, as `account/project` or `project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
    },
}

/// Names and uses of our commands, for the greeting.
pub(super) const USES: [(&str, &str); 6] = [
    ("whoami", "who you are here"),
    ("jobs <project>", "the latest deployments"),
    ("attach <job>", "follow a deployment to its end"),
    ("logs <job> [--step <step>]", "what a deployment has said so far"),
    ("cancel <job>", "end a deployment"),
    ("redeploy <project> <environment>", "deploy again what was deployed last"),
];

/// Reads a request.
pub(super) fn parse(bytes: &[u8]) -> Result<Request, BadRequest> {
    let text = std::str::from_utf8(bytes).map_err(|_not_text| BadRequest::Unknown)?;
    if text.len() > LONGEST || text.contains(char::is_control) {
        return Err(BadRequest::Unknown);
    }
    if let Some((service, path)) = git_service(text) {
        let path = unquote(path).ok_or(BadRequest::Path)?;
        return Ok(Request::Git(service, project(&path)?));
    }
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let known = USES.iter().filter_map(|(usage, _)| usage.split(' ').next());
    let asks_help = matches!(words.first(), Some(&"help" | &"--help" | &"-h"));
    if !asks_help && !words.iter().any(|word| known.clone().any(|name| name == *word)) {
        return Err(BadRequest::Unknown);
    }
    match Ours::try_parse_from(words) {
        Ok(ours) => Ok(Request::Ours(ours)),
        Err(error) => Err(BadRequest::Usage(error.render().to_string())),
    }
}

/// git's words, with a dash or a blank: clients of other make send the latter.
fn git_service(text: &str) -> Option<(Service, &str)> {
    let rest = text.strip_prefix("git-").or_else(|| text.strip_prefix("git "))?;
    [("receive-pack ", Service::ReceivePack), ("upload-pack ", Service::UploadPack)]
        .into_iter()
        .find_map(|(name, service)| Some((service, rest.strip_prefix(name)?)))
}

/// Takes git's quotes away: one word in single quotes, in which `'\''` and `'\!'` stand for
/// themselves. A word without quotes is taken as it is.
fn unquote(text: &str) -> Option<String> {
    let text = text.trim();
    let Some(mut rest) = text.strip_prefix('\'') else {
        return (!text.contains(['\'', '"', '\\', ' '])).then(|| text.to_owned());
    };
    let mut word = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        word.push_str(part);
        if after.is_empty() {
            return Some(word);
        }
        let escaped = after.strip_prefix('\\')?;
        let c = escaped.chars().next().filter(|c| matches!(c, '\'' | '!'))?;
        word.push(c);
        rest = escaped.get(1..)?.strip_prefix('\'')?;
    }
}

fn project(path: &str) -> Result<ProjectName, BadRequest> {
    let path = path.strip_prefix("~/").or_else(|| path.strip_prefix('/')).unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.parse().map_err(|_bad_slug| BadRequest::Path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn git(text: &str) -> Result<String, BadRequest> {
        match parse(text.as_bytes())? {
            Request::Git(service, project) => Ok(format!("{service:?} {project}")),
            Request::Ours(ours) => Ok(format!("{ours:?}")),
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
        let step = Some(crate::domain::history::Step::Image);
        assert_eq!(ours.command, Command::Logs { job: JobNumber(42), step });
        assert!(matches!(parse(b"logs x"), Err(BadRequest::Usage(text)) if text.contains("'x'")));
        assert!(matches!(parse(b"--json whoami"), Ok(Request::Ours(_))));
    }

    #[test]
    fn the_greeting_names_every_command() {
        use clap::CommandFactory as _;

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
