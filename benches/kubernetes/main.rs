//! What a Kubernetes cluster costs: `cargo bench --bench kubernetes`.
//!
//! Needs a cluster that `KUBECONFIG` names, with what the tests need of one, and `kubectl`, without
//! which only Pierhead's own times are told. `-- render unchanged release` measures only what is
//! named. Everything is in a namespace of its own, which is removed in the end.
//!
//! * **render**: the model of 100 pods, each of two containers with a disk, and a service for each,
//!   as objects. It may take 10 ms.
//! * **unchanged**: 100 objects, which are there and are so already, made what they shall be: a
//!   namespace, 39 maps, 30 secrets, 10 services, 10 ingresses and 10 deployments. It may take 2 s.
//!   Beside it `kubectl apply --server-side` of the same objects.
//! * **release**: the same objects, of which all have new labels and the deployments new pods, which
//!   are waited for; beside `kubectl apply --server-side` and `kubectl rollout status`. It may take
//!   as long as that.
//!
//! Both write in the name of the same field manager and take turns in who is first. Pierhead's time
//! is that of the calls of a deployment from the first question to the last answer, by a client that
//! has no connection yet; kubectl's that of its processes.

#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod measure;
#[cfg(test)]
#[path = "../overhead/numbers.rs"]
mod numbers;
#[cfg(test)]
#[path = "../compile/pods.rs"]
mod pods;

fn main() {
    #[cfg(test)]
    measure::run();
}
