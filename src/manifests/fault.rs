//! What cannot be done on a Kubernetes cluster, and where the file asks for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::level::Level;

/// Something that this target cannot do, and where the file asks for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct Unrenderable {
    /// Path in the file, such as `pods.web.restart-policy`.
    pub at: String,
    /// What cannot be done.
    pub what: Cannot,
}

/// Something that a person may want to know, and where it is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Path in the file.
    pub at: String,
    /// What.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)
    }
}

/// What this target cannot do, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cannot {
    /// Pods that serve, and are not started again.
    #[error("pods that serve are always started again; take this away, or make it a job")]
    EndInService,
    /// Exit codes of pods that are started again whatever they exit with.
    #[error(
        "exit codes decide only about pods that are not started again: write `never`, or take \
         `success-on` and `fail-on` away"
    )]
    CodesOfRestarted,
    /// Success with another code than 0, several times.
    #[error(
        "code {0} cannot mean success of a job with several completions: exit with 0, or write \
         `count: 1`"
    )]
    SuccessCode(i32),
    /// A list or a mapping where a text is due.
    #[error("this must be a single value or a list of them")]
    Nested,
    /// A list or a single value where names have values.
    #[error("this must be a mapping of names to values")]
    NoMapping,
    /// A list or a mapping where one text is due.
    #[error("this must be a single value")]
    NotSingle,
    /// A value that is said to be encoded and is not.
    #[error("what stands behind `base64:` is not Base64")]
    Base64,
    /// A secret that lacks what its type is made of.
    #[error("a secret of type `{kind}` needs {keys}")]
    Incomplete {
        /// The type.
        kind: String,
        /// The keys.
        keys: &'static str,
    },
    /// Credentials that are no JSON.
    #[error("this must be JSON, as `docker login` writes it")]
    NotJson,
    /// A name of an entry.
    #[error("`{0}` cannot be the name of an entry: use letters, digits, `-`, `_` and `.`")]
    Key(String),
    /// More than an object may hold.
    #[error("it holds {0} bytes; at most 1 MiB: let an image or a volume hold large files")]
    TooLarge(usize),
    /// A name of something that was, or should be, on the cluster.
    #[error("`{0}` cannot be a name on the cluster: use a-z, 0-9, `-` and `.`")]
    Name(String),
    /// A name of a Service.
    #[error("`{0}` cannot be the name of a Service: let it begin with a letter")]
    ServiceName(String),
    /// A requirement of a node.
    #[error("`{0}` cannot be a label of a node: use letters, digits, `-`, `_` and `.`")]
    Requirement(String),
    /// A name of a variable.
    #[error("Kubernetes {1} has no variables named `{0}`: use letters, digits, `_`, `-` and `.`")]
    Variable(String, Level),
    /// A resource that no node has.
    #[error(
        "a Kubernetes target has no resource `{0}`; it has cpu, memory, ephemeral-storage and \
         what nodes were given, such as nvidia.com/gpu"
    )]
    Resource(String),
    /// A part of something whole, or more than what is guaranteed.
    #[error("`{0}` is given out whole: give it the same whole number as `require` and `limit`")]
    Whole(String),
    /// A resource that the account's quota counts, and a container that does not say how much.
    #[error("the account's quota counts {0}: add a row for it under `resources`")]
    Uncounted(String),
    /// More than a number of Kubernetes can say.
    #[error("{0} is too much")]
    TooMuch(u64),
    /// A disk without a size.
    #[error(
        "no `storage-size` given and no default for cluster `{0}`: give it one, or set it under \
         `defaults`"
    )]
    NoSize(String),
    /// A size that is none.
    #[error("`{0}` is not a size: write 512Mi, 5Gi, 20G and the like")]
    Size(String),
    /// Two things with one name.
    #[error("this has the same name on the cluster as {0}: rename one of them")]
    SameName(String),
    /// Two mounts at one path.
    #[error("`{0}` is mounted twice in this container")]
    MountedTwice(String),
    /// A path that no mount can have.
    #[error("`{0}` cannot be mounted there: a path has no `:`")]
    MountPath(String),
    /// A Service without ports.
    #[error("a service needs a port: give it one under `ports`")]
    NoPorts,
    /// A host that an ingress cannot answer for.
    #[error("`{0}` is not a DNS name, of which ingresses are")]
    Host(String),
    /// An annotation that would steer more than its ingress.
    #[error("this platform does not allow the annotation `{0}`: ask who operates it")]
    Annotation(String),
    /// A name of an annotation.
    #[error("`{0}` cannot be the name of an annotation")]
    AnnotationName(String),
    /// An image that was not pinned, which is a fault of ours.
    #[error("image `{0}` was neither built nor found")]
    Image(String),
    /// An image that only one engine has.
    #[error("image `{0}` is in no registry, from which nodes could pull it")]
    NotPushed(String),
}
