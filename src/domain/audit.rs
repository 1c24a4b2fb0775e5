//! Who changes something, and what is noted of it.

use crate::domain::ids::UserId;
use crate::domain::words::words;

words! {
    /// Where somebody came in who changed something.
    Entrance, "door (admin, ssh, api, web)" {
        /// The server's own terminal.
        Admin = "admin",
        /// SSH, with a key.
        Ssh = "ssh",
        /// The JSON API, with a token.
        Api = "api",
        /// The page, signed in.
        Web = "web",
    }
}

words! {
    /// What somebody did.
    Deed, "deed" {
        /// Added a person.
        CreateUser = "create-user",
        /// Changed what is known of a person, or whether they may come in.
        ChangeUser = "change-user",
        /// Gave a person a new one-time password.
        ResetPassword = "reset-password",
        /// Chose a password of their own.
        ChangePassword = "change-password",
        /// Has codes of a phone asked for from now on, when they sign in.
        SetSecondFactor = "set-second-factor",
        /// Has a password be enough again, their own or somebody else's.
        UnsetSecondFactor = "unset-second-factor",
        /// Came in by the page.
        SignIn = "sign-in",
        /// Shut a person out for good, until they are restored.
        DeleteUser = "delete-user",
        /// Took the deletion of a person back.
        RestoreUser = "restore-user",
        /// Removed what was known of a person.
        PurgeUser = "purge-user",
        /// Registered a key.
        CreateKey = "create-key",
        /// Removed a key.
        DeleteKey = "delete-key",
        /// Made a token.
        CreateToken = "create-token",
        /// Ended a token.
        DeleteToken = "delete-token",
        /// Added an account.
        CreateAccount = "create-account",
        /// Changed an account.
        ChangeAccount = "change-account",
        /// Deleted an account.
        DeleteAccount = "delete-account",
        /// Took the deletion of an account back.
        RestoreAccount = "restore-account",
        /// Removed an account with all that belongs to it.
        PurgeAccount = "purge-account",
        /// Made somebody a member, or gave them another role.
        SetMember = "set-member",
        /// Took a membership away.
        DeleteMember = "delete-member",
        /// Added a project.
        CreateProject = "create-project",
        /// Changed a project.
        ChangeProject = "change-project",
        /// Deleted a project.
        DeleteProject = "delete-project",
        /// Took the deletion of a project back.
        RestoreProject = "restore-project",
        /// Removed a project with all that belongs to it.
        PurgeProject = "purge-project",
        /// Added a target.
        CreateCluster = "create-cluster",
        /// Changed a target.
        ChangeCluster = "change-cluster",
        /// Took a target away.
        DeleteCluster = "delete-cluster",
        /// Set a deploy rule.
        SetRule = "set-rule",
        /// Took a deploy rule away.
        DeleteRule = "delete-rule",
        /// Set the registry of a project.
        SetRegistry = "set-registry",
        /// Took the registry of a project away.
        UnsetRegistry = "unset-registry",
        /// Said where the commits of a project come from.
        SetSource = "set-source",
        /// Has a project take pushes again.
        UnsetSource = "unset-source",
        /// Had a worker look at the source of a project.
        CheckSource = "check-source",
        /// Set a variable.
        SetVariable = "set-variable",
        /// Took a variable away.
        UnsetVariable = "unset-variable",
        /// Sealed every secret anew.
        Reseal = "reseal",
        /// Pushed; the record of pushes has its refs.
        Push = "push",
        /// Asked for a deployment without a push.
        Redeploy = "redeploy",
        /// Asked for a release that has served before.
        Rollback = "rollback",
        /// Asked for the end of a deployment.
        Cancel = "cancel",
    }
}

/// Somebody who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// How they came in.
    pub entrance: Entrance,
    /// Their e-mail address, or their name on the server.
    pub who: String,
    /// Their row, if they have one.
    pub user: Option<UserId>,
    /// The fingerprint of the key that signed, or the name of the token that was shown.
    pub key: Option<String>,
    /// The address, or the machine.
    pub origin: String,
}
