//! `projects` and `info`.

use serde_json::json;

use crate::db::models::project::Project;
use crate::domain::access::Role;
use crate::domain::slug::ProjectName;
use crate::projects::{seen, serving};
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
    if call.json == Format::Json {
        let environments: Vec<_> = rows
            .iter()
            .map(|(name, release)| {
                let (number, commit) = release.unzip();
                json!({"name": name, "release": number.map(|number| number.0), "commit": commit})
            })
            .collect();
        let text = json!({
            "project": project.name().to_string(),
            "url": url,
            "default_branch": project.default_branch(),
            "prefix": project.prefix,
            "suspended": project.is_suspended(),
            "environments": environments,
        });
        call.output.line(&text.to_string()).await?;
        return Ok(Status::OK);
    }
    call.output.line(format!("{}  {}", project.name(), state(&project)).trim_end()).await?;
    call.output.line(&format!("push to         {url}")).await?;
    call.output.line(&format!("default branch  {}", project.default_branch())).await?;
    if rows.is_empty() {
        call.output.line("it has no environment yet: ask an administrator for a cluster").await?;
    }
    for (name, release) in rows {
        let what = match release {
            Some((number, commit)) => format!("{number} at {}", commit.short()),
            None => "nothing is live".to_owned(),
        };
        call.output.line(&format!("{name:<14}  {what}")).await?;
    }
    Ok(Status::OK)
}
