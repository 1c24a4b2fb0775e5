//! What a job does, step by step.

pub mod docker_target;
