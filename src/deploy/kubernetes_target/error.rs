//! Why a cluster does not have what it should.

use crate::kubernetes::{Digest, Error, Right};

/// Why a cluster does not have what it should.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// It does not answer, or refuses.
    #[error("cluster {cluster}: {source}")]
    Refused {
        /// Its name.
        cluster: String,
        /// What it is about in the file, such as `pods.web`; empty when it is about nothing there.
        at: String,
        /// Why.
        source: Box<Error>,
    },
    /// Whoever signs in may not do what deployments need.
    #[error("{}", first(.missing))]
    Denied {
        /// Its name.
        cluster: String,
        /// Every right that is missing.
        missing: Vec<Right>,
    },
    /// Something of it does not serve, or did not end well.
    #[error("{digest}")]
    NotReady {
        /// Its name.
        cluster: String,
        /// What is to blame in the file, such as `pods.web.containers.app`.
        at: String,
        /// Why.
        digest: Box<Digest>,
    },
}

impl ClusterError {
    /// A cluster that refuses, or is away.
    pub(super) fn refused(cluster: &str, source: Error) -> Self {
        let (cluster, at) = (cluster.to_owned(), String::new());
        Self::Refused { cluster, at, source: Box::new(source) }
    }

    /// The same about something in the file.
    pub(super) fn of(self, thing: &str) -> Self {
        match self {
            Self::Refused { cluster, source, .. } => {
                Self::Refused { cluster, at: thing.to_owned(), source }
            }
            other @ (Self::Denied { .. } | Self::NotReady { .. }) => other,
        }
    }

    /// What there is to read besides its one line; `place` says where something is in the file.
    pub fn lines(&self, place: impl Fn(&str) -> String) -> Vec<String> {
        match self {
            Self::Refused { cluster, at, source } => {
                let mut lines: Vec<String> =
                    Some(at).filter(|at| !at.is_empty()).map(|at| place(at)).into_iter().collect();
                if matches!(**source, Error::Foreign { is_adoptable: true, .. }) {
                    lines.push("to have it taken over, ask an administrator for".to_owned());
                    let set = "pierhead admin set cluster <project>";
                    lines.push(format!("  {set} {cluster} --adoption next"));
                }
                lines
            }
            Self::Denied { cluster, missing } => {
                let mut lines = vec![format!("cluster {cluster}, where whoever signs in may not:")];
                let same = |a: &Right, b: &Right| a.resource == b.resource && a.group == b.group;
                lines.extend(missing.chunk_by(same).filter_map(|rights| {
                    let verbs: Vec<_> = rights.iter().map(|right| right.verb.as_str()).collect();
                    let right = rights.first()?.clone();
                    Some(format!("  {}", Right { verb: verbs.join(", "), ..right }))
                }));
                lines
            }
            Self::NotReady { cluster, at, digest } => {
                let mut lines = vec![format!("{}, cluster {cluster}", place(at))];
                let headline = digest.to_string();
                let troubles = digest.troubles.iter().map(ToString::to_string);
                lines.extend(troubles.filter(|trouble| !headline.contains(trouble)));
                lines.extend(digest.happenings.iter().map(ToString::to_string));
                if let Some(output) = &digest.output {
                    lines.push(format!("last lines of {} in {}:", output.container, output.pod));
                    lines.extend(output.lines.iter().map(|line| format!("  {line}")));
                }
                lines
            }
        }
    }

    /// Whether it is about the cluster, and not about what is deployed there.
    pub fn is_ours(&self) -> bool {
        match self {
            Self::Refused { source, .. } => is_of_the_cluster(source),
            Self::Denied { .. } => true,
            Self::NotReady { .. } => false,
        }
    }
}

