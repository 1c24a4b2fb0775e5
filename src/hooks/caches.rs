//! What hooks keep for the next push of a project.
//!
//! ```text
//!  hook-caches/PROJECT/npm ──▶ npm.GENERATION/lock    shared by uses, had alone by who removes it
//!                                            /files   what a hook sees
//! ```
//!
//! To drop a cache is to take its name away. The folder goes when nobody uses it any more, so that
//! what is measured is what a hook writes to, and no use loses its files to another one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tracing::warn;
use uuid::Uuid;

use crate::caging::User;
use crate::caging::tree;

/// The file that uses lock.
const LOCK: &str = "lock";

/// The folder that hooks see.
const FILES: &str = "files";

/// What folders that are being made begin with.
const NEW: &str = "new";

/// How often a name is looked up: others may drop caches meanwhile.
const ATTEMPTS: usize = 100;

/// A cache in use; as long as this is had, it stays.
#[derive(Debug)]
pub(super) struct Cache {
    name: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Cache {
    /// The cache of a kind in a project's folder, made for somebody if there is none. Blocks.
    pub(super) fn open(of_project: &Path, kind: &str, owner: Option<User>) -> io::Result<Self> {
        let name = of_project.join(kind);
        for _ in 0..ATTEMPTS {
            let found = match fs::read_link(&name) {
                Ok(folder) => Self::lock(&name, of_project.join(folder)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    Self::make(of_project, &name, owner)
                }
                Err(error) => return Err(error),
            };
            match found {
                Ok(Some(cache)) => return Ok(cache),
                Ok(None) => {}
                // Whoever removes what nobody uses was faster.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{} is dropped again and again", name.display())))
    }

    /// Begins to use a folder, unless it is being removed.
    fn lock(name: &Path, folder: PathBuf) -> io::Result<Option<Self>> {
        let path = folder.join(LOCK);
        let lock = match File::open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return forget(name).map(|()| None);
            }
            Err(error) => return Err(error),
        };
        lock.lock_shared()?;
        // Who had it alone has removed the folder.
        if !path.exists() {
            return forget(name).map(|()| None);
        }
        Ok(Some(Self { name: name.to_owned(), folder, _lock: lock }))
    }

    /// Makes an empty one; `None` when somebody else did.
    fn make(of_project: &Path, name: &Path, owner: Option<User>) -> io::Result<Option<Self>> {
        let id = Uuid::now_v7().simple();
        let new = of_project.join(format!("{NEW}.{id}"));
        fs::create_dir_all(&new)?;
        let lock = File::create(new.join(LOCK))?;
        lock.lock_shared()?;
        fs::create_dir(new.join(FILES))?;
        if let Some(owner) = owner {
            tree::give(&new.join(FILES), owner)?;
        }
        let folder = name.with_extension(id.to_string());
        fs::rename(&new, &folder)?;
        match symlink(folder.file_name().unwrap_or_default(), name) {
            Ok(()) => Ok(Some(Self { name: name.to_owned(), folder, _lock: lock })),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The folder that a hook sees.
    pub(super) fn files(&self) -> PathBuf {
        self.folder.join(FILES)
    }

    /// Lets later uses begin with an empty one. Blocks.
    pub(super) fn retire(&self) -> io::Result<()> {
        let is_named = fs::read_link(&self.name).is_ok_and(|to| self.folder.ends_with(to));
        if is_named { forget(&self.name) } else { Ok(()) }
    }
}

/// Takes a name away.
pub(super) fn forget(name: &Path) -> io::Result<()> {
    match fs::remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes what was dropped in a project's folder and is used by nobody. Blocks.
pub(super) fn clean(of_project: &Path) {
    for entry in fs::read_dir(of_project).into_iter().flatten().filter_map(Result::ok) {
        let (path, file_name) = (entry.path(), entry.file_name());
        // Names are links, and have no lock below them that is not of what they name.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let name = path.with_extension("");
        let is_named = || fs::read_link(&name).is_ok_and(|to| to.as_os_str() == file_name);
        if is_named() {
            continue;
        }
        let Ok(lock) = File::open(path.join(LOCK)) else { continue };
        // Whoever gives it a name has it locked until that is done.
        if lock.try_lock().is_err() || is_named() {
            continue;
        }
        if let Err(error) = tree::remove(&path) {
            warn!("Could not remove {}: {error}", path.display());
        }
    }
}

/// Does so for every project. Blocks.
pub(super) fn sweep(caches: &Path) {
    for entry in fs::read_dir(caches).into_iter().flatten().filter_map(Result::ok) {
        clean(&entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_cache_is_kept_until_it_is_dropped_and_goes_when_nobody_uses_it() {
        let root = tempfile::tempdir().unwrap();
        let project = root.path().join("project");
        let open = || Cache::open(&project, "npm", None).unwrap();
        fs::write(open().files().join("kept"), "").unwrap();
        clean(&project);
        let (one, other) = (open(), open());
        assert!(one.files().join("kept").exists());
        assert_eq!(one.files(), other.files());
        // One of the two drops it: the next use finds another one.
        one.retire().unwrap();
        let next = open();
        assert_ne!(next.files(), one.files());
        // The other one that had it does not drop what it never had.
        other.retire().unwrap();
        assert_eq!(open().files(), next.files());
        drop(one);
        sweep(root.path());
        assert!(other.files().join("kept").exists());
        let gone = other.files();
        drop(other);
        sweep(root.path());
        assert!(!gone.exists());
        assert!(next.files().exists());
        assert_eq!(entries(&project), 2);
    }

    #[test]
    fn a_name_of_nothing_and_a_folder_of_a_killed_worker_are_no_hindrance() {
        let root = tempfile::tempdir().unwrap();
        let project = root.path().join("project");
        let new = project.join(format!("{NEW}.1"));
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join(LOCK), "").unwrap();
        symlink("npm.1", project.join("npm")).unwrap();
        assert!(Cache::open(&project, "npm", None).unwrap().files().is_dir());
        clean(&project);
        assert!(!new.exists());
        sweep(&root.path().join("none"));
    }

    #[test]
    fn uses_that_begin_and_drop_at_once_all_have_one() {
        let root = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for turn in 0..50 {
                        let cache = Cache::open(root.path(), "pip", None).unwrap();
                        fs::write(cache.files().join("mine"), "").unwrap();
                        if turn % 3 == 0 {
                            cache.retire().unwrap();
                        }
                        drop(cache);
                        clean(root.path());
                    }
                });
            }
        });
        assert!(entries(root.path()) <= 2);
    }
}
