//! What Pierhead adds to the building of images: `cargo bench --bench images`.
//!
//! Needs what the tests need, which `bin/test -- cargo bench --bench images` starts, and docker's
//! own client. `-- trivial large push layers memory` measures only what is named.
//!
//! Each round has a folder with new content for each of two builders, and takes turns in who is
//! first, so that neither finds what the other left. Files are synced to the disk before.
//!
//! * **trivial**: a Dockerfile and one small file, with each of the engine's builders. Where
//!   docker's client has no plugin for `BuildKit`, its classic build stands beside both.
//! * **large**: a context of 500 files of 1 MB that do not compress.
//! * **push**: such an image of 100 MB, to a registry on this machine, beside `docker push`.
//! * **layers**: files of a commit on a base, by the layer builder, beside a `docker build` of the
//!   `FROM`, `COPY` and `RUN chown` that would make the same image.
//! * **memory**: the most memory that a process had whose only work was to build a context of
//!   1 GB.

#[cfg(test)]
mod by_hand;
#[cfg(test)]
#[path = "../../tests/it/docker_host.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod docker_host;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod memory;
#[cfg(test)]
#[path = "../overhead/numbers.rs"]
mod numbers;
#[cfg(test)]
mod push;

fn main() {
    #[cfg(test)]
    measure::run();
}
