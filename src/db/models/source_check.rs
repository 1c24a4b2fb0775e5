//! Looks at sources: asked for at a door or by a schedule, taken by a worker, told in their row.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use diesel::sql_query;
use diesel::sql_types::{Double, Integer, Nullable, Text, Timestamptz, Uuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::source_checks;
use crate::domain::ids::{CheckId, ProjectId, UserId};
use crate::domain::source::{CheckPurpose, Checked};

/// Who asks when it is time to look.
const SCHEDULE: &str = "schedule";

/// A look that somebody asks for.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = source_checks)]
pub struct NewCheck {
    /// Its id.
    pub id: CheckId,
    /// Whose source is looked at.
    pub project_id: ProjectId,
    /// What for.
    pub purpose: CheckPurpose,
    /// Who asks.
    pub user_id: Option<UserId>,
    /// Their name.
    pub asked_by: String,
    /// The key they came with.
    pub fingerprint: String,
}

/// A look that a worker takes.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Taken {
    /// Its id.
    #[diesel(sql_type = Uuid)]
    pub id: CheckId,
    /// Whose source is looked at.
    #[diesel(sql_type = Uuid)]
    pub project_id: ProjectId,
    /// What for.
    #[diesel(sql_type = Text)]
    pub purpose: CheckPurpose,
    /// Who asks.
    #[diesel(sql_type = Nullable<Uuid>)]
    pub user_id: Option<UserId>,
    /// Their name.
    #[diesel(sql_type = Text)]
    pub asked_by: String,
    /// The key they came with.
    #[diesel(sql_type = Text)]
    pub fingerprint: String,
    /// Which try it is, from 1.
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
}

/// Where a look stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has taken it.
    Waiting,
    /// A worker looks; whether it is believed to.
    Running {
        /// Whether its lease is over.
        expired: bool,
    },
    /// It is over, with what was found or why nothing was.
    Ended(Result<Checked, String>),
}

async fn ring(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    sql_query("SELECT pg_notify('sources', '')").execute(connection).await.map(|_| ())
}

/// Asks for a look, or finds the same one asked for; the id is that of the one that will be taken.
///
/// # Errors
///
/// When the database does not answer.
pub async fn ask(connection: &mut AsyncPgConnection, new: &NewCheck) -> QueryResult<CheckId> {
    diesel::insert_into(source_checks::table)
        .values(new)
        .on_conflict_do_nothing()
        .execute(connection)
        .await?;
    ring(connection).await?;
    let own: Option<CheckId> = source_checks::table
        .find(new.id)
        .select(source_checks::id)
        .first(connection)
        .await
        .optional()?;
    if let Some(own) = own {
        return Ok(own);
    }
    source_checks::table
        .filter(source_checks::project_id.eq(new.project_id))
        .filter(source_checks::purpose.eq(new.purpose))
        .filter(source_checks::ended_at.is_null())
        .order(source_checks::asked_at.desc())
        .select(source_checks::id)
        .first(connection)
        .await
}

/// Asks for a look at each source that is due, and gives how many there are.
///
/// # Errors
///
/// When the database does not answer.
pub async fn ask_due(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    let asked = sql_query(
        "WITH due AS (
            UPDATE project_sources AS s SET next_check_at = now() + make_interval(secs => s.check_every)
            FROM projects AS p JOIN accounts AS a ON a.id = p.account_id
            WHERE p.id = s.project_id AND s.next_check_at <= now()
                AND coalesce(p.deleted_at, p.suspended_at, a.deleted_at, a.suspended_at) IS NULL
            RETURNING s.project_id
        )
        INSERT INTO source_checks (id, project_id, purpose, asked_by)
        SELECT gen_random_uuid(), project_id, 'schedule', $1 FROM due ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(SCHEDULE)
    .execute(connection)
    .await?;
    if asked > 0 {
        ring(connection).await?;
    }
    Ok(asked)
}

