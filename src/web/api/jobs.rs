//! Jobs, and what they said.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::models::history;
use crate::db::models::job;
use crate::db::models::job_list::Listed;
use crate::domain::audit::Deed;
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::RefName;
use crate::domain::history::{Entry, EntryKind, Step};
use crate::domain::ids::{Attempt, JobId, JobNumber, ProjectId, Seq};
use crate::domain::job::{JobKind, JobState, Outcome};
use crate::domain::oid::Oid;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::jobs::CancelAnswer;
use crate::projects::{JobsWanted, jobs_seen};
use crate::web::api::answer::{Answered, List, PREFIX, cursor, json, most, ok, part};
use crate::web::api::call::Call;
use crate::web::api::problem::{Kind, Problem};

/// One deployment attempt.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Job {
    id: JobId,
    /// What people call it by.
    number: JobNumber,
    kind: JobKind,
    state: State,
    /// How it ended; null while it has not.
    outcome: Option<Outcome>,
    account: AccountSlug,
    project: ProjectSlug,
    environment: EnvironmentName,
    /// The ref that it deploys; null of one that waits to find it.
    r#ref: Option<String>,
    commit: Option<Oid>,
    /// First line of the commit's message.
    subject: String,
    /// Who asked for it.
    pusher: String,
    /// Why it ended as it did.
    reason: String,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = JobState)]
pub(super) enum State {
    Queued,
    Running,
    Ended,
}

impl State {
    const fn of(state: JobState) -> Self {
        match state {
            JobState::Queued => Self::Queued,
            JobState::Running => Self::Running,
            JobState::Ended(_) => Self::Ended,
        }
    }

    const fn stored(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended => "ended",
        }
    }
}

impl Job {
    /// A job with its names as they were when it was created.
    pub(super) fn of(job: &job::Job) -> Self {
        Self {
            id: job.id,
            number: job.number,
            kind: job.kind,
            state: State::of(job.state),
            outcome: job.state.outcome(),
            account: job.snapshot.account.clone(),
            project: job.snapshot.project.clone(),
            environment: job.snapshot.environment.clone(),
            r#ref: job.ref_name.as_ref().map(|name| name.as_str().to_owned()),
            commit: job.new_oid,
            subject: job.subject.clone(),
            pusher: job.pusher.clone(),
            reason: job.reason.clone(),
            created_at: job.created_at,
            ended_at: job.ended_at,
        }
    }

    fn listed(job: Listed) -> Self {
        Self {
            id: job.id,
            number: job.number,
            kind: job.kind,
            state: State::of(job.state),
            outcome: job.state.outcome(),
            account: job.account.1,
            project: job.project.1,
            environment: job.environment,
            r#ref: job.ref_name.as_ref().map(|name: &RefName| name.as_str().to_owned()),
            commit: job.commit,
            subject: job.subject,
            pusher: job.pusher,
            reason: job.reason,
            created_at: job.created_at,
            ended_at: job.ended_at,
        }
    }
}

/// A job that waits for a worker, and where it is.
pub(super) fn accepted(job: &job::Job) -> HttpResponse {
    let mut response = json(StatusCode::ACCEPTED, &Job::of(job));
    if let Ok(value) = header::HeaderValue::try_from(format!("{PREFIX}/jobs/{}", job.number)) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of environments of this name.
    environment: Option<EnvironmentName>,
    /// Only those that stand here.
    #[param(inline)]
    state: Option<State>,
    /// Only those created since.
    since: Option<DateTime<Utc>>,
    /// Most rows.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Where the list goes on, from `next`.
    cursor: Option<String>,
}

/// List the jobs of all projects that one may see, newest first.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", operation_id = "list_jobs", params(Wanted),
    responses((status = 200, body = List<Job>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    newest(&call, None).await
}

/// List the jobs of a project, newest first.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/jobs", tag = "jobs",
    operation_id = "list_jobs_of_project", params(Wanted),
    responses((status = 200, body = List<Job>)),
)]
pub(super) async fn of_project(call: Call) -> Answered {
    newest(&call, Some(call.project()?.id)).await
}

async fn newest(call: &Call, project: Option<ProjectId>) -> Answered {
    let Wanted { environment, state, since, limit, cursor: place } = call.query()?;
    let most = most(limit)?;
    let before = cursor(place.as_deref(), |text| text.parse::<JobNumber>().ok())?;
    let state = state.map(|state| state.stored().to_owned());
    let wanted = JobsWanted { project, environment, state, since, before };
    let (db, who) = (call.db(), call.who());
    let rows = call.run(async move { jobs_seen(&db, &who, wanted, most).await }).await?;
    let last = |job: &Listed| job.number.to_string();
    Ok(part(rows, most, &call.address(), last, Job::listed))
}

