//! The secrets of a deployment: what is hidden in everything that its tools say.

use secrecy::ExposeSecret as _;

use crate::db::models::job::Job;
use crate::deploy::opened::Opened;
use crate::domain::ids::ProjectId;
use crate::domain::redact::{Secrets, decode};
use crate::paas::compiled::{Deployment, Value};
use crate::seal::{NotOpened, Opener};

/// Begins a value that is given in base64.
const ENCODED: &str = "base64:";

/// The provider whose options are the values themselves; those of others say where values are.
const HAS_VALUES: &str = "map";

/// Adds the values in a deployment's `secrets:`, as `secret.key`. Gives the names of those that
/// cannot be hidden.
///
/// These are no faults: what is an ordinary word is hidden from nobody by calling it a secret.
pub(super) fn add_secrets_of(deployment: &Deployment, secrets: &mut Secrets) -> Vec<String> {
    let mut bare = Vec::new();
    for secret in deployment.secrets.iter().filter(|secret| secret.provider == HAS_VALUES) {
        add(&secret.name, &secret.options, (secrets, &mut bare));
    }
    bare
}

/// Adds all that is secret in a release: what its job brought, and what its file has.
///
/// Those that cannot be hidden were named when they were deployed.
///
/// # Errors
///
/// When a secret of the job does not open.
pub(super) fn add_secrets_of_release(
    opener: &Opener,
    (job, project): (&Job, ProjectId),
    model: &Deployment,
    secrets: &mut Secrets,
) -> Result<(), NotOpened> {
    for (name, value) in Opened::of_job(opener, job, project)?.secrets {
        secrets.add(&name, value.expose_secret()).ok();
    }
    drop(add_secrets_of(model, secrets));
    Ok(())
}

fn add(name: &str, value: &Value, (secrets, bare): (&mut Secrets, &mut Vec<String>)) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Text(text) if text.is_empty() => {}
        Value::Text(text) => {
            let encoded = text.strip_prefix(ENCODED);
            let decoded = encoded.and_then(decode);
            let hidden = match (decoded, encoded) {
                // The text that was encoded is among the forms in which it is found.
                (Some(value), _) => secrets.add(name, value),
                (None, Some(encoded)) => secrets.add(name, encoded),
                (None, None) => secrets.add(name, text),
            };
            if hidden.is_err() {
                bare.push(name.to_owned());
            }
        }
        Value::List(items) => {
            for (number, item) in (1..).zip(items) {
                add(&format!("{name}.{number}"), item, (secrets, bare));
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries {
                add(&format!("{name}.{key}"), value, (secrets, bare));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::domain::redact::Redactor;
    use crate::paas::compiled::Secret;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn secret(name: &str, provider: &str, options: Value) -> Secret {
        Secret { name: name.into(), provider: provider.into(), kind: "default".into(), options }
    }

    #[test]
    fn every_value_is_hidden_that_can_be_and_the_others_are_named() {
        let mut deployment = Deployment::new("shop", "production");
        let entries = [
            ("password", text("s3cr3t-pa55word")),
            ("encoded", text("base64:czNjcjN0LWJ5dGVzLTAx")),
            ("user", text("postgres")),
            ("on", Value::Bool(true)),
        ];
        let entries: IndexMap<_, _> = entries.map(|(key, value)| (key.to_owned(), value)).into();
        let list = Value::List(vec![text("t0ken-0123456789")]);
        deployment.secrets = vec![
            secret("db", "map", Value::Mapping(entries)),
            secret("list", "map", list),
            secret("mail", "vault", Value::Mapping([("path".into(), text("kv/mail-0123"))].into())),
        ];
        let mut secrets = Secrets::default();
        assert_eq!(add_secrets_of(&deployment, &mut secrets), ["db.user"]);
        assert_eq!(
            Redactor::new(&secrets).text(
                "s3cr3t-pa55word s3cr3t-bytes-01 czNjcjN0LWJ5dGVzLTAx t0ken-0123456789 \
                 kv/mail-0123 postgres"
            ),
            "[secret db.password] [secret db.encoded] [secret db.encoded] [secret list.1] \
             kv/mail-0123 postgres"
        );
    }
}
