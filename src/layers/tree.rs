//! The files of a base, its layers laid over each other.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::layers::BaseFault;
use crate::layers::index::{Kind, LayerIndex, MOST_ENTRIES};

/// Most bytes of all paths together.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Longest path.
const LONGEST: usize = 4096;

/// Most links on the way to one path.
const MOST_LINKS: usize = 40;

/// A path from the root, without a slash before it; the root is empty.
pub(super) type Key = Vec<u8>;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) mode: u32,
    pub(super) mtime: u64,
}

/// Of which kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NodeKind {
    Folder,
    File(Content),
    Link(Vec<u8>),
    Other,
}

/// Where the content of a file of the base is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Content {
    /// The layer, lowest first.
    pub(super) layer: usize,
    /// The entry in its tar.
    pub(super) number: u32,
}

/// All files of a base.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<Key, Node>,
    layers: usize,
    /// Bytes of all paths that were laid.
    bytes: usize,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nowhere {
    /// A file is where a folder is needed.
    File(Key),
    /// Links lead to each other.
    Circle,
    /// What comes out is longer than any path.
    Long,
}

/// What a path may lead through.
pub(super) enum Step {
    Folder,
    Link(Vec<u8>),
    File,
}

impl Tree {
    /// Lays the next layer over what is there.
    pub(super) fn lay(&mut self, index: LayerIndex) -> Result<(), BaseFault> {
        let layer = self.layers;
        self.layers += 1;
        // What is taken away is taken from lower layers, wherever in the tar it says so.
        for entry in &index.entries {
            match entry.kind {
                Kind::Gone => self.remove(&self.place(entry.path.as_bytes())),
                Kind::Emptied => self.empty(&self.place(entry.path.as_bytes())),
                Kind::Folder | Kind::File { .. } | Kind::Link(_) | Kind::Other => {}
            }
        }
        for entry in index.entries {
            let kind = match entry.kind {
                Kind::Gone | Kind::Emptied => continue,
                Kind::Folder => NodeKind::Folder,
                Kind::File { number } => NodeKind::File(Content { layer, number }),
                Kind::Link(target) => NodeKind::Link(target.into_bytes()),
                Kind::Other => NodeKind::Other,
            };
            let key = self.place(entry.path.as_bytes());
            self.bytes += key.len();
            if self.bytes > MOST_BYTES {
                return Err(BaseFault::LongPaths(MOST_BYTES));
            }
            if kind != NodeKind::Folder {
                self.empty(&key);
            }
            self.make_folders(&key);
            self.nodes.insert(key, Node { kind, mode: entry.mode, mtime: entry.mtime });
            if self.nodes.len() > MOST_ENTRIES {
                return Err(BaseFault::TooManyFiles(MOST_ENTRIES));
            }
        }
        Ok(())
    }

    /// Where an entry is, whose folder may be a link by now: engines follow it.
    fn place(&self, path: &[u8]) -> Key {
        let folder = parent(path).unwrap_or_default();
        let is_folder = |key: &[u8]| {
            let node = self.nodes.get(key);
            key.is_empty() || node.is_some_and(|node| node.kind == NodeKind::Folder)
        };
        if is_folder(folder) {
            return path.to_owned();
        }
        let step = |key: &[u8]| {
            self.nodes.get(key).map(|node| match &node.kind {
                NodeKind::Folder => Step::Folder,
                NodeKind::Link(target) => Step::Link(target.clone()),
                NodeKind::File(_) | NodeKind::Other => Step::File,
            })
        };
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        resolve(folder, step).map_or_else(|_| path.to_owned(), |folder| join(&folder, name))
    }

    /// Folders that no entry names are there all the same.
    fn make_folders(&mut self, key: &[u8]) {
        let mut folder = key;
        while let Some(above) = parent(folder).filter(|above| !above.is_empty()) {
            folder = above;
            match self.nodes.get(folder) {
                Some(Node { kind: NodeKind::Folder, .. }) => break,
                Some(_) | None => {
                    let date = crate::building::files::FIRST_DATE;
                    let node = Node { kind: NodeKind::Folder, mode: 0o755, mtime: date };
                    self.nodes.insert(folder.to_owned(), node);
                }
            }
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Node> {
        self.nodes.get(key)
    }

    /// Everything below a folder.
    pub(super) fn below(&self, key: &[u8]) -> impl Iterator<Item = (&Key, &Node)> {
        self.nodes.range(bounds(key))
    }

    /// Takes away what is at a path and below.
    pub(super) fn remove(&mut self, key: &[u8]) {
        self.nodes.remove(key);
        self.empty(key);
    }

    fn empty(&mut self, key: &[u8]) {
        let keys: Vec<Key> = self.below(key).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.nodes.remove(&key);
        }
    }
}

/// Where the keys below a folder begin and end: `/` stands before `0`.
pub(super) fn bounds(key: &[u8]) -> (Bound<Key>, Bound<Key>) {
    if key.is_empty() {
        return (Bound::Excluded(Key::new()), Bound::Unbounded);
    }
    let with = |byte: u8| key.iter().copied().chain([byte]).collect();
    (Bound::Excluded(with(b'/')), Bound::Excluded(with(b'0')))
}

/// The folder that a path is in; the root is in none.
pub(super) fn parent(key: &[u8]) -> Option<&[u8]> {
    if key.is_empty() {
        return None;
    }
    let slash = key.iter().rposition(|byte| *byte == b'/');
    slash.map_or(Some(&[]), |slash| key.get(..slash))
}

/// A name in a folder.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Key {
    if folder.is_empty() { name.to_owned() } else { [folder, b"/", name].concat() }
}

