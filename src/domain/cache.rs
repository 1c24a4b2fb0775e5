//! Whether a deployment's hooks find what earlier ones kept.

/// What becomes of the caches of hooks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cache {
    /// They are used.
    #[default]
    Used,
    /// They are dropped first.
    Dropped,
}

impl Cache {
    /// The key by which two jobs are the same one, made of the key of their variables.
    pub fn key(self, variables: String) -> String {
        match self {
            Self::Used => variables,
            Self::Dropped => format!("{variables} without cache"),
        }
    }
}
