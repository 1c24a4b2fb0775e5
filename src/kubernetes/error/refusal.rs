//! What a refusal says, read from its status and words.

use serde_json::Value;

use crate::domain::output::clean;
use crate::kubernetes::error::{Error, Fault, Right};
use crate::kubernetes::json::{list, text};
use crate::kubernetes::object::{Kind, ObjectRef, group};

/// What a refusal of something asked about an object means.
pub(in crate::kubernetes) fn refused(
    address: &str,
    status: u16,
    body: &Value,
    verb: &str,
    object: &ObjectRef,
) -> Error {
    let words = line(text(body, "/message"));
    let namespace = object.namespace.clone().unwrap_or_default();
    if status == 401 {
        return Error::SignedOut { address: address.to_owned() };
    }
    if let Some((rule, words)) = admission(&words) {
        return Error::Admission { object: Box::new(object.clone()), rule, words };
    }
    let causes = list(body, "/details/causes");
    if causes.iter().any(|cause| text(cause, "/reason") == "NamespaceTerminating")
        || words.contains("because it is being terminated")
    {
        return Error::NamespaceEnding(namespace);
    }
    match status {
        429 | 502..=504 => Error::Busy { address: address.to_owned(), status, words },
        403 => forbidden(words, verb, object),
        404 if text(body, "/details/kind") == "namespaces" && object.kind != "Namespace" => {
            Error::NamespaceMissing(namespace)
        }
        404 if text(body, "/details/name").is_empty() => Error::NotServed {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            advice: "use a cluster of Kubernetes 1.30 or later, or install what serves it",
        },
        404 => Error::Absent(object.clone()),
        _ if !unknown_fields(&words).is_empty() => Error::UnknownFields {
            object: Box::new(object.clone()),
            fields: unknown_fields(&words),
        },
        422 => Error::Invalid { object: Box::new(object.clone()), faults: faults(causes, words) },
        _ => Error::Refused { object: Box::new(object.clone()), status, words },
    }
}

/// One line of it.
fn line(words: &str) -> String {
    let words: Vec<_> = words.split_ascii_whitespace().collect();
    clean(words.join(" ").as_bytes())
}

fn forbidden(words: String, verb: &str, object: &ObjectRef) -> Error {
    if let Some((_, counts)) = words.split_once("exceeded quota: ") {
        return Error::Quota { object: Box::new(object.clone()), words: counts.to_owned() };
    }
    // `failed quota: q: must specify limits.cpu for: app`
    if let Some((_, needs)) = words.split_once("failed quota: ") {
        return Error::Quota { object: Box::new(object.clone()), words: needs.to_owned() };
    }
    if let Some(right) = right(&words) {
        return Error::Denied { right };
    }
    // Without words of its own it is an authorizer; with them, a plugin that looked at the object.
    if words.contains("is forbidden: ") {
        return Error::Refused { object: Box::new(object.clone()), status: 403, words };
    }
    let plural = Kind::of(object).map_or("objects", |kind| kind.plural);
    let right = Right {
        verb: verb.to_owned(),
        group: group(&object.api_version).to_owned(),
        resource: plural.to_owned(),
        namespace: object.namespace.clone(),
    };
    Error::Denied { right }
}

/// The right in `User "a" cannot list resource "pods" in API group "" in the namespace "b"`.
fn right(words: &str) -> Option<Right> {
    let (_, rest) = words.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once("\" in API group \"")?;
    let (group, rest) = rest.split_once('"')?;
    let namespace =
        rest.split_once("in the namespace \"").and_then(|(_, name)| name.split_once('"'));
    Some(Right {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.map(|(name, _)| name.to_owned()),
    })
}

/// Name and words of an admission webhook or policy that refused.
fn admission(words: &str) -> Option<(String, String)> {
    let webhook = words.split_once("admission webhook \"").and_then(|(_, rest)| {
        let (name, rest) = rest.split_once('"')?;
        let (_, words) = rest.split_once("denied the request")?;
        Some((name, words))
    });
    let failing = || {
        let (_, rest) = words.split_once("failed calling webhook \"")?;
        let (name, words) = rest.split_once('"')?;
        Some((name, words))
    };
    let policy = || {
        let (_, rest) = words.split_once("ValidatingAdmissionPolicy '")?;
        let (name, rest) = rest.split_once('\'')?;
        let (_, words) = rest.split_once("denied request")?;
        Some((name, words))
    };
    let (name, words) = webhook.or_else(failing).or_else(policy)?;
    let words = words.trim_start_matches([':', ' ']);
    let words = if words.is_empty() { "it gives no reason" } else { words };
    Some((name.to_owned(), words.to_owned()))
}

/// The paths in `strict decoding error: unknown field "spec.a"` and in what applying says.
fn unknown_fields(words: &str) -> Vec<String> {
    let strict = words.split("unknown field \"").skip(1);
    let strict = strict.filter_map(|rest| rest.split_once('"')).map(|(field, _)| field);
    let undeclared = words.split(": field not declared in schema");
    let mut undeclared: Vec<_> = undeclared.collect();
    undeclared.pop();
    let undeclared = undeclared.into_iter().filter_map(|before| before.rsplit([' ', ',']).next());
    strict.chain(undeclared).map(|field| field.trim_start_matches('.').to_owned()).collect()
}

fn faults(causes: &[Value], words: String) -> Vec<Fault> {
    if causes.is_empty() {
        return vec![Fault { field: String::new(), reason: "Invalid".to_owned(), words }];
    }
    let fault = |cause: &Value| Fault {
        field: text(cause, "/field").to_owned(),
        reason: text(cause, "/reason").to_owned(),
        words: line(text(cause, "/message")),
    };
    let mut faults: Vec<_> = causes.iter().map(fault).collect();
    faults.dedup();
    faults
}