/// Whether whoever runs a cluster can mend what it did not do, rather than whoever wrote the file.
fn is_of_the_cluster(error: &Error) -> bool {
    match error {
        // Another name, another value, or less of it.
        Error::Foreign { .. } | Error::Invalid { .. } | Error::Quota { .. } => false,
        // Without a kind of its own it is what was sent, unless the cluster broke over it.
        Error::Refused { status, .. } => *status >= 500,
        // Who pushes sees neither the rules of a cluster nor its version.
        Error::Admission { .. } | Error::UnknownFields { .. } => true,
        Error::Access(_)
        | Error::Unreachable { .. }
        | Error::Busy { .. }
        | Error::Untrusted { .. }
        | Error::SignedOut { .. }
        | Error::Denied { .. }
        | Error::NamespaceMissing(_)
        | Error::NamespaceEnding(_)
        | Error::Absent(_)
        | Error::UnknownKind { .. }
        | Error::NotServed { .. }
        | Error::Lingering { .. }
        | Error::NoChild { .. }
        | Error::Garbled { .. } => true,
    }
}

/// The first of some rights that are missing, as one line.
fn first(missing: &[Right]) -> String {
    let first = missing.first().map(ToString::to_string).unwrap_or_default();
    let more = match missing.len() {
        0 | 1 => String::new(),
        count => format!(", and {} rights more", count - 1),
    };
    format!("no permission to {first}{more}: grant them, as docs/kubernetes-role.yaml does")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::{AccessError, Fault, ObjectRef};

    fn right() -> Right {
        let [verb, group, resource] = ["create", "apps", "deployments"].map(str::to_owned);
        Right { verb, group, resource, namespace: None }
    }

    #[test]
    fn what_a_cluster_refuses_is_mended_by_who_runs_it_or_by_who_wrote_the_file() {
        let [address, words] = ["https://k.example", "no"].map(str::to_owned);
        let object = || Box::new(ObjectRef::new("apps/v1", "Deployment", "web-dplmt"));
        let [api_version, kind] = ["apps/v1", "Deployment"].map(str::to_owned);
        let refused = |status| Error::Refused { object: object(), status, words: words.clone() };
        let foreign = |is_adoptable| {
            let [name, owner] = ["web-dplmt", "nobody"].map(str::to_owned);
            Error::Foreign { kind: kind.clone(), name, owner, is_adoptable }
        };
        let field = "spec.replicas".to_owned();
        let fault = Fault { field, reason: "FieldValueInvalid".to_owned(), words: words.clone() };
        let theirs = [
            foreign(false),
            foreign(true),
            Error::Invalid { object: object(), faults: vec![fault] },
            Error::Quota { object: object(), words: words.clone() },
            refused(400),
            refused(403),
        ];
        let ours = [
            Error::Access(AccessError::Token),
            Error::Unreachable { address: address.clone(), cause: words.clone() },
            Error::Busy { address: address.clone(), status: 429, words: words.clone() },
            Error::Untrusted { address: address.clone(), cause: words.clone() },
            Error::SignedOut { address: address.clone() },
            Error::Denied { right: right() },
            Error::NamespaceMissing("shops".to_owned()),
            Error::NamespaceEnding("shops".to_owned()),
            Error::Admission { object: object(), rule: "r".to_owned(), words: words.clone() },
            Error::UnknownFields { object: object(), fields: vec!["spec.a".to_owned()] },
            Error::Absent(*object()),
            Error::UnknownKind { api_version: api_version.clone(), kind: kind.clone() },
            Error::NotServed { api_version, kind: kind.clone(), advice: "install it" },
            Error::Lingering { object: object(), seconds: 60, held_by: Vec::new() },
            Error::NoChild { anchor: object(), words: words.clone() },
            refused(500),
            Error::Garbled { address, words: words.clone() },
        ];
        let theirs = theirs.into_iter().map(|error| (false, error));
        for (expected, error) in theirs.chain(ours.into_iter().map(|error| (true, error))) {
            let told = error.to_string();
            assert_eq!(ClusterError::refused("eu", error).is_ours(), expected, "{told}");
        }
        let cluster = "eu".to_owned();
        assert!(ClusterError::Denied { cluster, missing: vec![right()] }.is_ours());
    }
}