/// Where a path leads to when links are followed, in the image and nowhere else.
pub(super) fn resolve(path: &[u8], look: impl Fn(&[u8]) -> Option<Step>) -> Result<Key, Nowhere> {
    let names = |path: &[u8]| {
        let names = path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_owned);
        names.collect::<Vec<_>>()
    };
    let (mut left, mut at, mut links) = (names(path), Key::new(), 0);
    while let Some(name) = left.pop() {
        match name.as_slice() {
            b"" | b"." => continue,
            b".." => {
                at.truncate(parent(&at).map_or(0, <[u8]>::len));
                continue;
            }
            _ => {}
        }
        let next = join(&at, &name);
        if next.len() > LONGEST {
            return Err(Nowhere::Long);
        }
        match look(&next) {
            Some(Step::Link(target)) => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Nowhere::Circle);
                }
                if target.starts_with(b"/") {
                    at.clear();
                }
                left.extend(names(&target));
            }
            Some(Step::File) if left.iter().any(|name| !name.is_empty()) => {
                return Err(Nowhere::File(next));
            }
            Some(Step::File | Step::Folder) | None => at = next,
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::index::Entry;

    fn layer(entries: &[(&str, Kind)]) -> LayerIndex {
        let entry = |(path, kind): &(&str, Kind)| Entry {
            path: (*path).to_owned(),
            kind: kind.clone(),
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: 0,
        };
        LayerIndex { entries: entries.iter().map(entry).collect() }
    }

    fn file() -> Kind {
        Kind::File { number: 0 }
    }

    fn paths(layers: &[LayerIndex]) -> Vec<String> {
        let mut tree = Tree::default();
        for layer in layers {
            tree.lay(layer.clone()).unwrap();
        }
        tree.below(b"").map(|(key, _)| String::from_utf8(key.clone()).unwrap()).collect()
    }

    #[test]
    fn layers_add_replace_and_take_away() {
        let base =
            layer(&[("a/b", file()), ("a/c/d", file()), ("a-b", file()), ("e", Kind::Folder)]);
        assert_eq!(paths(std::slice::from_ref(&base)), ["a", "a-b", "a/b", "a/c", "a/c/d", "e"]);
        let gone = layer(&[("a/c", Kind::Gone), ("nothing", Kind::Gone)]);
        assert_eq!(paths(&[base.clone(), gone]), ["a", "a-b", "a/b", "e"]);
        // The new one stays, although the order in the tar is the other.
        let emptied = layer(&[("a/new", file()), ("a", Kind::Emptied)]);
        assert_eq!(paths(&[base.clone(), emptied]), ["a", "a-b", "a/new", "e"]);
        let replaced = layer(&[("a", Kind::Link("e".to_owned()))]);
        assert_eq!(paths(&[base, replaced]), ["a", "a-b", "e"]);
    }

    #[test]
    fn links_are_followed_within_the_image_and_not_for_ever() {
        let look = |key: &[u8]| match key {
            b"var/www" => Some(Step::Link(b"/srv/www".to_vec())),
            b"srv/www" => Some(Step::Link(b"../../../../data/./www".to_vec())),
            b"x" => Some(Step::Link(b"y".to_vec())),
            b"y" => Some(Step::Link(b"/x/z".to_vec())),
            b"f" => Some(Step::File),
            _ => None,
        };
        let resolved = |path: &str| resolve(path.as_bytes(), look);
        assert_eq!(resolved("/var/www/html"), Ok(b"data/www/html".to_vec()));
        assert_eq!(resolved("/../../a"), Ok(b"a".to_vec()));
        assert_eq!(resolved("/"), Ok(Key::new()));
        assert_eq!(resolved("/x"), Err(Nowhere::Circle));
        assert_eq!(resolved("/f"), Ok(b"f".to_vec()));
        assert_eq!(resolved("/f/g"), Err(Nowhere::File(b"f".to_vec())));
    }
}
