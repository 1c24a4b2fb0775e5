//! A tree as a deployment, section by section (paas-yaml.md §10).

mod containers;
mod cron;
mod embedded;
mod enhancements;
mod environment;
mod healthcheck;
mod hooks;
mod images;
mod ingresses;
mod jobs;
mod mounts;
mod names;
mod paths;
mod persistent;
mod pods;
mod services;
mod sets;
mod settings;
mod volumes;

use std::collections::BTreeSet;

use crate::paas::compile::embedded::EmbeddedImages;
use crate::paas::compile::images::Images;
use crate::paas::compile::jobs::Jobs;
use crate::paas::compile::persistent::Persistents;
use crate::paas::compile::pods::{Compiler, Pods};
use crate::paas::compile::services::Services;
use crate::paas::compile::sets::Sets;
use crate::paas::compile::volumes::Volumes;
use crate::paas::compiled::{Deployment, Image, Version};
use crate::paas::context::Context;
use crate::paas::node::Node;
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
    /// Whether the file has build hooks, which may make files that the commit does not have.
    pub(super) has_hooks: bool,
    pub(super) context: &'a Context,
}

impl Setting<'_> {
    /// The commit's files, when nothing makes others before they are used.
    fn tree(&self) -> Option<&Tree> {
        self.context.tree.as_ref().filter(|_| !self.has_hooks)
    }
}

/// What pods refer to.
struct Declared<'a> {
    setting: &'a Setting<'a>,
    sets: Sets,
    volumes: Volumes,
    images: Images,
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
    let context = setting.context;
    let requires = settings::requires(&root, &context.platform.features, reports);
    let mut availability = Availability::new(&context.hard_quotas, reports);
    let quotas = root.field("paas").and_then(|paas| match paas {
        Some(paas) => paas.items("quotas"),
        None => Ok(Vec::new()),
    });
    availability.narrow(quotas, reports);
    let defaults = settings::defaults(&root, setting);
    let declared = Declared {
        setting,
        sets: Sets::compile(&root, reports),
        volumes: Volumes::compile(root.names("volumes"), setting, reports),
        images: Images::compile(root.names("images"), setting, reports),
    };
    let hooks = hooks::compile(&root, setting, reports);
    let (mut persistents, mut embedded) = (Persistents::default(), EmbeddedImages::default());
    let mut compiler = Compiler {
        declared: &declared,
        availability: &mut availability,
        persistents: &mut persistents,
        embedded: &mut embedded,
        reports,
    };
    let jobs = Jobs::compile(root.names("jobs"), &mut compiler);
    let pods = compiler.pods(root.names("pods"), None);
    let services = Services::compile(root.names("services"), &pods, reports);
    let ingresses = ingresses::compile(root.names("ingresses"), &services, &declared, reports);
    let write_many =
        persistents.finish(defaults.as_ref().ok(), &context.targets, &context.prefix, reports);
    names::check(&root, context, reports);
    warn_of_unused(&declared, &embedded, (&jobs, &pods), reports);
    reports.stop_on_errors()?;
    // Whatever was left out has its fault; this is for what nobody thought of.
    let is_whole = |section, count| root.names(section).is_ok_and(|names| names.len() == count);
    let is_whole = !jobs.has_gaps()
        && !pods.has_gaps()
        && is_whole("services", services.count())
        && is_whole("ingresses", ingresses.len());
    if !is_whole {
        return Err(Poisoned);
    }

    let shares = availability.shares(reports);
    reports.stop_on_errors()?;
    let Declared { sets, volumes, images, .. } = declared;
    let (maps, secrets) = sets.into_model();
    let embedded = embedded.into_model().into_iter().map(Image::Embedded);
    Ok(Deployment {
        version: setting.version,
        prefix: context.prefix.clone(),
        project_name: setting.project_name.to_owned(),
        environment_tag: setting.environment_tag.to_owned(),
        requires: requires?,
        defaults: defaults?,
        secrets,
        maps,
        images: images.into_model().into_iter().chain(embedded).collect(),
        volumes: volumes.into_model(),
        hooks: hooks?,
        jobs: jobs.into_model(&shares, &write_many),
        pods: pods.into_model(&shares, &write_many),
        services: services.into_model(),
        ingresses,
        enhancements: enhancements::collect(&root),
    })
}

/// Warns of images and volumes that nothing uses, when all users are known.
fn warn_of_unused(
    declared: &Declared<'_>,
    embedded: &EmbeddedImages,
    (jobs, pods): (&Jobs, &Pods),
    reports: &mut Reports,
) {
    if jobs.has_gaps() || pods.has_gaps() {
        return;
    }
    let images: BTreeSet<_> = jobs.images().chain(pods.images()).chain(embedded.bases()).collect();
    declared.images.warn_of_unused(&images, reports);
    let volumes = jobs.shared_volumes().chain(pods.shared_volumes());
    declared.volumes.warn_of_unused(&volumes.map(str::to_owned).collect(), reports);
}
