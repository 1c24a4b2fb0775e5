//! Who may do what: one decision for every door.

use serde::Serialize;

use crate::domain::ids::{AccountId, ProjectId, UserId};
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
        /// List one's own tokens.
        ListTokens = "list-tokens",
        /// Make and end one's own tokens.
        ChangeTokens = "change-tokens",
        /// Change one's own password.
        ChangePassword = "change-password",
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
        /// Change and delete a project, and say which of its refs deploy where.
        ChangeProject = "change-project",
        /// Say where a project is deployed to, and where its images go.
        ChangeTargets = "change-targets",
        /// Read what an account grants, and who is there.
        LookAtAccount = "look-at-account",
        /// Say who is there in an account, and for what.
        ChangeMembers = "change-members",
        /// Add a project to an account.
        CreateProject = "create-project",
        /// Read who there is, and who changed what.
        Inspect = "inspect",
        /// Add, change and delete people and accounts.
        Administrate = "administrate",
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
    /// The time of the token is over.
    #[error("this token has expired: make another one")]
    TokenExpired,
}

/// What a key or a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyScope {
    /// The most that it may do.
    pub access: KeyAccess,
    /// The account it is for; `None` for all that its owner sees.
    pub account: Option<AccountId>,
    /// The projects it is for; `None` for all that its owner sees.
    pub projects: Option<Vec<ProjectId>>,
}

impl KeyScope {
    /// That of a key which may do whatever its owner may.
    pub const FREE: Self = Self { access: KeyAccess::Deploy, account: None, projects: None };

    /// Whether it is for everything that its owner sees.
    const fn is_wide(&self) -> bool {
        self.account.is_none() && self.projects.is_none()
    }

    fn covers_project(&self, project: ProjectId, account: AccountId) -> bool {
        self.account.is_none_or(|only| only == account)
            && self.projects.as_ref().is_none_or(|only| only.contains(&project))
    }

    fn covers_account(&self, account: AccountId) -> bool {
        self.account.is_none_or(|only| only == account) && self.projects.is_none()
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
        /// The account it belongs to.
        account: AccountId,
        /// What they are there for in its account; `None` when they are no member.
        role: Option<Role>,
    },
    /// An account.
    Account {
        /// Which one.
        id: AccountId,
        /// What they are there for; `None` when they are no member.
        role: Option<Role>,
    },
    /// All of it: people, accounts, and the audit log.
    Installation,
}

/// What kinds of things rights are wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Themselves.
    Oneself,
    /// A project.
    Project,
    /// An account.
    Account,
    /// All of it.
    Installation,
}

impl Verb {
    /// What it is wanted of.
    pub const fn subject(self) -> Subject {
        match self {
            Self::Identify
            | Self::ListProjects
            | Self::ListKeys
            | Self::ChangeKeys
            | Self::ListTokens
            | Self::ChangeTokens
            | Self::ChangePassword => Subject::Oneself,
            Self::Clone
            | Self::Look
            | Self::ReadVariables
            | Self::Push
            | Self::Deploy
            | Self::Cancel
            | Self::ChangeVariables
            | Self::ChangeProject
            | Self::ChangeTargets => Subject::Project,
            Self::LookAtAccount | Self::ChangeMembers | Self::CreateProject => Subject::Account,
            Self::Inspect | Self::Administrate => Subject::Installation,
        }
    }

    /// Whether nothing is changed by it.
    const fn only_looks(self) -> bool {
        matches!(
            self,
            Self::Identify
                | Self::ListProjects
                | Self::ListKeys
                | Self::ListTokens
                | Self::Clone
                | Self::Look
                | Self::ReadVariables
                | Self::LookAtAccount
                | Self::Inspect
        )
    }
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
        What::Oneself => return of_oneself(&who.scope, verb),
        What::Project { id, account, .. } if !who.scope.covers_project(id, account) => {
            return Err(Denied::Unseen);
        }
        What::Account { id, .. } if !who.scope.covers_account(id) => return Err(Denied::Unseen),
        What::Project { role, .. } => of_a_project(who.standing, role, verb)?,
        What::Account { role, .. } => of_an_account(who.standing, role, verb)?,
        What::Installation => of_the_installation(who.standing, verb)?,
    }
    let is_for_it = what != What::Installation || who.scope.is_wide();
    if is_for_it && (who.scope.access == KeyAccess::Deploy || verb.only_looks()) {
        Ok(())
    } else {
        Err(Denied::Key)
    }
}

fn of_oneself(scope: &KeyScope, verb: Verb) -> Result<(), Denied> {
    match (verb.subject(), verb) {
        // A key for less must not make one for more.
        (Subject::Oneself, Verb::ChangeKeys | Verb::ChangeTokens | Verb::ChangePassword)
            if *scope != KeyScope::FREE =>
        {
            Err(Denied::Key)
        }
        (Subject::Oneself, _) => Ok(()),
        (Subject::Project | Subject::Account | Subject::Installation, _) => Err(Denied::Forbidden),
    }
}

fn of_a_project(standing: Standing, role: Option<Role>, verb: Verb) -> Result<(), Denied> {
    if verb.subject() != Subject::Project {
        return Err(Denied::Forbidden);
    }
    let changes_it = verb == Verb::ChangeProject;
    // An address of a target is one of this machine's files, or anything in its network.
    let for_administrators = verb == Verb::ChangeTargets;
    match (standing, role) {
        (Standing::Administrator, _) => Ok(()),
        (Standing::Person, None) => Err(Denied::Unseen),
        (Standing::Person, Some(Role::Owner)) if !for_administrators => Ok(()),
        (Standing::Person, Some(Role::Developer)) if !for_administrators && !changes_it => Ok(()),
        (Standing::Person, Some(Role::Viewer)) if verb.only_looks() => Ok(()),
        (Standing::Person, Some(Role::Owner | Role::Developer | Role::Viewer)) => {
            Err(Denied::Forbidden)
        }
    }
}

fn of_an_account(standing: Standing, role: Option<Role>, verb: Verb) -> Result<(), Denied> {
    if verb.subject() != Subject::Account {
        return Err(Denied::Forbidden);
    }
    match (standing, role) {
        (Standing::Administrator, _) | (Standing::Person, Some(Role::Owner)) => Ok(()),
        (Standing::Person, None) => Err(Denied::Unseen),
        (Standing::Person, Some(Role::Developer | Role::Viewer)) if verb.only_looks() => Ok(()),
        (Standing::Person, Some(Role::Developer | Role::Viewer)) => Err(Denied::Forbidden),
    }
}

fn of_the_installation(standing: Standing, verb: Verb) -> Result<(), Denied> {
    match (standing, verb.subject()) {
        (Standing::Administrator, Subject::Installation) => Ok(()),
        (Standing::Administrator, Subject::Oneself | Subject::Project | Subject::Account)
        | (Standing::Person, _) => Err(Denied::Forbidden),
    }
}

#[cfg(test)]
mod tests;
