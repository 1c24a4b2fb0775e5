//! The paths of a commit.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::domain::nearest::nearest;

/// Files of a commit by their paths, such as `docker/web/Dockerfile`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(BTreeSet<String>);

impl Tree {
    /// Whether there is a file of this path.
    pub fn has_file(&self, path: &str) -> bool {
        self.0.contains(path)
    }

    /// Whether there is a folder of this path; the root, which has none, is always there.
    pub fn has_folder(&self, path: &str) -> bool {
        path.is_empty() || self.below(path).next().is_some()
    }

    /// The folder whose path is nearest to one that is not there.
    pub(super) fn nearest_folder(&self, path: &str) -> Option<&str> {
        let parents = self.0.iter().filter_map(|file| file.rsplit_once('/'));
        let mut folders: Vec<&str> = parents.map(|(folder, _)| folder).collect();
        folders.dedup();
        nearest(path, folders.into_iter().filter(|folder| folder.len() <= 2 * path.len()))
    }

    fn below(&self, folder: &str) -> impl Iterator<Item = &String> {
        let start = format!("{folder}/");
        let from = (Bound::Included(start.clone()), Bound::Unbounded);
        self.0.range(from).take_while(move |file| file.starts_with(&start))
    }
}

impl<S: Into<String>> FromIterator<S> for Tree {
    fn from_iter<I: IntoIterator<Item = S>>(files: I) -> Self {
        Self(files.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_their_files() {
        let tree = Tree::from_iter(["docker/web/Dockerfile", "docker/web-2", "docker.md"]);
        assert!(tree.has_folder("") && tree.has_folder("docker") && tree.has_folder("docker/web"));
        assert!(!tree.has_folder("docker/we") && !tree.has_folder("docker/web-2"));
        assert!(tree.has_file("docker.md") && !tree.has_file("docker"));
        assert_eq!(tree.nearest_folder("dcker/web"), Some("docker/web"));
        assert_eq!(tree.nearest_folder("nowhere"), None);
        assert!(Tree::default().has_folder("") && !Tree::default().has_folder("a"));
    }
}
