//! Pierhead: `git push`, and it is live.
//!
//! `docs/ARCHITECTURE.md` has the picture, the layers and the walk of a push.

pub mod buildah;
pub mod builder;
pub mod building;
pub mod cage;
pub mod caging;
pub mod cli;
pub mod config;
pub mod db;
pub mod deploy;
pub mod docker;
pub mod domain;
pub mod egress;
pub mod git;
pub mod git_hook;
pub mod history;
pub mod hooks;
pub mod image;
pub mod janitor;
pub mod jobs;
pub mod kubernetes;
pub mod layers;
pub mod manifests;
pub mod oci;
pub mod paas;
pub mod paas_file;
pub mod people;
pub mod progress;
pub mod projects;
pub mod push;
pub mod questions;
pub mod queue;
pub mod reseal;
pub mod router;
pub mod routing;
pub mod seal;
pub mod sources;
pub mod ssh;
pub mod stack;
pub mod tasks;
pub mod telemetry;
pub mod web;
pub mod worker;
pub mod worker_keys;
