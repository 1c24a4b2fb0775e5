//! Which right each request needs: one table.
//!
//! A request that is not in it does not compile or fails a test, and what nobody is given a right
//! for is refused by [`authorise`](crate::domain::access::authorise).

use crate::domain::access::Verb;
use crate::git::wire::Service;
use crate::ssh::command::{Change, Command};
use crate::ssh::own::{KeyChange, TokenChange};

/// A request as somebody types it, and the right that it needs.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    /// Its words, about the project `acme/shop`, its environment `production`, job 1, or themselves.
    pub words: &'static str,
    /// The right.
    pub verb: Verb,
}

const fn right(words: &'static str, verb: Verb) -> Right {
    Right { words, verb }
}

/// Every request there is.
pub const RIGHTS: [Right; 29] = [
    right("git-upload-pack 'acme/shop'", Verb::Clone),
    right("git-receive-pack 'acme/shop'", Verb::Push),
    right("whoami", Verb::Identify),
    right("keys", Verb::ListKeys),
    right("keys add", Verb::ChangeKeys),
    right("keys remove SHA256:none", Verb::ChangeKeys),
    right("tokens", Verb::ListTokens),
    right("tokens add ci", Verb::ChangeTokens),
    right("tokens remove 00000000-0000-0000-0000-000000000000", Verb::ChangeTokens),
    right("projects", Verb::ListProjects),
    right("info acme/shop", Verb::Look),
    right("jobs acme/shop", Verb::Look),
    right("attach 1", Verb::Look),
    right("logs 1", Verb::Look),
    right("cancel 1", Verb::Cancel),
    right("releases acme/shop production", Verb::Look),
    right("diff acme/shop production v1 v2", Verb::Look),
    right("diff acme/shop production v1", Verb::Look),
    right("rollback acme/shop production", Verb::Deploy),
    right("rollback acme/shop production v1", Verb::Deploy),
    right("redeploy acme/shop production", Verb::Deploy),
    right("fetch acme/shop", Verb::Deploy),
    right("ps acme/shop production", Verb::Look),
    right("tail acme/shop production", Verb::Look),
    right("tail acme/shop production web -f", Verb::Look),
    right("vars acme/shop", Verb::ReadVariables),
    right("vars acme/shop production", Verb::ReadVariables),
    right("vars acme/shop set A", Verb::ChangeVariables),
    right("vars acme/shop unset A", Verb::ChangeVariables),
];

/// The right that one of git's services needs.
pub(super) const fn of_service(service: Service) -> Verb {
    match service {
        Service::ReceivePack => Verb::Push,
        Service::UploadPack => Verb::Clone,
    }
}

/// The right that one of our commands needs.
pub(super) const fn of_command(command: &Command) -> Verb {
    match command {
        Command::Whoami => Verb::Identify,
        Command::Keys { change: None } => Verb::ListKeys,
        Command::Keys { change: Some(KeyChange::Add(_) | KeyChange::Remove { .. }) } => {
            Verb::ChangeKeys
        }
        Command::Tokens { change: None } => Verb::ListTokens,
        Command::Tokens { change: Some(TokenChange::Add(_) | TokenChange::Remove { .. }) } => {
            Verb::ChangeTokens
        }
        Command::Projects => Verb::ListProjects,
        Command::Info { .. }
        | Command::Jobs { .. }
        | Command::Attach { .. }
        | Command::Logs { .. }
        | Command::Releases { .. }
        | Command::Diff { .. }
        | Command::Ps { .. }
        | Command::Tail { .. } => Verb::Look,
        Command::Cancel { .. } => Verb::Cancel,
        Command::Redeploy { .. } | Command::Rollback { .. } | Command::Fetch { .. } => Verb::Deploy,
        Command::Vars { change: None, .. } => Verb::ReadVariables,
        Command::Vars { change: Some(Change::Set { .. } | Change::Unset { .. }), .. } => {
            Verb::ChangeVariables
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::command::{Request, USES, parse};

    #[test]
    fn the_table_says_what_is_asked_for() {
        for Right { words, verb } in RIGHTS {
            let asked = match parse(words.as_bytes(), "git@example.org") {
                Ok(Request::Git(service, _)) => of_service(service),
                Ok(Request::Ours(ours)) => of_command(&ours.command),
                other => panic!("{words}: {other:?}"),
            };
            assert_eq!(asked, verb, "{words}");
        }
    }

    #[test]
    fn the_table_has_every_command() {
        let first = |words: &'static str| words.split(' ').next().unwrap_or_default();
        for (usage, _) in USES {
            let is_there = RIGHTS.iter().any(|right| first(right.words) == first(usage));
            assert!(is_there, "{usage}");
        }
        // Of a command that changes and looks, both are there.
        for verb in [
            Verb::ListKeys,
            Verb::ChangeKeys,
            Verb::ListTokens,
            Verb::ChangeTokens,
            Verb::ReadVariables,
            Verb::ChangeVariables,
        ] {
            assert!(RIGHTS.iter().any(|right| right.verb == verb), "{verb}");
        }
    }
}
