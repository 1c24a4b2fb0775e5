//! A tree as a deployment, section by section (paas-yaml.md §10).

mod containers;
mod healthcheck;
mod images;
mod ingresses;
mod names;
mod pods;
mod services;

use crate::paas::compile::images::Images;
use crate::paas::compile::pods::Pods;
use crate::paas::compile::services::Services;
use crate::paas::compiled::{Deployment, Version};
use crate::paas::node::Node;
use crate::paas::quantity::HardQuota;
use crate::paas::quota::Availability;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::tree::Tree;
use crate::paas::view::View;

/// What a file is compiled with, normalised.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub(super) version: Version,
    pub(super) project_name: &'a str,
    pub(super) environment_tag: &'a str,
    pub(super) prefix: &'a str,
    pub(super) tree: Option<&'a Tree>,
    pub(super) hard_quotas: &'a [HardQuota],
}

/// Compiles a validated tree.
///
/// # Errors
///
/// When anything was reported, now or before.
pub(super) fn deployment(
    root: &Node,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<Deployment, Poisoned> {
    let root = View::root(root);
    let mut availability = Availability::new(setting.hard_quotas);
    let quotas = root.field("paas").and_then(|paas| match paas {
        Some(paas) => paas.items("quotas"),
        None => Ok(Vec::new()),
    });
    availability.narrow(quotas, reports);

    let images = Images::compile(root.names("images"), setting, reports);
    let pods = Pods::compile(root.names("pods"), &images, &mut availability, reports);
    let services = Services::compile(root.names("services"), &pods, reports);
    let ingresses = ingresses::compile(root.names("ingresses"), &services, reports);
    names::check(&root, setting.prefix, reports);
    images.warn_of_unused(&pods, reports);
    reports.stop_on_errors()?;

    let shares = availability.shares(reports);
    reports.stop_on_errors()?;
    Ok(Deployment {
        version: setting.version,
        prefix: setting.prefix.to_owned(),
        project_name: setting.project_name.to_owned(),
        environment_tag: setting.environment_tag.to_owned(),
        images: images.into_model(),
        pods: pods.into_model(&shares),
        services: services.into_model(),
        ingresses,
    })
}