/// Show a job, by its number or its id.
#[utoipa::path(
    get, path = "/jobs/{job}", tag = "jobs", operation_id = "show_job",
    responses((status = 200, body = Job)),
)]
pub(super) async fn show(call: Call) -> Answered {
    Ok(ok(&Job::of(call.job()?)))
}

/// One row of a History.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HistoryRow {
    /// Its place, from 1 and without gaps.
    seq: Seq,
    /// Which try of the job said it; 0 is none.
    attempt: Attempt,
    step: Step,
    kind: EntryKind,
    /// What it says; colours are ANSI sequences.
    text: String,
    date: DateTime<Utc>,
    /// How long the step took, in milliseconds.
    ms: Option<u64>,
    /// What became of the job; only the last row has it.
    end: Option<HistoryEnd>,
}

/// What became of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HistoryEnd {
    outcome: Outcome,
    failed_step: Option<Step>,
    reason: String,
    exit_code: u8,
}

impl HistoryRow {
    fn new(entry: Entry) -> Self {
        let end = entry.extra.end.map(|end| HistoryEnd {
            outcome: end.outcome,
            failed_step: end.failed_step,
            reason: end.reason,
            exit_code: end.exit_code,
        });
        Self {
            seq: entry.seq,
            attempt: entry.attempt,
            step: entry.step,
            kind: entry.kind,
            text: entry.text,
            date: entry.date,
            ms: entry.extra.ms,
            end,
        }
    }
}

/// Which rows of a History.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryRows {
    /// Only those after this one.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// Most rows.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
}

/// List what a job said, in order.
///
/// A job that goes on says more later: ask again with `after` the last row.
#[utoipa::path(
    get, path = "/jobs/{job}/history", tag = "jobs", operation_id = "list_history", params(HistoryRows),
    responses((status = 200, body = List<HistoryRow>)),
)]
pub(super) async fn history(call: Call) -> Answered {
    let HistoryRows { after, limit } = call.query()?;
    let most = most(limit)?;
    let after = match after.unwrap_or(0) {
        after @ 0.. => Seq(after),
        _ => return Err(Problem::parameter("after", "give the number of a row, or 0")),
    };
    let (db, job) = (call.db(), call.job()?.id);
    let read = async move {
        db.run(async move |connection| history::after(connection, job, after, most).await).await
    };
    let rows: Vec<Entry> = call.run(read).await?;
    let last = |entry: &Entry| entry.seq.to_string();
    Ok(part(rows, most, &call.address_by("after"), last, HistoryRow::new))
}

/// What a cancel came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cancelled {
    job: JobNumber,
    answer: CancelWord,
}

/// What a cancel came to, in a word.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CancelWord {
    /// It waited, and has ended.
    Cancelled,
    /// It runs: its worker was told, and takes back what was applied.
    Asked,
}

/// End a deployment.
///
/// One that waits ends at once; one that runs takes back what it did, as its History tells.
#[utoipa::path(
    post, path = "/jobs/{job}/cancel", tag = "jobs", operation_id = "cancel_job",
    responses((status = 202, body = Cancelled)),
)]
pub(super) async fn cancel(call: Call) -> Answered {
    let (id, number) = (call.job()?.id, call.job()?.number);
    let entry = call.acting().entry(Deed::Cancel, &format!("job {number}"));
    let (jobs, name) = (call.site().jobs(), call.bearer().user.name.clone());
    let answer = call.run(async move { jobs.cancel(id, name).await }).await?;
    call.note(entry).await?;
    let answer = match answer {
        CancelAnswer::Cancelled => CancelWord::Cancelled,
        CancelAnswer::Asked => CancelWord::Asked,
        CancelAnswer::TooLate(release) => {
            let problem = Problem::new(Kind::Conflict, format!("too late, {release} is live"));
            return Err(problem.next("deploy what should serve instead"));
        }
        CancelAnswer::Ended(outcome) => {
            let text = format!("job {number} has ended: {outcome}");
            return Err(Problem::new(Kind::Conflict, text).next("there is nothing to do"));
        }
    };
    Ok(json(actix_web::http::StatusCode::ACCEPTED, &Cancelled { job: number, answer }))
}
