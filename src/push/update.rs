//! One ref that a push wants changed.

use serde::{Deserialize, Serialize};

use crate::domain::git_ref::{BadRefName, RefName};
use crate::domain::oid::{BadOid, Oid};

/// An update as git told it to a hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawUpdate {
    /// Object id the pusher saw; zeros: no such ref.
    pub old: String,
    /// Object id pushed; zeros: a deletion.
    pub new: String,
    /// Full name.
    pub name: String,
}

/// An update that can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The ref.
    pub name: RefName,
    /// What the pusher saw; `None`: no such ref.
    pub old: Option<Oid>,
    /// What was pushed; `None`: a deletion.
    pub new: Option<Oid>,
}

/// Why an update cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUpdate {
    /// The name.
    #[error(transparent)]
    Name(#[from] BadRefName),
    /// An object id.
    #[error(transparent)]
    Oid(#[from] BadOid),
}

impl TryFrom<&RawUpdate> for Update {
    type Error = BadUpdate;

    fn try_from(raw: &RawUpdate) -> Result<Self, BadUpdate> {
        Ok(Self {
            name: raw.name.parse()?,
            old: Oid::from_wire(&raw.old)?,
            new: Oid::from_wire(&raw.new)?,
        })
    }
}
