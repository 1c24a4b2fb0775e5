//! `pierhead admin list jobs`, `job log`, `cancel` and `health`.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::cli::admin_error::AdminError;
use crate::cli::lists::Table;
use crate::db::acting::Acting;
use crate::db::models::health::{Health, look};
use crate::db::models::history;
use crate::db::models::job_list::{self, Wanted};
use crate::db::models::project_list::Eyes;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::ids::{JobName, Seq};
use crate::domain::oid::Oid;
use crate::domain::push_option::Format;
use crate::domain::slug::ProjectName;
use crate::jobs::{CancelAnswer, Jobs};
use crate::progress::{Audience, Printer};
use crate::projects;

/// Jobs that are listed.
const JOBS: i64 = 20;

/// Rows of a History that are read at once.
const ROWS: i64 = 500;

/// Lists the newest jobs of a project, or of all.
pub(super) async fn list(
    table: &mut Table,
    db: &Db,
    project: Option<ProjectName>,
) -> Result<(), AdminError> {
    let project = match project {
        Some(name) => Some(projects::named(db, name).await?.id),
        None => None,
    };
    let wanted = Wanted { project, ..Wanted::default() };
    let read = async move |connection: &mut _| {
        job_list::newest(connection, &Eyes::of_terminal(), &wanted, JOBS).await
    };
    for job in db.run(read).await? {
        let (project, commit) = (format!("{}/{}", job.account.1, job.project.1), job.commit);
        let value = json!({"job": job.number, "id": job.id, "kind": job.kind,
            "state": job.state.to_string(), "project": project, "environment": job.environment,
            "commit": commit, "subject": job.subject, "pusher": job.pusher,
            "reason": job.reason, "created_at": job.created_at, "ended_at": job.ended_at});
        let place = format!("{project} {}", job.environment);
        let date = job.created_at.format("%Y-%m-%d %H:%M").to_string();
        let commit = commit.map(Oid::short).unwrap_or_default();
        let cells = [job.number.to_string(), job.state.to_string(), place, commit, date];
        table.push(cells.into_iter().chain([job.pusher, job.subject]), value);
    }
    Ok(())
}

/// Prints what a job has said so far.
pub(super) async fn log(db: &Db, name: JobName) -> Result<(), AdminError> {
    let (job, _) = projects::job_named(db, name).await?;
    let environment = job.snapshot.environment.clone();
    let mut printer = Printer::new(Format::Full, job.number, environment, Audience::OneJob);
    let (id, mut last) = (job.id, Seq(0));
    loop {
        let after = last;
        let rows =
            db.run(async move |connection| history::after(connection, id, after, ROWS).await);
        let rows = rows.await?;
        let Some(newest) = rows.last() else { return Ok(()) };
        last = newest.seq;
        let mut out = std::io::stdout().lock();
        for line in rows.iter().flat_map(|entry| printer.entry(entry)) {
            if writeln!(out, "{line}").is_err() {
                // Nobody reads on.
                return Ok(());
            }
        }
    }
}

/// Ends a job, or says why that is too late.
pub(super) async fn cancel(jobs: &Jobs, by: &Acting, name: JobName) -> Result<String, AdminError> {
    let (job, _) = projects::job_named(&by.db, name).await?;
    let number = job.number;
    let answer = jobs.cancel(job.id, by.actor.who.clone()).await?;
    let project = format!("{}/{}", job.snapshot.account, job.snapshot.project);
    let entry = by.entry(Deed::Cancel, &project).with("job", number.0);
    by.db.run(async move |connection| entry.insert(connection).await).await?;
    match answer {
        CancelAnswer::Cancelled => Ok(format!("Job {number} is cancelled.")),
        CancelAnswer::Asked => {
            let attach = jobs.command(&format!("attach {number}"));
            Ok(format!("Job {number} is being cancelled and taken back: {attach}"))
        }
        CancelAnswer::TooLate(release) => Err(AdminError::TooLate(release)),
        CancelAnswer::Ended(outcome) => Err(AdminError::Over(number, outcome)),
    }
}

/// Says how deployments get on.
pub(super) async fn health(db: &Db) -> Result<String, AdminError> {
    let found: Health = db.run(look).await?;
    let date = |date: DateTime<Utc>| date.format("%Y-%m-%d %H:%M:%S");
    let mut lines = vec![format!("{} jobs wait", found.queued)];
    if let Some(oldest) = found.oldest {
        lines.push(format!("the oldest of them since {}", date(oldest)));
    }
    if found.unrung > 0 {
        lines.push(format!("{} bells were not rung in Redis yet", found.unrung));
    }
    for run in found.running {
        let lost = if run.lease_until < Utc::now() { ", which is silent" } else { "" };
        let (number, environment, worker) = (run.number, run.environment, run.worker);
        let since = date(run.started_at);
        lines.push(format!("job {number} runs in {environment} since {since} by {worker}{lost}"));
    }
    for router in found.routers {
        let (id, version, seen) = (router.id, router.version, date(router.seen_at));
        lines.push(format!("router {id} serves version {version} of the routes, seen {seen}"));
    }
    Ok(lines.join("\n"))
}
