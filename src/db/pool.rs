//! Connections to PostgreSQL, and what is repeated when they break.

use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::{BuildError, Object, Pool};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures::FutureExt;
use futures::future::BoxFuture;

/// How long work is repeated while the database is away: a restart is survived, and a worker
/// still gives up before its lease ends.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest wait for a free connection.
const CHECKOUT: Duration = Duration::from_secs(5);

/// Waits between two tries: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What every connection is told first. A statement or a transaction that hangs must not hold an
/// environment's lock for longer than a lease lasts.
const SETTINGS: &str = "SET statement_timeout = '15s'; \
     SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '20s'; \
     SET client_min_messages = 'warning'; \
     SET timezone = 'UTC'";

/// A pool of connections to one database.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("pool", &self.pool.status()).finish()
    }
}

/// An error that knows whether the same work may succeed when it is repeated.
pub trait Transient: From<Error> {
    /// Whether repeating may help.
    fn is_transient(&self) -> bool;
}

impl Transient for Error {
    #[expect(clippy::wildcard_enum_match_arm, reason = "of a foreign enum only some kinds pass")]
    fn is_transient(&self) -> bool {
        match self {
            Self::DatabaseError(kind, information) => match kind {
                DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ClosedConnection => true,
                // Diesel has no kinds for these, and their texts are those of the server.
                DatabaseErrorKind::Unknown => [
                    "deadlock detected",
                    "terminating connection",
                    "the database system is",
                    "canceling statement due to lock timeout",
                ]
                .iter()
                .any(|text| information.message().contains(text)),
                _ => false,
            },
            Self::BrokenTransactionManager => true,
            _ => false,
        }
    }
}

/// What people are told who cannot mend it. The error itself is for the log.
pub fn told(error: &Error) -> &'static str {
    if error.is_transient() {
        "the server cannot reach its database; try again"
    } else {
        "the server could not do it; its log says why"
    }
}

/// Whether the tables refuse what was to be stored: whoever asked for it can ask for something else.
pub const fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(
            DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation,
            _
        )
    )
}

/// Work on one connection. It is cloned for every try, because a connection may break.
///
/// Implemented by every `async move |connection| …` whose captures can be cloned and whose future
/// can move between threads.
pub trait Work<'c, T, E>: FnOnce(&'c mut AsyncPgConnection) -> Self::Future {
    /// The work under way.
    type Future: Future<Output = Result<T, E>> + Send;
}

impl<'c, T, E, F, U> Work<'c, T, E> for F
where
    F: FnOnce(&'c mut AsyncPgConnection) -> U,
    U: Future<Output = Result<T, E>> + Send,
{
    type Future = U;
}

impl Db {
    /// Prepares a pool; connections are made when they are needed.
    ///
    /// `url` is a libpq connection URI, a Unix socket's folder goes into `host`.
    ///
    /// # Errors
    ///
    /// When the pool cannot be built from these settings.
    pub fn open(url: &str, connections: usize) -> Result<Self, BuildError> {
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(|url| connect(url).boxed());
        let manager = AsyncDieselConnectionManager::new_with_config(url, config);
        let pool = Pool::builder(manager).max_size(connections).build()?;
        Ok(Self { pool })
    }

    /// Does work outside a transaction, and repeats it when the connection breaks.
    ///
    /// # Errors
    ///
    /// Those of the work; transient ones only when they last longer than 20 s.
    pub fn run<'a, T, E, F>(&'a self, work: F) -> BoxFuture<'a, Result<T, E>>
    where
        F: for<'c> AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + for<'c> Work<'c, T, E>
            + Clone
            + Send
            + Sync
            + 'a,
        E: Transient + Send + 'a,
        T: Send + 'a,
    {
        self.repeat(move |mut connection: Object<AsyncPgConnection>| {
            let work = work.clone();
            async move { work(&mut connection).await }
        })
        .boxed()
    }

    /// Does work in a transaction, and repeats it whole on deadlocks, serialization failures and
    /// broken connections.
    ///
    /// An answer to COMMIT may be lost, so the work must be harmless when it is done twice.
    ///
    /// # Errors
    ///
    /// Those of the work; transient ones only when they last longer than 20 s.
    pub fn transaction<'a, T, E, F>(&'a self, work: F) -> BoxFuture<'a, Result<T, E>>
    where
        F: for<'c> AsyncFnOnce(&'c mut AsyncPgConnection) -> Result<T, E>
            + for<'c> Work<'c, T, E>
            + Clone
            + Send
            + Sync
            + 'a,
        E: Transient + Send + 'a,
        T: Send + 'a,
    {
        self.repeat(move |mut connection: Object<AsyncPgConnection>| {
            let work = work.clone();
            async move { connection.transaction(async |connection| work(connection).await).await }
        })
        .boxed()
    }

    async fn repeat<T, E, U>(&self, work: impl Fn(Object<AsyncPgConnection>) -> U) -> Result<T, E>
    where
        E: Transient,
        U: Future<Output = Result<T, E>>,
    {
        let deadline = Instant::now() + PATIENCE;
        let (mut pause, longest) = PAUSES;
        loop {
            let error = match self.checkout().await {
                Ok(connection) => match work(connection).await {
                    Ok(value) => return Ok(value),
                    Err(error) => error,
                },
                Err(error) => E::from(error),
            };
            if !error.is_transient() || Instant::now() + pause > deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn checkout(&self) -> Result<Object<AsyncPgConnection>, Error> {
        let unavailable = |text: String| {
            Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(text))
        };
        match tokio::time::timeout(CHECKOUT, self.pool.get()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(unavailable(error.to_string())),
            Err(_elapsed) => Err(unavailable("no free connection within 5 s".to_owned())),
        }
    }
}

/// Opens one connection outside any pool, with the settings of all others.
///
/// # Errors
///
/// When the server cannot be reached or refuses.
pub async fn connect(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(url).await?;
    connection.batch_execute(SETTINGS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Asks the server for a sign of life.
///
/// # Errors
///
/// When the database does not answer.
pub async fn ping(connection: &mut AsyncPgConnection) -> Result<(), Error> {
    connection.batch_execute("SELECT 1").await
}
