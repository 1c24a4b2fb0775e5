//! What a push means: its policy, the decision about each ref, the jobs it makes, and following
//! them until each ref has its answer.
//!
//! The story of one push is [`Pushes::check`], while git still holds the objects in quarantine,
//! and then [`Pushes::handle`], when they are stored and no ref has moved yet.

mod answer;
mod choose;
mod follow;
mod handle;
mod launch;
mod policy;
mod session;
mod store;
mod update;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::jobs::Jobs;
use crate::paas::Platform;

pub use answer::{Answer, RefAnswer};
pub use follow::{Viewer, Watched};
pub use policy::{Refusal, rejected};
pub use session::{PushSession, SessionKey, Sessions, Stage, Ticket};
pub use update::{BadUpdate, RawUpdate, Update};

/// Where lines for the pusher go. A reader that falls behind is waited for; nobody else is.
pub type Lines = mpsc::Sender<String>;

/// Everything that pushes are handled with.
#[derive(Debug, Clone)]
pub struct Pushes {
    /// Jobs, and the refs they move.
    pub jobs: Jobs,
    /// Follows jobs for people.
    pub viewer: Viewer,
    /// Name of the deployment file.
    pub paas_file: String,
    /// What files are compiled with.
    pub platform: Arc<Platform>,
    /// File of the key with which launch variables are sealed that are secret.
    pub public_key: PathBuf,
    /// Most refs of one push.
    pub max_refs: NonZeroUsize,
    /// Most files of a commit that is deployed.
    pub max_files: u64,
}
