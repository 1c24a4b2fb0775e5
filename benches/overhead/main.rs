//! What Pierhead adds to git, Docker and the application: `cargo bench --bench overhead`.
//!
//! Needs what the tests need, which `bin/test -- cargo bench --bench overhead` starts, and sshd
//! and docker's own client. `-- 30` measures 30 rounds instead of 10.
//!
//! Each round pushes a changed hello application to a Pierhead of its own, from a warm start, and
//! then does by hand what a person without Pierhead would do: push to a bare repository behind
//! OpenSSH's server, `docker build`, `docker run`, wait for the answer, stop and remove what served
//! before. What is measured where:
//!
//! * **first line**: from the moment at which git's `pack-objects` has written the pack (the end of
//!   `write-pack-file` in git's own trace) to the moment at which `git push` has written its first
//!   `remote:` line. On the way: SSH, unpacking, git's checks, the policy, compiling the file,
//!   creating the job, and back.
//! * **steps**: as the job's History tells them.
//! * **in the engine**: Pierhead reaches the Docker Engine through a socket of this program, which
//!   notes when a request begins and when the last byte of its answer is there. Of requests at the
//!   same time the time counts once.
//! * **own overhead of the job**: from the creation of the job to its end, less the time in the
//!   engine (Docker's part), less the time from `docker run` to the first answer by hand (the
//!   application's part). git has none: the job begins when the pack is stored, and reading the
//!   repository is counted as ours. What is left are rows, files, decisions and waits.
//! * **git push, without its job**: git's part, our SSH server and the hooks; beside it stands the
//!   same push to OpenSSH's server.
//!
//! How the engine is used is Pierhead's choice too. What that costs shows where a part of the
//! engine's takes longer than the same by hand.

#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod engine_watch;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod plain_server;
#[cfg(test)]
#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod support;

fn main() {
    #[cfg(test)]
    measure::run();
}
