//! Pushes, from a real git through a real ssh to a real answer of the deployed application.

mod access;
mod bad_input;
mod build_refusals;
mod buildah;
mod cancel;
mod claims;
mod commands;
mod entrances;
mod faults;
mod full_disk;
mod gallery;
mod hostile_commits;
mod hostile_dockerfiles;
mod images;
mod kubernetes;
mod language;
mod livelihood;
mod plans;
mod platforms;
mod queue;
mod redaction;
mod refs;
mod registries;
mod roles;
mod walk;
