//! Builds an image with BuildKit, the builder of an engine that asks back.
//!
//! A build has a session: a connection over which the engine asks for files, for who signs in at a
//! registry, and for secrets. All three are given here and nowhere else: nothing of them is an
//! argument, and the engine gets those files only that the Dockerfile takes.

mod files;
mod output;
mod services;
mod session;
mod workers;

pub(super) use session::Session;
