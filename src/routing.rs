//! The routes that entrances serve: followed by each, and waited for by whoever changes them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};
use uuid::Uuid;

use crate::db::feed::{Bell, Feed, Listener};
use crate::db::models::{route, router};
use crate::db::pool::Db;
use crate::domain::ids::RouteVersion;
use crate::domain::route::RouteTable;
use crate::tasks::Tasks;

/// Time after which routes are read again without a bell, and a router shows that it is alive.
const INTERVAL: Duration = Duration::from_secs(5);

/// Silence in seconds after which a router is taken for dead, and somewhat more.
const ALIVE_WITHIN: i32 = 15;
const SILENT_AFTER: Duration = Duration::from_secs(16);

/// Longest wait without a bell between two looks at the versions that routers serve.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Time a router has to say that it is gone. When it cannot, it is taken for dead soon.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// Reads the routes, then keeps them up to date and tells which version is served.
///
/// While the database is away the routes stay as they are. A router that cannot read them at all
/// waits, because to answer that nothing is deployed would be a lie; `None` when it is asked to
/// stop meanwhile.
pub async fn follow(
    db: &Db,
    feed: &Feed,
    tasks: &Tasks,
) -> Option<watch::Receiver<Arc<RouteTable>>> {
    // Subscribed before anything is read: a change in between is either read or heard.
    let listener = feed.subscribe();
    let (routes, receiver) = watch::channel(Arc::default());
    let id = Uuid::now_v7().to_string();
    let mut router = Router { db: db.clone(), id, routes, served: None };
    loop {
        tokio::select! {
            () = tasks.stopping() => return None,
            () = router.look() => {}
        }
        if router.served.is_some() {
            break;
        }
        tasks.pause(INTERVAL).await;
    }
    drop(tasks.start(router.go_on(listener, tasks.clone())));
    Some(receiver)
}

/// One running entrance, as others see it.
struct Router {
    db: Db,
    /// Another one at each start: what the one before served says nothing about this one.
    id: String,
    routes: watch::Sender<Arc<RouteTable>>,
    served: Option<RouteVersion>,
}

impl Router {
    async fn go_on(mut self, mut listener: Listener, tasks: Tasks) {
        let looks = async {
            loop {
                listener.heard_any(&[Bell::Routes], INTERVAL).await;
                self.look().await;
            }
        };
        tokio::select! {
            () = tasks.stopping() => {}
            () = looks => {}
        }
        self.leave().await;
    }

    /// Serves what the rows say, then says so.
    async fn look(&mut self) {
        match self.serve().await {
            Ok(version) if self.served == Some(version) => {}
            Ok(version) => {
                info!(routes.version = version.0, "Serving version {version} of the routes");
                self.served = Some(version);
            }
            Err(error) => warn!("Could not follow the routes, they stay as they are: {error}"),
        }
    }

    async fn serve(&self) -> diesel::QueryResult<RouteVersion> {
        let (version, routes) = self.db.run(route::all).await?;
        self.routes.send_replace(Arc::new(RouteTable::new(routes)));
        // After the table is in place: from now on somebody may stop what it no longer names.
        let id = self.id.clone();
        self.db.run(async move |connection| router::report(connection, &id, version).await).await?;
        Ok(version)
    }

    async fn leave(self) {
        let id = self.id;
        let leave = self.db.run(async move |connection| router::leave(connection, &id).await);
        match tokio::time::timeout(LEAVE_LIMIT, leave).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => info!("Could not say that this router is gone: {error}"),
            Err(_elapsed) => info!("Could not say in time that this router is gone"),
        }
    }
}

/// Why a version of the routes is not served everywhere.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    /// There is nobody to serve it.
    #[error("no router is running: start `pierhead router`, or `pierhead serve`")]
    NoRouter,
    /// Those there are still serve an older one.
    #[error("{behind} of {alive} routers did not take over the routes in time")]
    Late {
        /// How many do.
        behind: usize,
        /// How many there are.
        alive: usize,
    },
    /// Nobody knows.
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
}

/// Waits until every router that is alive serves this version or a later one: at most for so long
/// until the first does, and then until the others do or fall silent.
///
/// A router that is behind has told nothing since the routes changed: it stands still, or it was
/// killed a moment ago and nobody will hear of it again.
///
/// # Errors
///
/// At once when no router is alive; when all are late; when the database does not answer.
pub async fn wait_until_served(
    db: &Db,
    feed: &Feed,
    version: RouteVersion,
    at_most: Duration,
) -> Result<(), NotServed> {
    let began = Instant::now();
    // Subscribed before anything is read: a report in between is either read or heard.
    let mut listener = feed.subscribe();
    loop {
        let served: Vec<RouteVersion> =
            db.run(async |connection| router::served(connection, ALIVE_WITHIN).await).await?;
        let (alive, behind) = (served.len(), served.iter().filter(|at| **at < version).count());
        let limit = if behind < alive { at_most + SILENT_AFTER } else { at_most };
        let left = limit.saturating_sub(began.elapsed());
        match behind {
            _ if alive == 0 => return Err(NotServed::NoRouter),
            0 => return Ok(()),
            behind if left.is_zero() => return Err(NotServed::Late { behind, alive }),
            _ => listener.heard_any(&[Bell::Routers], left.min(LOOK_AGAIN)).await,
        }
    }
}
