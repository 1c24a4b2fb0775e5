//! `pierhead keygen`: a pair of keys for sealing secrets.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{note, say};
use crate::config::SealConfig;
use crate::seal::{KeyError, make_pair};

/// Where the keys are put.
#[derive(Debug, Args)]
pub(super) struct Keygen {
    /// A folder for `private.pem` and `public.pem`; without one they are made where the
    /// configuration has them.
    folder: Option<PathBuf>,
}

impl Keygen {
    /// Makes the keys, prints their id, and says what to do with them.
    pub(super) fn run(self, settings: &SealConfig) -> Result<(), KeyError> {
        let next = self.folder.is_some();
        let (private, public) = match self.folder {
            Some(folder) => (folder.join("private.pem"), folder.join("public.pem")),
            None => {
                let private = settings.private_keys.first().cloned().unwrap_or_default();
                (private, settings.public_key.clone())
            }
        };
        let id = make_pair(&private, &public)?;
        note(&format!("Made {} and {}.", private.display(), public.display()));
        note("Only workers may read the private key. Keep a copy: nothing opens without it.");
        if next {
            note(&format!(
                "To rotate: add {} to seal.private_keys and set seal.public_key to {}. Restart \
                 workers, then ssh and web (or pierhead.service): whoever was started before seals \
                 with the old key. Run `pierhead admin reseal`, and once more: take the old key out \
                 when the second one says that 0 values were sealed anew.",
                private.display(),
                public.display()
            ));
        }
        say(&id);
        Ok(())
    }
}
