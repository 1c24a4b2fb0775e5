//! Images.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// An image that is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Image {
    /// From a Dockerfile.
    Dockerfile(DockerfileImage),
    /// Files of the repository on top of another image.
    Embedded(EmbeddedImage),
}

impl Image {
    /// How containers name it.
    pub fn reference(&self) -> ImageRef {
        let (origin, name, tag) = match self {
            Self::Dockerfile(image) => (Origin::Built, &image.name, &image.tag),
            Self::Embedded(image) => (Origin::Embedded, &image.name, &image.tag),
        };
        ImageRef { origin, name: name.clone(), tag: tag.clone() }
    }
}

/// An image built from a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerfileImage {
    /// Last segment of its build name; unique together with the tag.
    pub name: String,
    /// Its tag, the environment's included.
    pub tag: String,
    /// Folder of the Dockerfile and its context, relative to the repository's root, or to the
    /// platform's for an image of the library; empty: the root.
    pub path: String,
    /// Whether it comes from the platform's library.
    pub library: bool,
    /// Build arguments.
    pub variables: IndexMap<String, String>,
}

impl DockerfileImage {
    /// One of the project without build arguments.
    pub fn new(name: &str, tag: &str, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
            path: path.to_owned(),
            library: false,
            variables: IndexMap::new(),
        }
    }
}

/// An image made of another one and files of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedImage {
    /// Last segment of its base's name.
    pub name: String,
    /// Made of the base's tag, the container's and the environment's.
    pub tag: String,
    /// What it is based on.
    pub base: ImageRef,
    /// The files, by the keys of the volumes.
    pub volumes: IndexMap<String, EmbeddedVolume>,
}

/// Files of the repository in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedVolume {
    /// Its key and its container's hash.
    pub name: String,
    /// Files and folders of the repository; a slash at the end means what is in the folder.
    pub paths: Vec<String>,
    /// Where an image of its own would have the files.
    pub local_path: String,
    /// The folder they are put in.
    pub mount_path: String,
    /// What of them the application may write, as patterns below the folder.
    pub writables: Vec<String>,
}

/// Which image a container runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// Where it comes from.
    pub origin: Origin,
    /// Its name; of an external image with everything before the tag.
    pub name: String,
    /// Its tag.
    pub tag: String,
}

impl ImageRef {
    /// The text by which the image is asked for; also its key among the pinned ones.
    pub fn reference(&self) -> String {
        // A digest already says everything: engines refuse a tag after it.
        if self.name.contains('@') {
            self.name.clone()
        } else {
            format!("{}:{}", self.name, self.tag)
        }
    }
}

/// Where an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A [`DockerfileImage`] of the deployment.
    Built,
    /// An [`EmbeddedImage`] of the deployment.
    Embedded,
    /// A registry.
    External,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_needs_no_tag() {
        let name = format!("nginx@sha256:{}", "a".repeat(64));
        let image =
            ImageRef { origin: Origin::External, name: name.clone(), tag: "latest".to_owned() };
        assert_eq!(image.reference(), name);
        assert_eq!(ImageRef { name: "nginx".to_owned(), ..image }.reference(), "nginx:latest");
    }
}
