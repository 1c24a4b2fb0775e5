//! `jobs`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::domain::git_ref::RefName;
use crate::domain::oid::Oid;
use crate::domain::slug::ProjectName;
use crate::ssh::commands::{Call, Failure, Format, Status};

/// Jobs that are listed.
const NEWEST: i64 = 20;

/// Lists the latest deployments of a project, newest first.
pub(super) async fn run(call: &Call<'_>, name: &ProjectName) -> Result<Status, Failure> {
    let project = call.project(name).await?.id;
    let (jobs, undone) = call
        .door
        .db
        .run(async move |connection| {
            let jobs = Job::newest_of_project(connection, project, NEWEST).await?;
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            let undone = Release::undone_of_jobs(connection, &ids).await?;
            Ok::<_, diesel::result::Error>((jobs, undone))
        })
        .await?;
    let undone: BTreeMap<_, _> = undone.into_iter().collect();
    if jobs.is_empty() && call.json == Format::Text {
        call.output.line("nothing was deployed yet: push").await?;
    }
    for job in &jobs {
        let text = match call.json {
            Format::Text => text(job),
            Format::Json => json(job, undone.get(&job.id)),
        };
        call.output.line(&text).await?;
    }
    Ok(Status::OK)
}

fn text(job: &Job) -> String {
    let commit = job.new_oid.map_or_else(|| "-".to_owned(), Oid::short);
    let (date, subject) = (job.created_at.format("%Y-%m-%d %H:%M"), &job.subject);
    format!(
        "{:>5}  {:<10}  {:<12}  {commit:<7}  {date}  {}  {subject}",
        job.number, job.state, job.snapshot.environment, job.pusher
    )
}

fn json(job: &Job, undone: Option<&Value>) -> String {
    json!({
        "number": job.number,
        "id": job.id,
        "kind": job.kind,
        "state": job.state.as_str(),
        "outcome": job.state.outcome(),
        "environment": job.snapshot.environment,
        "ref": job.ref_name.as_ref().map(RefName::as_str),
        "commit": job.new_oid,
        "subject": job.subject,
        "pusher": job.pusher,
        "reason": job.reason,
        "undone": undone,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
    })
    .to_string()
}
