//! How long deployment files take to compile: `cargo bench --bench compile`.
//!
//! * **example**: `tests/paas/examples/a.paas.yaml` with its context, from text to model. It may
//!   take a millisecond.
//! * **pods**: files of 10, 100 and 1000 pods, each of two containers with a volume, variables and
//!   a share of two quotas, and a service for each pod. Ten times more may take ten times longer.
//! * **heavy files**: those of `tests/it/heavy_files`, each compiled once, and what it comes to
//!   rendered, in a process of its own. Its time is that on a processor, its memory the peak of
//!   resident memory (`VmHWM`) less that before it began. Each may take 100 ms and 64 MiB.
//!
//! `-- heavy` measures the heavy files only, and whatever criterion takes as a filter the rest.

#[cfg(test)]
mod heavy;
#[cfg(test)]
#[path = "../../tests/it/heavy_files/list.rs"]
mod list;
#[cfg(test)]
mod pods;
#[cfg(test)]
mod speed;

fn main() {
    #[cfg(test)]
    match heavy::asked_for() {
        heavy::Asked::File => heavy::measure(),
        heavy::Asked::Table => heavy::table(),
        heavy::Asked::Everything => {
            speed::measure();
            heavy::table();
        }
        heavy::Asked::Filter => speed::measure(),
    }
}
