//! The `.paas.yaml` language: text in, a deployment without open questions out.

pub mod compiled;
