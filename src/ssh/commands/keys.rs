//! `keys`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::db::models::ssh_key::Key;
use crate::domain::access::{KeyAccess, Verb, What, authorise};
use crate::people::{self, KeyTerms, create_key, delete_key};
use crate::projects;
use crate::ssh::commands::{Call, Failure, Format, Status};
use crate::ssh::output::Input;
use crate::ssh::own::{KeyChange, NewKey};

/// Lists the caller's keys: all of them, or the one they came with if it is for less than they may.
pub(super) async fn list(call: &Call<'_>) -> Result<Status, Failure> {
    call.oneself()?;
    let (db, who) = (&call.door.db, call.caller.who());
    let sees_all = authorise(&who, Verb::ChangeKeys, What::Oneself).is_ok();
    let seen = projects::seen(db, &who).await?;
    // A project whose account they left is not named any more.
    let seen: BTreeSet<_> = seen.iter().map(|(project, _)| project.name().to_string()).collect();
    let email = call.caller.user.email.clone();
    for (key, _, mut projects) in people::keys(db, Some(email)).await? {
        if !sees_all && key.fingerprint != call.caller.fingerprint {
            continue;
        }
        projects.retain(|name| seen.contains(name));
        let text = match call.json {
            Format::Text if key.fingerprint == call.caller.fingerprint => {
                text(&key, &projects) + "  (this one)"
            }
            Format::Text => text(&key, &projects),
            Format::Json => json(&key, &projects),
        };
        call.output.line(&text).await?;
    }
    Ok(Status::OK)
}

fn text(key: &Key, projects: &[String]) -> String {
    let day = |date: DateTime<Utc>| date.format("%Y-%m-%d").to_string();
    let used = match (key.last_used_at, &key.last_used_from) {
        (Some(date), Some(origin)) => format!("used {} from {origin}", day(date)),
        (Some(date), None) => format!("used {}", day(date)),
        (None, _) => "never used".to_owned(),
    };
    let ends = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(end)) if end <= Utc::now() => format!("expired {}", day(end)),
        (None, Some(end)) => format!("expires {}", day(end)),
        (None, None) => "does not expire".to_owned(),
    };
    let may = match key.access {
        KeyAccess::Read => "reads ",
        KeyAccess::Deploy => "",
    };
    let of = match (key.all_projects, projects) {
        (true, _) => "all projects".to_owned(),
        (false, []) => "no project".to_owned(),
        (false, projects) => projects.join(", "),
    };
    let Key { fingerprint, algorithm, name, .. } = key;
    format!("{fingerprint}  {algorithm:<11}  {name}  {may}{of}  {ends}  {used}")
}

fn json(key: &Key, projects: &[String]) -> String {
    let projects = if key.all_projects { None } else { Some(projects) };
    json!({
        "id": key.id,
        "name": key.name,
        "algorithm": key.algorithm,
        "fingerprint": key.fingerprint,
        "access": key.access,
        "projects": projects,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "last_used_from": key.last_used_from,
    })
    .to_string()
}

/// Adds a key, or removes one.
pub(super) async fn change(
    call: &Call<'_>,
    change: KeyChange,
    input: Input,
) -> Result<Status, Failure> {
    call.oneself()?;
    let (fingerprint, done) = match change {
        KeyChange::Add(new) => (add(call, new, &input.text().await?).await?, "added"),
        KeyChange::Remove { fingerprint } => {
            if fingerprint == call.caller.fingerprint {
                return Err(Failure::OwnKey);
            }
            delete_key(&call.acting(), &fingerprint, Some(call.caller.user.id)).await?;
            (fingerprint, "removed")
        }
    };
    let text = match call.json {
        Format::Text => format!("key {fingerprint} is {done}"),
        Format::Json => json!({"fingerprint": fingerprint, "answer": done}).to_string(),
    };
    call.output.line(&text).await?;
    Ok(Status::OK)
}

async fn add(call: &Call<'_>, new: NewKey, line: &str) -> Result<String, Failure> {
    let mut ids = Vec::new();
    for name in &new.project {
        // Only what they see: a key for a project that is not theirs would say that it exists.
        ids.push(projects::find(&call.door.db, &call.caller.who(), name, Verb::Look).await?.id);
    }
    let end = new.expires.map(|lifetime| Utc::now() + lifetime.duration());
    // Else whoever finds a key that is about to expire makes one of it that does not.
    match call.caller.expires_at {
        Some(own) if end.is_none_or(|end| end > own) => return Err(Failure::Outlives(own)),
        _ => {}
    }
    let terms = KeyTerms {
        name: new.name,
        access: if new.read_only { KeyAccess::Read } else { KeyAccess::Deploy },
        projects: (!ids.is_empty()).then_some(ids),
        expires_at: end,
    };
    Ok(create_key(&call.acting(), &call.caller.user.email, line, terms).await?)
}
