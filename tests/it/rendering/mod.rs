//! `.paas.yaml` files as Kubernetes objects: the examples of the specification, and the command.

mod command;
mod examples;