/// Takes a look that nobody has taken, or whose worker fell silent: what people ask for first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn take(
    connection: &mut AsyncPgConnection,
    worker: &str,
    lease: f64,
) -> QueryResult<Option<Taken>> {
    // One that stands still keeps its project until it is taken over itself.
    let taken: QueryResult<Taken> = sql_query(
        "UPDATE source_checks SET worker = $1, lease_until = now() + make_interval(secs => $2),
            attempt = attempt + 1
        WHERE id = (
            SELECT c.id FROM source_checks AS c
            WHERE c.ended_at IS NULL AND (c.worker IS NULL OR c.lease_until < now())
                AND NOT EXISTS (
                    SELECT FROM source_checks AS o WHERE o.project_id = c.project_id
                        AND o.id <> c.id AND o.ended_at IS NULL AND o.worker IS NOT NULL
                )
            ORDER BY c.purpose = 'schedule', c.asked_at, c.id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, project_id, purpose, user_id, asked_by, fingerprint, attempt",
    )
    .bind::<Text, _>(worker)
    .bind::<Double, _>(lease)
    .get_result(connection)
    .await;
    match taken {
        // Another worker took one of the same project meanwhile.
        Err(DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(None),
        other => other.optional(),
    }
}

/// Says that a worker still looks; `false` when it is not its look any more.
///
/// # Errors
///
/// When the database does not answer.
pub async fn renew(
    connection: &mut AsyncPgConnection,
    id: CheckId,
    worker: &str,
    lease: f64,
) -> QueryResult<bool> {
    let renewed = sql_query(
        "UPDATE source_checks SET lease_until = now() + make_interval(secs => $3)
        WHERE id = $1 AND worker = $2 AND ended_at IS NULL",
    )
    .bind::<Uuid, _>(id)
    .bind::<Text, _>(worker)
    .bind::<Double, _>(lease)
    .execute(connection)
    .await?;
    Ok(renewed > 0)
}

/// Gives a look back that was not done, for another worker.
///
/// # Errors
///
/// When the database does not answer.
pub async fn give_back(
    connection: &mut AsyncPgConnection,
    id: CheckId,
    worker: &str,
) -> QueryResult<()> {
    // The same may have been asked for meanwhile: then one of them is enough.
    sql_query(
        "UPDATE source_checks AS c SET lease_until = now() - interval '1 second',
            attempt = greatest(attempt - 1, 0)
        WHERE id = $1 AND worker = $2 AND ended_at IS NULL",
    )
    .bind::<Uuid, _>(id)
    .bind::<Text, _>(worker)
    .execute(connection)
    .await?;
    ring(connection).await
}

/// Ends a look, and says when there is to be the next: after failures later and later, up to a day.
///
/// # Errors
///
/// When the database does not answer.
pub async fn end(
    connection: &mut AsyncPgConnection,
    (id, worker): (CheckId, &str),
    came_to: &Result<Checked, String>,
) -> QueryResult<bool> {
    let (found, fault) = match came_to {
        Ok(checked) => (checked.clone(), None),
        Err(fault) => (Checked::default(), Some(fault.as_str())),
    };
    let open = source_checks::table
        .find(id)
        .filter(source_checks::worker.eq(worker))
        .filter(source_checks::ended_at.is_null());
    let ended: Option<(ProjectId, CheckPurpose)> = diesel::update(open)
        .set((
            source_checks::ended_at.eq(now),
            source_checks::fault.eq(fault),
            source_checks::found.eq(found),
        ))
        .returning((source_checks::project_id, source_checks::purpose))
        .get_result(connection)
        .await
        .optional()?;
    let Some((project, purpose)) = ended else { return Ok(false) };
    if purpose != CheckPurpose::Test {
        sql_query(
            "UPDATE project_sources SET checked_at = now(), fault = $2,
                failures = CASE WHEN $2 IS NULL THEN 0 ELSE failures + 1 END,
                next_check_at = CASE WHEN check_every IS NOT NULL THEN now() + make_interval(
                    secs => (0.9 + 0.2 * random()) * least(
                        check_every * power(2, CASE WHEN $2 IS NULL THEN 0 ELSE least(failures, 6) END),
                        greatest(check_every, 86400))) END
            WHERE project_id = $1",
        )
        .bind::<Uuid, _>(project)
        .bind::<Nullable<Text>, _>(fault)
        .execute(connection)
        .await?;
    }
    ring(connection).await?;
    Ok(true)
}

/// Where a look stands; `None` when there is none of this id.
///
/// # Errors
///
/// When the database does not answer.
pub async fn standing(
    connection: &mut AsyncPgConnection,
    id: CheckId,
) -> QueryResult<Option<Standing>> {
    type Row = (Option<DateTime<Utc>>, Option<bool>, Option<String>, Checked);
    let row: Option<Row> = source_checks::table
        .find(id)
        .select((
            source_checks::ended_at,
            source_checks::lease_until.lt(now.into_sql::<Timestamptz>().nullable()),
            source_checks::fault,
            source_checks::found,
        ))
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(|(ended, expired, fault, found)| match (ended, expired) {
        (Some(_), _) => Standing::Ended(fault.map_or(Ok(found), Err)),
        (None, Some(expired)) => Standing::Running { expired },
        (None, None) => Standing::Waiting,
    }))
}

/// Takes a question back that no worker has taken.
///
/// # Errors
///
/// When the database does not answer.
pub async fn withdraw(connection: &mut AsyncPgConnection, id: CheckId) -> QueryResult<()> {
    diesel::delete(source_checks::table.find(id).filter(source_checks::worker.is_null()))
        .execute(connection)
        .await
        .map(|_| ())
}

/// Forgets looks that ended more than a week ago.
///
/// # Errors
///
/// When the database does not answer.
pub async fn prune(connection: &mut AsyncPgConnection) -> QueryResult<usize> {
    sql_query("DELETE FROM source_checks WHERE ended_at < now() - interval '7 days'")
        .execute(connection)
        .await
}
