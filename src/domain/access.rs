//! Who may do what: one decision for every door.

use serde::Serialize;

use crate::domain::ids::{ProjectId, UserId};
use crate::domain::words::words;

words! {
    /// What a member of an account is there for.
    Role, "role (owner, developer, viewer)" {
        /// Everything in the account.
        Owner = "owner",
        /// Push and deploy.
        Developer = "developer",
        /// Look.
        Viewer = "viewer",
    }
}

words! {
    /// The most that a key may do, whatever its owner may.
    KeyAccess, "access of a key (read, deploy)" {
        /// Clone and look.
        Read = "read",
        /// Whatever its owner may do.
        Deploy = "deploy",
    }
}

words! {
    /// What somebody wants to do.
    Verb, "right" {
        /// Learn who one is here.
        Identify = "identify",
        /// List what one may see.
        ListProjects = "list-projects",
        /// List one's own keys.
        ListKeys = "list-keys",
        /// Add and remove one's own keys.
        ChangeKeys = "change-keys",
        /// Clone and fetch.
        Clone = "clone",
        /// Read what is deployed, and Histories.
        Look = "look",
        /// Read names of variables, and the values of those that are no secrets.
        ReadVariables = "read-variables",
        /// Push.
        Push = "push",
        /// Deploy without a push.
        Deploy = "deploy",
        /// End a deployment.
        Cancel = "cancel",
        /// Set and unset variables.
        ChangeVariables = "change-variables",
    }
}

/// Whether a person administrates the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// May do everything.
    Administrator,
    /// May do what memberships allow.
    Person,
}

/// Why somebody whose key is known may do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Bar {
    /// An administrator shut them out for a while.
    #[error("your user is disabled; ask your administrator")]
    UserDisabled,
    /// An administrator removed them.
    #[error("your user is deleted; ask your administrator")]
    UserDeleted,
    /// The time of the key is over.
    #[error("this key has expired: register another one")]
    KeyExpired,
}

/// What a key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyScope {
    /// The most that it may do.
    pub access: KeyAccess,
    /// The projects it is for; `None` for all that its owner sees.
    pub projects: Option<Vec<ProjectId>>,
}

impl KeyScope {
    /// That of a key which may do whatever its owner may.
    pub const FREE: Self = Self { access: KeyAccess::Deploy, projects: None };

    fn covers(&self, project: ProjectId) -> bool {
        self.projects.as_ref().is_none_or(|only| only.contains(&project))
    }
}

/// Somebody who wants something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub user: UserId,
    /// Whether they administrate the installation.
    pub standing: Standing,
    /// Why they may do nothing.
    pub bar: Option<Bar>,
    /// What the key is for that they came with.
    pub scope: KeyScope,
}

/// What it is wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Themselves.
    Oneself,
    /// A project.
    Project {
        /// Which one.
        id: ProjectId,
        /// What they are there for in its account; `None` when they are no member.
        role: Option<Role>,
    },
}

/// Why someone may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// They may do nothing at all.
    Barred(Bar),
    /// They may not even know that it exists.
    Unseen,
    /// They may look, but not do this.
    Forbidden,
    /// They may, but not with this key.
    Key,
}

/// Decides whether somebody may do something.
///
/// # Errors
///
/// Denied is the default: what no rule allows is refused.
pub fn authorise(who: &Who, verb: Verb, what: What) -> Result<(), Denied> {
    if let Some(bar) = who.bar {
        return Err(Denied::Barred(bar));
    }
    match what {
        What::Oneself => of_oneself(&who.scope, verb),
        What::Project { id, .. } if !who.scope.covers(id) => Err(Denied::Unseen),
        What::Project { role, .. } => {
            of_a_project(who.standing, role, verb)?;
            if who.scope.access == KeyAccess::Read && !only_looks(verb) {
                return Err(Denied::Key);
            }
            Ok(())
        }
    }
}

fn of_oneself(scope: &KeyScope, verb: Verb) -> Result<(), Denied> {
    match verb {
        Verb::Identify | Verb::ListProjects | Verb::ListKeys => Ok(()),
        // A key for less must not make one for more.
        Verb::ChangeKeys if *scope == KeyScope::FREE => Ok(()),
        Verb::ChangeKeys => Err(Denied::Key),
        Verb::Clone
        | Verb::Look
        | Verb::ReadVariables
        | Verb::Push
        | Verb::Deploy
        | Verb::Cancel
        | Verb::ChangeVariables => Err(Denied::Forbidden),
    }
}

