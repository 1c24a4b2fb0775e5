//! What is put over a base, path by path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::image::layer::User;
use crate::layers::LayerError;
use crate::layers::tree::{self, Content, Key, NodeKind, Nowhere, Step, Tree, bounds, parent};

/// What names begin with that take something away from lower layers.
const TAKES_AWAY: &[u8] = b".wh.";

/// Bits of a mode that go when a file changes hands.
const BORROWED: u32 = 0o6000;

/// One entry of the layer.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) kind: AddedKind,
    pub(super) mode: u32,
    pub(super) date: u64,
    /// Whom it belongs to; nobody in particular: root.
    pub(super) user: Option<User>,
}

/// What it is.
#[derive(Debug, Clone)]
pub(super) enum AddedKind {
    Folder,
    Link(Vec<u8>),
    /// A file of the commit, by its path there.
    File(PathBuf),
    /// A file of the base.
    Again(Content),
}

/// A base, and what is put over it.
pub(super) struct Overlay<'a> {
    base: &'a Tree,
    added: BTreeMap<Key, Added>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(base: &'a Tree) -> Self {
        Self { base, added: BTreeMap::new() }
    }

    fn look(&self, key: &[u8]) -> Option<Step> {
        if let Some(added) = self.added.get(key) {
            return Some(match &added.kind {
                AddedKind::Folder => Step::Folder,
                AddedKind::Link(target) => Step::Link(target.clone()),
                AddedKind::File(_) | AddedKind::Again(_) => Step::File,
            });
        }
        self.base.get(key).map(|node| match &node.kind {
            NodeKind::Folder => Step::Folder,
            NodeKind::Link(target) => Step::Link(target.clone()),
            NodeKind::File(_) | NodeKind::Other => Step::File,
        })
    }

    /// Where a path of the image leads to.
    pub(super) fn resolve(&self, path: &[u8], what: &str) -> Result<Key, LayerError> {
        tree::resolve(path, |key| self.look(key)).map_err(|nowhere| match nowhere {
            Nowhere::File(place) => occupied(what, &place, "file"),
            Nowhere::Long => LayerError::LongPath,
            Nowhere::Circle => LayerError::Circle(String::from_utf8_lossy(path).into_owned()),
        })
    }

    /// Whether something is at a path, itself and not what it leads to.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        key.is_empty() || self.look(key).is_some()
    }

    /// Makes sure that a resolved path is a folder, and those above it.
    pub(super) fn folder(&mut self, key: &[u8], what: &str) -> Result<(), LayerError> {
        let mut missing = key;
        while !missing.is_empty() {
            match self.look(missing) {
                Some(Step::Folder) => break,
                Some(Step::File | Step::Link(_)) => return Err(occupied(what, missing, "file")),
                None => {
                    let date = crate::building::files::FIRST_DATE;
                    let folder = Added { kind: AddedKind::Folder, mode: 0o755, date, user: None };
                    self.insert(missing.to_owned(), folder)?;
                    missing = parent(missing).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, key: Key, added: Added) -> Result<(), LayerError> {
        let name = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if name.starts_with(TAKES_AWAY) {
            return Err(LayerError::TakesAway(String::from_utf8_lossy(&key).into_owned()));
        }
        self.added.insert(key, added);
        Ok(())
    }

    /// Puts a file or a link into a folder that is there.
    pub(super) fn put(&mut self, key: Key, added: Added, what: &str) -> Result<(), LayerError> {
        if key.is_empty() || matches!(self.look(&key), Some(Step::Folder)) {
            return Err(occupied(what, &key, "folder"));
        }
        self.insert(key, added)
    }

    /// The paths that are in a folder and below it.
    pub(super) fn below(&self, key: &[u8]) -> Vec<Key> {
        let base = self.base.below(key).map(|(key, _)| key);
        let base = base.filter(|key| !self.is_hidden(key));
        let added = self.added.range(bounds(key)).map(|(key, _)| key);
        let mut keys: Vec<Key> = base.chain(added).cloned().collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether a path of the base is under something that is no folder any more.
    fn is_hidden(&self, key: &[u8]) -> bool {
        let mut above = parent(key);
        while let Some(folder) = above.filter(|folder| !folder.is_empty()) {
            let added = self.added.get(folder);
            if added.is_some_and(|added| !matches!(added.kind, AddedKind::Folder)) {
                return true;
            }
            above = parent(folder);
        }
        false
    }

    /// Gives what is at a path, and below it, to somebody who may write it.
    pub(super) fn give(&mut self, key: &[u8], user: User) {
        self.give_alone(key, user);
        for key in self.below(key) {
            self.give_alone(&key, user);
        }
    }

    /// The same for what is at a path, without what is below.
    pub(super) fn give_alone(&mut self, key: &[u8], user: User) {
        if key.is_empty() {
            // Whoever may write the root of an image owns nothing in it yet.
            return;
        }
        if let Some(added) = self.added.get_mut(key) {
            added.user = Some(user);
            return;
        }
        let Some(node) = self.base.get(key) else { return };
        let (kind, borrowed) = match &node.kind {
            NodeKind::Folder => (AddedKind::Folder, 0),
            NodeKind::Link(target) => (AddedKind::Link(target.clone()), BORROWED),
            NodeKind::File(content) => (AddedKind::Again(*content), BORROWED),
            // A device of an image is a device for root.
            NodeKind::Other => return,
        };
        let mode = node.mode & !borrowed | 0o200;
        let added = Added { kind, mode, date: node.mtime, user: Some(user) };
        self.added.insert(key.to_owned(), added);
    }

    /// Layers of the base whose content becomes part of this one.
    pub(super) fn layers(&self) -> BTreeSet<usize> {
        let layer = |added: &Added| match &added.kind {
            AddedKind::Again(content) => Some(content.layer),
            AddedKind::Folder | AddedKind::Link(_) | AddedKind::File(_) => None,
        };
        self.added.values().filter_map(layer).collect()
    }

    /// The entries of the layer, folders before what is in them.
    pub(super) fn added(&self) -> &BTreeMap<Key, Added> {
        &self.added
    }
}

fn occupied(what: &str, place: &[u8], there: &'static str) -> LayerError {
    let place = String::from_utf8_lossy(place).into_owned();
    LayerError::Occupied { what: what.to_owned(), place, there }
}
