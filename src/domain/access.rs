//! Who may do what: one decision for every door.

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

/// Whether a person administrates the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// May do everything.
    Administrator,
    /// May do what memberships allow.
    Person,
}

/// What someone wants to do with a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Clone, fetch, read Histories.
    Read,
    /// Push, redeploy, set variables.
    Deploy,
    /// Cancel a deployment.
    Cancel,
}

/// Why someone may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// They may not even know that it exists.
    Unseen,
    /// They may look, but not do this.
    Forbidden,
}

/// Decides whether a person may act on a project of an account.
///
/// `role` is the person's in that account; `None` when they are no member.
///
/// # Errors
///
/// Denied is the default: what no rule allows is refused.
pub fn authorise(standing: Standing, role: Option<Role>, action: Action) -> Result<(), Denied> {
    match (standing, role, action) {
        (Standing::Administrator, _, _)
        | (Standing::Person, Some(Role::Owner | Role::Developer), _)
        | (Standing::Person, Some(Role::Viewer), Action::Read) => Ok(()),
        (Standing::Person, Some(Role::Viewer), Action::Deploy | Action::Cancel) => {
            Err(Denied::Forbidden)
        }
        (Standing::Person, None, _) => Err(Denied::Unseen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_no_member_sees_nothing() {
        for action in [Action::Read, Action::Deploy, Action::Cancel] {
            assert_eq!(authorise(Standing::Person, None, action), Err(Denied::Unseen));
            assert_eq!(authorise(Standing::Administrator, None, action), Ok(()));
        }
    }

    #[test]
    fn a_viewer_looks_and_a_developer_deploys() {
        let viewer = |action| authorise(Standing::Person, Some(Role::Viewer), action);
        assert_eq!(viewer(Action::Read), Ok(()));
        assert_eq!(viewer(Action::Deploy), Err(Denied::Forbidden));
        assert_eq!(viewer(Action::Cancel), Err(Denied::Forbidden));
        assert_eq!(authorise(Standing::Person, Some(Role::Developer), Action::Deploy), Ok(()));
    }
}
