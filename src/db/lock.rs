//! Advisory locks: what only one process may do at a time, and no row stands for.

use diesel::sql_types::BigInt;
use diesel::{QueryResult, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::domain::ids::ProjectId;

/// The first number of every lock of ours says what it is for.
const REPOSITORY: i64 = 0x5049_4552_0000_0001;
const MIGRATION: i64 = 0x5049_4552_0000_0002;
const JANITOR: i64 = 0x5049_4552_0000_0003;

/// Proof that no other process reads or changes the refs of a repository.
///
/// It lasts as long as the transaction in which it was taken.
#[derive(Debug)]
pub struct RepositoryLock {
    project: ProjectId,
}

impl RepositoryLock {
    /// Waits for the lock of a project's repository; comes before any row lock.
    ///
    /// # Errors
    ///
    /// When the database does not answer, or somebody holds the lock for too long.
    pub async fn take(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<Self> {
        // Two projects that share these 64 bits only wait for each other.
        let (high, low) = project.uuid().as_u64_pair();
        let key = i64::from_ne_bytes((high ^ low).to_ne_bytes()) ^ REPOSITORY;
        sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(key)
            .execute(connection)
            .await?;
        Ok(Self { project })
    }

    /// Whose repository it is.
    pub const fn project(&self) -> ProjectId {
        self.project
    }
}

/// Waits until no other process migrates; lasts as long as the connection.
///
/// # Errors
///
/// When the database does not answer.
pub async fn migration(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(MIGRATION)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Becomes the janitor for this transaction, unless another process is.
///
/// # Errors
///
/// When the database does not answer.
pub async fn try_janitor(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        taken: bool,
    }
    let row: Row = sql_query("SELECT pg_try_advisory_xact_lock($1) AS taken")
        .bind::<BigInt, _>(JANITOR)
        .get_result(connection)
        .await?;
    Ok(row.taken)
}
