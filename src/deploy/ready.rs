//! How far a rollout is, whatever it is on.

/// How many replicas of a pod may serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReady {
    /// The pod.
    pub pod: String,
    /// Replicas all of whose containers are ready.
    pub ready: u32,
    /// All its replicas.
    pub total: u32,
}
