//! What a rollback costs: `cargo bench --bench rollback`.
//!
//! Needs what the tests need, which `bin/test -- cargo bench --bench rollback` starts, and for the
//! second part a cluster that `KUBECONFIG` names. `-- 20` goes back 20 times instead of 10.
//!
//! Two releases of an application are deployed; then each round goes back to the one that does not
//! serve, over SSH. Both targets are measured alike:
//!
//! * **job: all**: from the creation of the job to its end.
//! * **steps**: as the job's History tells them.
//! * **own time**: what is Pierhead's of it, which may be 1 s. On an engine that is the job without the
//!   time in which the engine worked, which a socket before it notes, as `benches/overhead` does; the
//!   application's own start is in it. On a cluster it is the job without its rollout: there the
//!   cluster replaces pods, and how long that takes is the cluster's affair and the application's.
//! * **ssh rollback**: what somebody waits who types it.

#[cfg(test)]
#[path = "../overhead/engine_watch.rs"]
mod engine_watch;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod namespace;
#[cfg(test)]
#[path = "../overhead/numbers.rs"]
mod numbers;
#[cfg(test)]
#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod support;

fn main() {
    #[cfg(test)]
    measure::run();
}
