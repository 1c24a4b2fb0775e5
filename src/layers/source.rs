//! Files of a commit, on their way to where they are declared to be (paas-yaml.md §10.4).

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::FileType;
use tokio_util::sync::CancellationToken;

use crate::building::files::{
    FIRST_DATE, FileFacts, Tally, entries, facts, kind_of, open_declared, open_root, target,
};
use crate::building::{ContextError, ContextLimits, Sent};
use crate::image::layer::Placement;
use crate::layers::placing::{Added, AddedKind, Overlay};
use crate::layers::tree::{Key, join};
use crate::layers::{LayerError, go_on};

/// Puts everything where it is declared to be, in order; a later file wins.
pub(super) fn place(
    overlay: &mut Overlay<'_>,
    placements: &[Placement],
    (root, limits): (&Path, ContextLimits),
    stop: &CancellationToken,
) -> Result<Sent, LayerError> {
    let root = open_root(root)?;
    let mut placing = Placing { root: &root, overlay, tally: Tally::new(limits), stop };
    for placement in placements {
        placing.declared(placement)?;
    }
    Ok(placing.tally.sent())
}

struct Placing<'a, 'b> {
    root: &'a OwnedFd,
    stop: &'a CancellationToken,
    overlay: &'a mut Overlay<'b>,
    tally: Tally,
}

impl Placing<'_, '_> {
    fn declared(&mut self, placement: &Placement) -> Result<(), LayerError> {
        let what = placement.source.as_str();
        let trimmed = what.trim_matches('/');
        let trimmed = trimmed.strip_suffix("/.").unwrap_or(trimmed);
        let is_content = what.ends_with('/') || what.ends_with("/.") || matches!(trimmed, "" | ".");
        let path = Path::new(if trimmed.is_empty() { "." } else { trimmed });
        let folder = self.overlay.resolve(placement.folder.as_bytes(), what)?;
        self.overlay.folder(&folder, what)?;
        let kind = kind_of(&open_declared(self.root, path)?, path)?;
        let name = path.file_name().filter(|_| !is_content);
        match (kind, name) {
            (FileType::Directory, None) => self.content(path, &folder, what),
            (FileType::Directory, Some(name)) => self.folder(path, (&folder, name), what),
            // A slash behind the name of a file means nothing.
            (_, name) => {
                let name = name.or(path.file_name()).unwrap_or_default();
                self.file(path, join(&folder, name.as_bytes()), what)
            }
        }
    }

    fn folder(
        &mut self,
        path: &Path,
        (folder, name): (&[u8], &OsStr),
        what: &str,
    ) -> Result<(), LayerError> {
        self.tally.count(0)?;
        let place = self.overlay.resolve(&join(folder, name.as_bytes()), what)?;
        self.overlay.folder(&place, what)?;
        self.content(path, &place, what)
    }

    fn content(&mut self, path: &Path, folder: &[u8], what: &str) -> Result<(), LayerError> {
        for (name, kind) in entries(&open_declared(self.root, path)?, path)? {
            go_on(self.stop)?;
            let own = path.join(&name);
            let place = join(folder, name.as_bytes());
            match kind {
                FileType::Directory => self.folder(&own, (folder, &name), what)?,
                FileType::RegularFile => self.file(&own, place, what)?,
                FileType::Symlink => {
                    self.tally.count(0)?;
                    let target = target(self.root, &own)?;
                    let kind = AddedKind::Link(target.as_os_str().as_bytes().to_owned());
                    let link = Added { kind, mode: 0o777, date: FIRST_DATE, user: None };
                    self.overlay.put(place, link, what)?;
                }
                FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => {
                    return Err(ContextError::Special(own.to_string_lossy().into_owned()).into());
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, place: Key, what: &str) -> Result<(), LayerError> {
        let FileFacts { mode, date, .. } =
            facts(&open_declared(self.root, path)?, path, &mut self.tally)?;
        let file = Added { kind: AddedKind::File(path.to_owned()), mode, date, user: None };
        self.overlay.put(place, file, what)
    }
}
