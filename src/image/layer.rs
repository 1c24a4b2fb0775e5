//! Images that are another one and a layer of files: nothing runs to build them.

use std::collections::BTreeMap;

/// A layer of files on a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerBuild {
    /// How containers or mounts name the image, and its key among the pinned ones.
    pub reference: String,
    /// `account/project/name`, without a registry.
    pub repository: String,
    /// Its tag; later builds take it over.
    pub tag: String,
    /// The reference of the image below, in the words of whoever runs it: a key among the pinned
    /// images when it is one of the deployment's own.
    pub base: String,
    /// What is put where, in order; a later file wins.
    pub placements: Vec<Placement>,
    /// Absolute patterns of what the application may write; what matches nothing becomes a folder.
    pub writables: Vec<String>,
    /// Whom the writables belong to, and who runs the image when there are any.
    pub user: User,
    /// What the image runs; none: what its base does.
    pub command: Option<Vec<String>>,
    /// What is said of it in its manifest, and not in its configuration.
    pub annotations: BTreeMap<String, String>,
    /// Labels on engines, by which the image's project knows it again.
    pub labels: BTreeMap<String, String>,
}

/// Files of the workspace in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// A file or a folder, relative to the workspace; a slash at the end (and `.`) means what is
    /// in the folder (paas-yaml.md §10.4).
    pub source: String,
    /// The absolute folder in the image that it is put into.
    pub folder: String,
}

/// A user and a group by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user's.
    pub uid: u32,
    /// The group's.
    pub gid: u32,
}
