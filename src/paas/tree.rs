//! The paths of a commit.

use std::collections::BTreeSet;
use std::ops::Bound;

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

    /// Paths of the files.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Paths of the folders that hold files.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        let mut last = "";
        let folders = self.0.iter().filter_map(|file| file.rsplit_once('/'));
        let folders = folders.map(|(folder, _)| folder);
        folders.filter(move |folder| std::mem::replace(&mut last, folder) != *folder)
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
        let tree = Tree::from_iter(["Dockerfile", "api/a", "api/b", "api/c/d", "web/e"]);
        assert_eq!(tree.folders().collect::<Vec<_>>(), ["api", "api/c", "web"]);
        assert!(Tree::default().has_folder("") && !Tree::default().has_folder("a"));
    }
}
