//! What is built for a deployment: which images, in which order, under which names.

pub mod dockerfile;
pub mod dockerignore;
pub mod layer;
mod layers;
mod naming;
pub mod pattern;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::domain::ids::JobNumber;
use crate::domain::oid::Oid;
use crate::domain::platform::Platform;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::image::layer::{LayerBuild, User};

pub use plan::{PlanError, dockerfile_images, plan};

/// One image that a deployment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// How to come by it.
    pub build: Build,
    /// References of others that must be there before.
    pub needs: BTreeSet<String>,
}

/// How to come by an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Build {
    /// From a Dockerfile.
    Dockerfile(ImageBuild),
    /// From another image and files.
    Layers(LayerBuild),
    /// From a registry, or the engine has it already.
    Stock(String),
}

impl ImageBuild {
    /// The same image for another platform, from bases that are called by other names.
    #[must_use]
    pub fn of_platform(&self, platform: &Platform, pins: BTreeMap<String, String>) -> Self {
        let tag = |name: &str| naming::with_suffix(name, &format!("-{}", platform.in_tags()));
        Self {
            tag: tag(&self.tag),
            own_tag: tag(&self.own_tag),
            platform: Some(platform.clone()),
            pins,
            ..self.clone()
        }
    }
}

impl Build {
    /// Its key among the pinned images.
    pub fn reference(&self) -> &str {
        match self {
            Self::Dockerfile(build) => &build.reference,
            Self::Layers(build) => &build.reference,
            Self::Stock(reference) => reference,
        }
    }
}

/// Where the folder of a Dockerfile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// In the commit.
    Checkout,
    /// In the platform's library.
    Library,
}

/// A folder with a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folder {
    /// Below what.
    pub root: Root,
    /// The path from there.
    pub path: String,
}

/// One image to build from a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// How containers name it, such as `web:production`.
    pub reference: String,
    /// Folder of the Dockerfile and its context.
    pub context: Folder,
    /// Its name on the engine; later builds take it over.
    pub tag: String,
    /// A second name that no other job takes over, so that nobody's clean-up finds the image
    /// nameless while a release can still be rolled back to it.
    pub own_tag: String,
    /// Images that its Dockerfile takes something from, as written there.
    pub bases: Vec<String>,
    /// Platforms that it names, such as `linux/amd64`.
    pub platforms: BTreeSet<String>,
    /// Names of its bases that other jobs may take over, and the names of this job for them.
    pub pins: BTreeMap<String, String>,
    /// Those of its bases that are images of the same job, and their keys among the pinned ones.
    pub own: BTreeMap<String, String>,
    /// What it is built for; nothing: what the engine runs.
    pub platform: Option<Platform>,
    /// Whose cache its commands share.
    pub account: String,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// Where the files of a build come from.
#[derive(Debug, Clone)]
pub struct Provenance<'a> {
    /// The account.
    pub account: &'a AccountSlug,
    /// The project.
    pub project: &'a ProjectSlug,
    /// The job that builds.
    pub job: JobNumber,
    /// The commit.
    pub commit: Oid,
    /// When it was made.
    pub committed_at: DateTime<Utc>,
    /// Labels of everything the run makes.
    pub labels: &'a BTreeMap<String, String>,
    /// What images of volumes are based on.
    pub volume_base: &'a str,
    /// Whom the files belong to that an application may write.
    pub writer: User,
}
