//! The keys that a worker starts with. New ones are never made in the place of others.

use std::path::PathBuf;

use tracing::warn;

use crate::config::SealConfig;
use crate::db::models::sealed::{KeyUse, key_uses};
use crate::db::pool::Db;
use crate::seal::{KeyError, Keyring, are_to_be_made, load_or_make};

/// Why a worker has no keys.
#[derive(Debug, thiserror::Error)]
pub enum WorkerKeysError {
    /// Their files.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What is sealed with them.
    #[error("PostgreSQL: {0}")]
    Rows(#[from] diesel::result::Error),
    /// There were others.
    #[error(
        "there is no private sealing key {}, and the database has what only others open: {uses}; \
         bring its file back, or, when it is lost for good, run `pierhead keygen`, set \
         secrets and passwords of registries anew, and push again",
        path.display()
    )]
    Others {
        /// Where the private key should be.
        path: PathBuf,
        /// The ids of the others, and what they open.
        uses: String,
    },
}

/// Reads the keys of a worker; at the first start of all they are made.
///
/// What they do not open of that which somebody still wants to open, is told to the operator.
///
/// # Errors
///
/// When they cannot be used or made, or are to be made though there were others.
pub async fn worker_keys(db: &Db, settings: &SealConfig) -> Result<Keyring, WorkerKeysError> {
    // Rows before files: a worker that has just made the keys may have sealed something with them.
    let mut uses = db.run(async move |connection| key_uses(connection).await).await?;
    if are_to_be_made(settings) && !uses.is_empty() {
        let path = settings.private_keys.first().cloned().unwrap_or_default();
        return Err(WorkerKeysError::Others { path, uses: told(&uses) });
    }
    let keyring = load_or_make(settings)?;
    uses.retain(|of| !keyring.opener.has(&of.key));
    if !uses.is_empty() {
        warn!(
            "None of seal.private_keys opens what is sealed for {}: add the file of that key, or set \
             it anew and push again; `pierhead admin reseal` names it",
            told(&uses)
        );
    }
    Ok(keyring)
}

/// `key 908e07425e1bcfb1 (2 variables, 1 live release), key …`
fn told(uses: &[KeyUse]) -> String {
    let of_key =
        |KeyUse { key, variables, registries, clusters, sources, releases, jobs }: &KeyUse| {
            let counts = [
                (*variables, "variable", "variables"),
                (*registries, "registry password", "registry passwords"),
                (*clusters, "cluster login", "cluster logins"),
                (*sources, "source login", "source logins"),
                (*releases, "live release", "live releases"),
                (*jobs, "open job", "open jobs"),
            ];
            let count = |(count, one, more)| match count {
                0 => None,
                1 => Some(format!("1 {one}")),
                count => Some(format!("{count} {more}")),
            };
            let counts: Vec<_> = counts.into_iter().filter_map(count).collect();
            format!("key {key} ({})", counts.join(", "))
        };
    uses.iter().map(of_key).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_counted_by_key() {
        let none = |key: &str| KeyUse {
            key: key.to_owned(),
            variables: 0,
            registries: 0,
            clusters: 0,
            sources: 0,
            releases: 0,
            jobs: 0,
        };
        let uses = [
            KeyUse { variables: 2, releases: 1, ..none("a") },
            KeyUse { registries: 1, jobs: 3, ..none("b") },
        ];
        assert_eq!(
            told(&uses),
            "key a (2 variables, 1 live release), key b (1 registry password, 3 open jobs)"
        );
    }
}
