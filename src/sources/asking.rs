//! Somebody has a source looked at, and waits for what comes of it.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::db::acting::Acting;
use crate::db::feed::{Bell, Listener};
use crate::db::models::project::{Inactive, Project};
use crate::db::models::source::Source;
use crate::db::models::source_check::{self, NewCheck, Standing};
use crate::db::pool::{Db, Transient, told};
use crate::domain::audit::Deed;
use crate::domain::ids::{CheckId, UserId};
use crate::domain::source::{CheckPurpose, Checked};

/// Longest wait until a worker begins.
const BEGUN_WITHIN: Duration = Duration::from_secs(30);

/// Longest wait for another worker, when one fell silent.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(30);

/// Time after which what came of it is seen without a bell.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Who asks, as jobs remember it.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// Their row, if they have one.
    pub user: Option<UserId>,
    /// Their name.
    pub name: String,
    /// What they came with: the fingerprint of an SSH key, a token as [`Bearer::key`] tells it, or
    /// [`BY_PAGE`]; empty of whoever runs the server.
    ///
    /// [`Bearer::key`]: crate::people::Bearer::key
    pub fingerprint: String,
}

/// What stands where that of a key stands when somebody is signed in on the page.
pub const BY_PAGE: &str = "page";

/// Why a source was not looked at, or nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum NotChecked {
    /// The project is pushed to.
    #[error("`{0}` has no source: it is pushed to")]
    NoSource(String),
    /// Nothing of the project is deployed.
    #[error(transparent)]
    Inactive(#[from] Inactive),
    /// No worker begins.
    #[error("no worker has begun within {} s: see whether one runs, and ask again", BEGUN_WITHIN.as_secs())]
    NoWorker,
    /// The worker does not go on.
    #[error("the worker that looked has gone: ask again")]
    Left,
    /// Nothing came of it, for this reason.
    #[error("{0}")]
    Fault(String),
    /// The database does not answer.
    #[error("{}", told(.0))]
    Db(#[from] diesel::result::Error),
}

impl Transient for NotChecked {
    fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::NoSource(_)
            | Self::Inactive(_)
            | Self::NoWorker
            | Self::Left
            | Self::Fault(_) => false,
        }
    }
}

/// Has a worker look at the source of a project, and waits for what comes of it, with a listener for
/// the bells that say so.
///
/// # Errors
///
/// Why nothing came of it.
pub async fn ask(
    by: &Acting,
    project: &Project,
    purpose: CheckPurpose,
    (asking, mut bells): (Asking, Listener),
) -> Result<Checked, NotChecked> {
    project.check_active()?;
    let (name, project_id) = (project.name().to_string(), project.id);
    let entry = by.entry(Deed::CheckSource, &name).with("purpose", purpose.as_str());
    let Asking { user: user_id, name: asked_by, fingerprint } = asking;
    let id = CheckId::from(Uuid::now_v7());
    let new = NewCheck { id, project_id, purpose, user_id, asked_by, fingerprint };
    let asked = by.db.transaction(async move |connection| {
        if Source::of_project(connection, project_id).await?.is_none() {
            return Err(NotChecked::NoSource(name));
        }
        let asked = source_check::ask(connection, &new).await?;
        entry.insert(connection).await?;
        Ok(asked)
    });
    wait(&by.db, (asked.await?, id), &mut bells).await
}

/// Waits for a look; one that is our own is taken back when nobody begins it.
async fn wait(
    db: &Db,
    (id, own): (CheckId, CheckId),
    bells: &mut Listener,
) -> Result<Checked, NotChecked> {
    let asked_at = Instant::now();
    let mut silent_since = None;
    loop {
        let standing =
            db.run(async move |connection| source_check::standing(connection, id).await).await;
        let standing: Option<Standing> = standing?;
        match standing {
            None => return Err(NotChecked::Left),
            Some(Standing::Ended(came_to)) => return came_to.map_err(NotChecked::Fault),
            Some(Standing::Waiting) if asked_at.elapsed() >= BEGUN_WITHIN => {
                if id == own {
                    let taking_back = db
                        .run(async move |connection| source_check::withdraw(connection, id).await);
                    let taken_back: diesel::QueryResult<()> = taking_back.await;
                    taken_back?;
                }
                return Err(NotChecked::NoWorker);
            }
            Some(Standing::Running { expired: true }) => {
                let since = *silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= TAKEN_OVER_WITHIN {
                    return Err(NotChecked::Left);
                }
            }
            Some(Standing::Waiting | Standing::Running { expired: false }) => silent_since = None,
        }
        bells.heard_any(&[Bell::Sources], LOOK_EVERY).await;
    }
}
