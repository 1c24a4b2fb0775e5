//! Why a use case did not do what was asked, sorted for the doors that tell it: pages and the API.

use diesel::result::Error;

use crate::db::models::project::Inactive;
use crate::db::pool::{Transient as _, is_refusal};
use crate::domain::access::{Bar, Denied};
use crate::domain::variables::BadVariable;
use crate::jobs::{JobsError, NoRollback};
use crate::people::PeopleError;
use crate::projects::ProjectError;
use crate::questions::NoAnswer;
use crate::sources::NotChecked;

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Something that is needed is away; what, is for the log.
    Unavailable(String),
    /// A worker is needed that does not answer.
    Silent(String),
    /// Something is wrong here; what, is for the log.
    Broken(String),
    /// They may do nothing at all.
    Barred(Bar),
    /// What is asked for is not there, or not theirs to know of.
    NotFound(String),
    /// They may look, but not do this.
    Forbidden(String),
    /// They may, but not with what they came with.
    Narrow(String),
    /// Something that is named besides is not there.
    Missing(String),
    /// Somebody else was faster.
    Changed(String),
    /// It cannot be done as things stand.
    Conflict(String),
    /// What was sent cannot be stored: the field, if it is known, and why.
    Invalid(Option<&'static str>, String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if is_refusal(&error) {
            Self::Invalid(None, "the database refuses what was sent".to_owned())
        } else if error.is_transient() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Broken(error.to_string())
        }
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Barred(bar) => Self::Barred(bar),
            Denied::Unseen => Self::NotFound("what you ask for is not found".to_owned()),
            Denied::Forbidden => Self::Forbidden("you may look at this at most".to_owned()),
            Denied::Key => Self::Narrow("the token that you came with is for less".to_owned()),
        }
    }
}

impl From<Inactive> for Refusal {
    fn from(inactive: Inactive) -> Self {
        Self::Conflict(inactive.to_string())
    }
}

impl From<JobsError> for Refusal {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Db(error) => error.into(),
            JobsError::Git(error) => Self::Broken(error.to_string()),
        }
    }
}

impl From<NoRollback> for Refusal {
    fn from(error: NoRollback) -> Self {
        let text = error.to_string();
        match error {
            NoRollback::Jobs(error) => error.into(),
            NoRollback::Unknown { .. } => Self::Missing(text),
            NoRollback::NeverServed(_) | NoRollback::Serves(_) | NoRollback::Nothing(_) => {
                Self::Conflict(text)
            }
        }
    }
}

impl From<NoAnswer> for Refusal {
    fn from(error: NoAnswer) -> Self {
        let text = error.to_string();
        match error {
            NoAnswer::Db(error) => error.into(),
            NoAnswer::NoWorker | NoAnswer::Left => Self::Silent(text),
            NoAnswer::Fault(_) => Self::Conflict(text),
        }
    }
}

impl From<NotChecked> for Refusal {
    fn from(error: NotChecked) -> Self {
        let text = error.to_string();
        match error {
            NotChecked::Db(error) => error.into(),
            NotChecked::NoWorker | NotChecked::Left => Self::Silent(text),
            NotChecked::NoSource(_) => Self::Missing(text),
            NotChecked::Inactive(_) | NotChecked::Fault(_) => Self::Conflict(text),
        }
    }
}

impl From<ProjectError> for Refusal {
    fn from(error: ProjectError) -> Self {
        let text = error.to_string();
        match error {
            ProjectError::Db(error) => error.into(),
            ProjectError::NoKey | ProjectError::Seal(_) => Self::Unavailable(text),
            ProjectError::Barred(bar) => Self::Barred(bar),
            ProjectError::NotFound(_) => Self::NotFound(text),
            ProjectError::NoEnvironment { .. }
            | ProjectError::NoRelease { .. }
            | ProjectError::NoVariable { .. }
            | ProjectError::NoUser(_)
            | ProjectError::Ambiguous { .. } => Self::Missing(text),
            ProjectError::Forbidden(_) => Self::Forbidden(text),
            ProjectError::Key(name) => {
                Self::Narrow(format!("the token that you came with may only read `{name}`"))
            }
            ProjectError::Changed(_) => Self::Changed(text),
            ProjectError::Exists(_)
            | ProjectError::Deleted(_)
            | ProjectError::NotDeleted(_)
            | ProjectError::Busy(_)
            | ProjectError::NothingLive(_)
            | ProjectError::SamePlace(_)
            | ProjectError::NamespaceInUse(_) => Self::Conflict(text),
            ProjectError::Label(_) => Self::Invalid(Some("name"), text),
            ProjectError::Part(_, "a prefix") => Self::Invalid(Some("prefix"), text),
            ProjectError::Part(_, "a namespace") => Self::Invalid(Some("namespace"), text),
            ProjectError::Part(..) => Self::Invalid(Some("namespace_prefix"), text),
            ProjectError::Quota { .. } => Self::Invalid(Some("quotas"), text),
            ProjectError::RuleTwice(_) => Self::Invalid(Some("items"), text),
            ProjectError::Branch(_) => Self::Invalid(Some("default_branch"), text),
            ProjectError::Source(_) => Self::Invalid(None, text),
            ProjectError::Address(_) => Self::Invalid(Some("address"), text),
            // Its name stands in the address.
            ProjectError::Variable(BadVariable::Name(_) | BadVariable::Reserved(_)) => {
                Self::Invalid(None, text)
            }
            ProjectError::Variable(_) | ProjectError::TooManyVariables => {
                Self::Invalid(Some("value"), text)
            }
            ProjectError::Login | ProjectError::LoginElsewhere => {
                Self::Invalid(Some("login"), text)
            }
        }
    }
}

impl From<PeopleError> for Refusal {
    fn from(error: PeopleError) -> Self {
        let text = error.to_string();
        match error {
            PeopleError::Db(error) => error.into(),
            PeopleError::Hash(_) => Self::Broken(text),
            PeopleError::NoUser(_)
            | PeopleError::NoSecondFactor(_)
            | PeopleError::NoKey(_)
            | PeopleError::NoToken(_) => Self::Missing(text),
            PeopleError::Changed(_) => Self::Changed(text),
            PeopleError::UserExists(_)
            | PeopleError::UserDeleted(_)
            | PeopleError::NotDeleted(_)
            | PeopleError::KeyExists
            | PeopleError::KeyTaken
            | PeopleError::TooManyKeys
            | PeopleError::TooManyTokens => Self::Conflict(text),
            PeopleError::Email(_) => Self::Invalid(Some("email"), text),
            PeopleError::Name(_) => Self::Invalid(Some("name"), text),
            PeopleError::Key(_) => Self::Invalid(Some("public_key"), text),
            PeopleError::Past | PeopleError::TokenTime => Self::Invalid(Some("expires_at"), text),
        }
    }
}

/// Lets an error of use cases be told by a door that tells refusals.
macro_rules! told_by {
    ($door:ty: $($error:ty)*) => {$(
        impl From<$error> for $door {
            fn from(error: $error) -> Self {
                $crate::web::refusal::Refusal::from(error).into()
            }
        }
    )*};
}
pub(super) use told_by;
