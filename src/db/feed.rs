//! Bells that `PostgreSQL` rings: "look again". The rows say what there is to see.

use std::time::Duration;

use diesel::sql_query;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::StreamExt;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};
use uuid::Uuid;

use crate::db::pool::connect;
use crate::domain::ids::{JobId, QuestionId};
use crate::tasks::Tasks;

/// Bells a listener may lag behind. Past it the listener is told to look at everything again,
/// which costs one query.
const BACKLOG: usize = 4_096;

/// Silence after which the connection is tried: a half-open one gives no sign of its own.
const PING: Duration = Duration::from_secs(30);

/// Pauses between two tries to connect: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What is listened to.
const CHANNELS: [&str; 8] =
    ["history", "cancel", "routes", "routers", "outbox", "questions", "answers", "sources"];

/// What there may be to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bell {
    /// This job's History grew.
    History(JobId),
    /// Somebody asked for this job to be cancelled.
    Cancel(JobId),
    /// Routes changed.
    Routes,
    /// A router serves another version.
    Routers,
    /// There are bells to ring in Redis.
    Outbox,
    /// Somebody asked workers something.
    Questions,
    /// A worker said something about this question.
    Answers(QuestionId),
    /// A source is to be looked at, or was.
    Sources,
    /// Bells may have been missed: look at everything.
    Everything,
}

/// One connection that listens for the whole process.
#[derive(Debug, Clone)]
pub struct Feed {
    bells: broadcast::Sender<Bell>,
}

/// Hears the bells rung after it was made.
#[derive(Debug)]
pub struct Listener {
    bells: broadcast::Receiver<Bell>,
}

impl Feed {
    /// Starts listening; connects again whenever the connection is lost.
    pub fn start(url: &str, tasks: &Tasks) -> Self {
        let (bells, _) = broadcast::channel(BACKLOG);
        let feed = Self { bells };
        drop(tasks.start(feed.clone().listen(url.to_owned(), tasks.clone())));
        feed
    }

    /// A listener for what is rung from now on.
    ///
    /// Subscribe before reading rows: what is written in between is then either read or heard.
    pub fn subscribe(&self) -> Listener {
        Listener { bells: self.bells.subscribe() }
    }

    async fn listen(self, url: String, tasks: Tasks) {
        let (mut pause, longest) = PAUSES;
        while !tasks.is_stopping() {
            match connect(&url).await {
                Ok(mut connection) => {
                    pause = PAUSES.0;
                    tokio::select! {
                        () = tasks.stopping() => return,
                        ended = self.forward(&mut connection) => {
                            if let Err(error) = ended {
                                info!("Lost the connection that listens: {error}");
                            }
                        }
                    }
                }
                Err(error) => {
                    warn!("Could not connect to listen: {error}");
                    tasks.pause(pause).await;
                    pause = (pause * 2).min(longest);
                }
            }
        }
    }

    /// Passes notifications on until the connection breaks.
    async fn forward(&self, connection: &mut AsyncPgConnection) -> diesel::QueryResult<()> {
        for channel in CHANNELS {
            sql_query(format!("LISTEN {channel}")).execute(connection).await?;
        }
        self.ring(Bell::Everything);
        loop {
            let next = {
                let mut notifications = std::pin::pin!(connection.notifications_stream());
                tokio::time::timeout(PING, notifications.next()).await
            };
            match next {
                Ok(Some(notification)) => {
                    let notification = notification?;
                    self.ring(bell(&notification.channel, &notification.payload));
                }
                Ok(None) => return Ok(()),
                Err(_silence) => {
                    let ping = sql_query("SELECT 1").execute(connection);
                    match tokio::time::timeout(PING, ping).await {
                        Ok(answer) => drop(answer?),
                        Err(_silence) => return Ok(()),
                    }
                }
            }
        }
    }

    fn ring(&self, bell: Bell) {
        // Nobody listening is no fault: whoever comes later reads the rows first.
        drop(self.bells.send(bell));
    }
}

fn bell(channel: &str, payload: &str) -> Bell {
    match (channel, payload.parse::<Uuid>()) {
        ("history", Ok(job)) => Bell::History(job.into()),
        ("cancel", Ok(job)) => Bell::Cancel(job.into()),
        ("routes", _) => Bell::Routes,
        ("routers", _) => Bell::Routers,
        ("outbox", _) => Bell::Outbox,
        ("questions", _) => Bell::Questions,
        ("answers", Ok(question)) => Bell::Answers(question.into()),
        ("sources", _) => Bell::Sources,
        _ => Bell::Everything,
    }
}

impl Listener {
    /// Waits for the next bell.
    pub async fn heard(&mut self) -> Bell {
        match self.bells.recv().await {
            Ok(bell) => bell,
            Err(RecvError::Lagged(_)) => Bell::Everything,
            // The feed lives as long as its process; a listener that outlives it waits for the end.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    /// Waits until one of these, or `Everything`, is rung, at most for so long.
    pub async fn heard_any(&mut self, wanted: &[Bell], at_most: Duration) {
        let wait = async {
            loop {
                let bell = self.heard().await;
                if bell == Bell::Everything || wanted.contains(&bell) {
                    return;
                }
            }
        };
        // Waiting in vain is an answer too: the caller reads the rows again either way.
        drop(tokio::time::timeout(at_most, wait).await);
    }
}