fn of_a_project(standing: Standing, role: Option<Role>, verb: Verb) -> Result<(), Denied> {
    match (standing, role, verb) {
        (_, _, Verb::Identify | Verb::ListProjects | Verb::ListKeys | Verb::ChangeKeys) => {
            Err(Denied::Forbidden)
        }
        (Standing::Administrator, _, _)
        | (Standing::Person, Some(Role::Owner | Role::Developer), _)
        | (Standing::Person, Some(Role::Viewer), Verb::Clone | Verb::Look | Verb::ReadVariables) => {
            Ok(())
        }
        (
            Standing::Person,
            Some(Role::Viewer),
            Verb::Push | Verb::Deploy | Verb::Cancel | Verb::ChangeVariables,
        ) => Err(Denied::Forbidden),
        (Standing::Person, None, _) => Err(Denied::Unseen),
    }
}

const fn only_looks(verb: Verb) -> bool {
    matches!(verb, Verb::Clone | Verb::Look | Verb::ReadVariables)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use insta::assert_snapshot;
    use uuid::Uuid;

    use super::*;

    fn who(standing: Standing) -> Who {
        let user = Uuid::from_u128(1).into();
        Who { user, standing, bar: None, scope: KeyScope::FREE }
    }

    fn shop(role: Option<Role>) -> What {
        What::Project { id: Uuid::from_u128(2).into(), role }
    }

    fn word(decision: Result<(), Denied>) -> &'static str {
        match decision {
            Ok(()) => "yes",
            Err(Denied::Unseen) => "unseen",
            Err(Denied::Forbidden) => "no",
            Err(Denied::Key) => "key",
            Err(Denied::Barred(_)) => "barred",
        }
    }

    #[test]
    fn every_right_is_decided_for_everybody() {
        let (person, admin) = (who(Standing::Person), who(Standing::Administrator));
        let scope = KeyScope { access: KeyAccess::Read, projects: None };
        let reads = Who { scope, ..admin.clone() };
        let elsewhere = Some(vec![Uuid::from_u128(3).into()]);
        let scope = KeyScope { access: KeyAccess::Deploy, projects: elsewhere };
        let elsewhere = Who { scope, ..admin.clone() };
        let mut table = format!(
            "{:<17}oneself stranger viewer developer owner administrator read-key other-key\n",
            ""
        );
        for verb in Verb::ALL {
            let of = |who: &Who, what| word(authorise(who, *verb, what));
            writeln!(
                table,
                "{verb:<17}{:<8}{:<9}{:<7}{:<10}{:<6}{:<14}{:<9}{}",
                of(&person, What::Oneself),
                of(&person, shop(None)),
                of(&person, shop(Some(Role::Viewer))),
                of(&person, shop(Some(Role::Developer))),
                of(&person, shop(Some(Role::Owner))),
                of(&admin, shop(None)),
                of(&reads, shop(None)),
                of(&elsewhere, shop(Some(Role::Owner))),
            )
            .unwrap();
        }
        assert_snapshot!(table, @"
                         oneself stranger viewer developer owner administrator read-key other-key
        identify         yes     no       no     no        no    no            no       unseen
        list-projects    yes     no       no     no        no    no            no       unseen
        list-keys        yes     no       no     no        no    no            no       unseen
        change-keys      yes     no       no     no        no    no            no       unseen
        clone            no      unseen   yes    yes       yes   yes           yes      unseen
        look             no      unseen   yes    yes       yes   yes           yes      unseen
        read-variables   no      unseen   yes    yes       yes   yes           yes      unseen
        push             no      unseen   no     yes       yes   yes           key      unseen
        deploy           no      unseen   no     yes       yes   yes           key      unseen
        cancel           no      unseen   no     yes       yes   yes           key      unseen
        change-variables no      unseen   no     yes       yes   yes           key      unseen
        ");
    }

    #[test]
    fn who_is_barred_may_do_nothing_whatever_they_may_else() {
        for bar in [Bar::UserDisabled, Bar::UserDeleted, Bar::KeyExpired] {
            let barred = Who { bar: Some(bar), ..who(Standing::Administrator) };
            for verb in Verb::ALL {
                for what in [What::Oneself, shop(Some(Role::Owner))] {
                    assert_eq!(authorise(&barred, *verb, what), Err(Denied::Barred(bar)));
                }
            }
        }
    }

    #[test]
    fn a_key_for_less_makes_none_for_more() {
        let reads = KeyScope { access: KeyAccess::Read, projects: None };
        let one = KeyScope { access: KeyAccess::Deploy, projects: Some(Vec::new()) };
        for scope in [reads, one] {
            let who = Who { scope, ..who(Standing::Administrator) };
            assert_eq!(authorise(&who, Verb::ChangeKeys, What::Oneself), Err(Denied::Key));
            assert_eq!(authorise(&who, Verb::Identify, What::Oneself), Ok(()));
        }
    }
}
