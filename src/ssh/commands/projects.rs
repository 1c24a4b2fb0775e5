//! `projects` and `info`.

use serde_json::{Value, json};

use crate::db::models::project::Project;
use crate::domain::access::Role;
use crate::domain::slug::ProjectName;
use crate::projects::{Serving, seen, serving, source_of};
use crate::ssh::commands::{Call, Failure, Format, Status};

/// Lists the projects that the caller may see.
pub(super) async fn list(call: &Call<'_>) -> Result<Status, Failure> {
    call.oneself()?;
    let all = seen(&call.door.db, &call.caller.who()).await?;
    if all.is_empty() && call.json == Format::Text {
        call.output.line("no project yet; ask an administrator for one").await?;
    }
    for (project, role) in &all {
        let role = role.map_or("administrator", Role::as_str);
        let state = state(project);
        let text = match call.json {
            Format::Text => format!("{:<40}  {role:<13}  {state}", project.name().to_string()),
            Format::Json => {
                json!({"project": project.name().to_string(), "role": role, "state": state})
                    .to_string()
            }
        };
        call.output.line(text.trim_end()).await?;
    }
    Ok(Status::OK)
}

fn state(project: &Project) -> &'static str {
    if project.is_suspended() { "suspended" } else { "" }
}

/// Tells of one project: where to push, what it deploys to, what serves.
pub(super) async fn info(call: &Call<'_>, name: &ProjectName) -> Result<Status, Failure> {
    let (door, project) = (call.door, call.project(name).await?);
    let settings = &door.settings;
    let (user, host, port) = (&settings.user, &settings.host, settings.port);
    let url = format!("ssh://{user}@{host}:{port}/{}", project.name());
    let rows = serving(&door.db, &project).await?;
    let source = source_of(&door.db, project.id).await?;
    if call.json == Format::Json {
        let environments: Vec<_> = rows.iter().map(json).collect();
        let text = json!({
            "project": project.name().to_string(),
            "url": url,
            "source": source.map(|source| source.url),
            "default_branch": project.default_branch(),
            "prefix": project.prefix,
            "suspended": project.is_suspended(),
            "environments": environments,
        });
        call.output.line(&text.to_string()).await?;
        return Ok(Status::OK);
    }
    call.output.line(format!("{}  {}", project.name(), state(&project)).trim_end()).await?;
    match source {
        Some(source) => {
            call.output.line(&format!("comes from      {}", source.url)).await?;
            call.output.line(&format!("clone from      {url}")).await?;
        }
        None => call.output.line(&format!("push to         {url}")).await?,
    }
    call.output.line(&format!("default branch  {}", project.default_branch())).await?;
    if rows.is_empty() {
        call.output.line("it has no environment yet: ask an administrator for a cluster").await?;
    }
    for row in &rows {
        for line in text(row) {
            call.output.line(&line).await?;
        }
    }
    Ok(Status::OK)
}

fn json(row: &Serving) -> Value {
    let targets = row.targets.iter().map(|(name, kind)| json!({"name": name, "kind": kind}));
    let open = row.open.iter().map(
        |(number, kind, state)| json!({"number": number, "kind": kind, "state": state.as_str()}),
    );
    json!({
        "name": row.environment,
        "release": row.live.as_ref().map(|live| live.number.0),
        "commit": row.live.as_ref().map(|live| live.commit_oid),
        "live": row.live,
        "targets": targets.collect::<Vec<_>>(),
        "refs": row.refs,
        "jobs": open.collect::<Vec<_>>(),
    })
}

fn text(row: &Serving) -> Vec<String> {
    let what = row.live.as_ref().map_or_else(
        || "nothing is live".to_owned(),
        |live| {
            let since = live.live_at.map(|at| at.format(" since %Y-%m-%d %H:%M").to_string());
            let since = since.unwrap_or_default();
            format!("{} at {}{since}  {}", live.number, live.commit_oid.short(), live.subject)
        },
    );
    let mut lines = vec![format!("{:<14}  {what}", row.environment)];
    let targets = row.targets.iter().map(|(name, kind)| format!("{name} ({kind})"));
    let from = if row.refs.is_empty() { "no ref".to_owned() } else { row.refs.join(", ") };
    let targets = targets.collect::<Vec<_>>().join(", ");
    lines.push(format!("{:<14}  {from} deploys to {targets}", ""));
    let open = row.open.iter();
    lines.extend(
        open.map(|(number, kind, state)| format!("{:<14}  job {number}: {kind}, {state}", "")),
    );
    lines
}
