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
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Denied { .. })
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
