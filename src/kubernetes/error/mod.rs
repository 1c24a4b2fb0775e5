//! Why a cluster did not do something, in one line that says what to do about it.

mod refusal;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::kubernetes::access::AccessError;
use crate::kubernetes::object::ObjectRef;

pub(super) use refusal::refused;

/// Why a cluster did not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is stored about the cluster is wrong.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Nobody answers, for as long as patience goes.
    #[error(
        "the cluster at {address} does not answer: {cause}; see that it runs, and that this machine \
         may connect to it"
    )]
    Unreachable {
        /// Its address.
        address: String,
        /// What was seen.
        cause: String,
    },
    /// It has too much to do, starts or stops, for as long as patience goes.
    #[error(
        "the cluster at {address} is overloaded or not ready (status {status}): {words}; try again \
         later, or see that it runs well"
    )]
    Busy {
        /// Its address.
        address: String,
        /// The status of the answer.
        status: u16,
        /// Its words.
        words: String,
    },
    /// Somebody answers who is not known to be the cluster.
    #[error(
        "the cluster at {address} cannot prove who it is: {cause}; store the CA certificate that its \
         kubeconfig holds"
    )]
    Untrusted {
        /// Its address.
        address: String,
        /// What is wrong with its certificate.
        cause: String,
    },
    /// It does not know who asks.
    #[error(
        "the cluster at {address} does not accept who signs in: the token or client certificate is \
         wrong, revoked or has run out; store a new one"
    )]
    SignedOut {
        /// Its address.
        address: String,
    },
    /// Whoever signs in may not do it.
    #[error("no permission to {right}: grant it, as docs/kubernetes-role.yaml does")]
    Denied {
        /// What may not be done.
        right: Right,
    },
    /// There is no such namespace.
    #[error("there is no namespace `{0}`: create it, or let deployments create it")]
    NamespaceMissing(String),
    /// The namespace is going away.
    #[error("the namespace `{0}` is being deleted: wait until it is gone, and create it again")]
    NamespaceEnding(String),
    /// A quota of the namespace has no room.
    #[error(
        "no room for {object} in the quota of its namespace: {words}; ask for less, or raise it"
    )]
    Quota {
        /// What was sent.
        object: Box<ObjectRef>,
        /// What the cluster counts.
        words: String,
    },
    /// A rule of the cluster's operators is against it.
    #[error(
        "{object} is refused by the admission rule `{rule}` of the cluster: {words}; ask who runs it"
    )]
    Admission {
        /// What was sent.
        object: Box<ObjectRef>,
        /// Name of the webhook or policy.
        rule: String,
        /// Its words.
        words: String,
    },
    /// Values that cannot be.
    #[error("{object} is not valid: {}; correct what it is made of", list(.faults))]
    Invalid {
        /// What was sent.
        object: Box<ObjectRef>,
        /// Every fault.
        faults: Vec<Fault>,
    },
    /// Fields that this cluster does not know.
    #[error(
        "{object} has fields that this cluster does not know: {}; set the level of Kubernetes to the \
         cluster's, or upgrade it", .fields.join(", ")
    )]
    UnknownFields {
        /// What was sent.
        object: Box<ObjectRef>,
        /// Their paths.
        fields: Vec<String>,
    },
    /// It is somebody else's.
    #[error("{kind} {name} belongs to another owner ({owner}): rename yours, or delete it there")]
    Foreign {
        /// Kind of the object.
        kind: String,
        /// Its name.
        name: String,
        /// Whose it seems to be.
        owner: String,
        /// Whether it may be taken over, when that is asked for.
        is_adoptable: bool,
    },
    /// It is not there.
    #[error("there is no {0}: it may have been deleted meanwhile; deploy again")]
    Absent(ObjectRef),
    /// Objects of this kind are not driven.
    #[error("objects of kind {kind} in {api_version} are not deployed: leave it out")]
    UnknownKind {
        /// Group and version.
        api_version: String,
        /// Kind.
        kind: String,
    },
    /// The cluster does not serve the kind.
    #[error("the cluster does not know {kind} of {api_version}: {advice}")]
    NotServed {
        /// Group and version.
        api_version: String,
        /// Kind.
        kind: String,
        /// What to do.
        advice: &'static str,
    },
    /// It does not go away.
    #[error("{object} is not deleted after {seconds} s: {}; remove what holds it", held(.held_by))]
    Lingering {
        /// What was deleted.
        object: Box<ObjectRef>,
        /// For how long.
        seconds: u64,
        /// Finalizers and pods that hold it.
        held_by: Vec<String>,
    },
    /// A namespace that is made from another one does not come.
    #[error("{anchor} makes no namespace: {words}; see the logs of the hierarchy's controller")]
    NoChild {
        /// The anchor.
        anchor: Box<ObjectRef>,
        /// What it says.
        words: String,
    },
    /// Refused for another reason.
    #[error("the cluster refused {object} ({status}): {words}; correct it and deploy again")]
    Refused {
        /// What was asked about.
        object: Box<ObjectRef>,
        /// The status of the answer.
        status: u16,
        /// Its words.
        words: String,
    },
    /// Its answer is not understood.
    #[error("the answer of {address} is not that of a cluster: {words}; check the address")]
    Garbled {
        /// The address.
        address: String,
        /// What is wrong with it.
        words: String,
    },
}

/// A right, such as to create secrets in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Right {
    /// What is done, such as `create`.
    pub verb: String,
    /// Group of the API, empty for the first one.
    pub group: String,
    /// To what, in plural and with what is below it: `pods/log`.
    pub resource: String,
    /// Where; everywhere if there is none.
    pub namespace: Option<String>,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in the whole cluster"),
        }
    }
}

/// A value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field.
    pub field: String,
    /// Kind of the fault, such as `FieldValueInvalid`.
    pub reason: String,
    /// What is wrong.
    pub words: String,
}

impl Fault {
    /// Whether the field is one that never changes again.
    pub(super) fn is_immutable(&self) -> bool {
        ["field is immutable", "updates to statefulset spec for fields other than"]
            .iter()
            .any(|words| self.words.contains(words))
    }
}

fn list(faults: &[Fault]) -> String {
    let one = |fault: &Fault| match fault.field.as_str() {
        "" => fault.words.clone(),
        field => format!("{field}: {}", fault.words),
    };
    faults.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn held(by: &[String]) -> String {
    match by {
        [] => "nothing says why".to_owned(),
        by => format!("held by {}", by.join(", ")),
    }
}
