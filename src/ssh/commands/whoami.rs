//! `whoami`.

use serde_json::json;

use crate::ssh::commands::{Call, Failure, Format, Status};

/// Says who the key belongs to.
pub(super) async fn run(call: &Call<'_>) -> Result<Status, Failure> {
    let (user, fingerprint) = (&call.caller.user, &call.caller.fingerprint);
    let text = match call.json {
        Format::Text if user.administrator => {
            format!("{} <{}>, administrator, key {fingerprint}", user.name, user.email)
        }
        Format::Text => format!("{} <{}>, key {fingerprint}", user.name, user.email),
        Format::Json => json!({
            "name": user.name,
            "email": user.email,
            "administrator": user.administrator,
            "fingerprint": fingerprint,
        })
        .to_string(),
    };
    call.output.line(&text).await?;
    Ok(Status::OK)
}
