//! Where images and caches are kept between runs, and when they go.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::buildah::folder::{Folder, Storage};
use crate::buildah::means::Means;
use crate::tasks;

/// How long images are kept from the first of them on: what was built before, but nobody builds any
/// more, takes room.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The folder that a program keeps everything in.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    /// Bytes that stay free.
    reserve: u64,
}

/// That somebody builds here. While it lasts nothing is removed.
#[derive(Debug)]
pub(super) struct Presence {
    _lock: File,
}

/// That nobody builds here, and nobody begins to. Whoever removes something holds it until that is
/// done, also where nobody waits for it any more.
pub(super) type Absence = Arc<File>;

impl Home {
    pub(super) const fn new(folder: PathBuf, reserve: u64) -> Self {
        Self { folder, reserve }
    }

    /// A folder for one run.
    pub(super) fn folder(&self) -> io::Result<Folder> {
        Folder::make(self.folder.join("runs").join(Uuid::new_v4().simple().to_string()))
    }

    /// Where the images of a project are, by a tag of one of them: `account/project/name:tag`.
    pub(super) fn storage(&self, tag: &str) -> PathBuf {
        let mut parts = tag.split('/').map(component);
        let account = parts.next().unwrap_or_default();
        self.images().join(account).join(parts.next().unwrap_or_default())
    }

    /// Where images are that came from the engine.
    pub(super) fn bases(&self) -> PathBuf {
        // No account has such a name.
        self.images().join(".bases")
    }

    /// The caches of the commands of an account.
    pub(super) fn caches(&self, account: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join("caches").join(component(account));
        make(&folder)?;
        Ok(folder)
    }

    fn images(&self) -> PathBuf {
        self.folder.join("images")
    }

    /// Comes in, and tidies up when nobody else is there.
    pub(super) async fn enter(&self, means: &Means) -> io::Result<Presence> {
        self.tidy(means).await?;
        let lock = self.lock()?;
        // Waits while another one tidies up, and no longer.
        let lock = tasks::blocking(move || lock.lock_shared().map(|()| lock)).await?;
        Ok(Presence { _lock: lock })
    }

    fn lock(&self) -> io::Result<File> {
        make(&self.images())?;
        let path = self.folder.join("lock");
        File::options().create(true).truncate(false).write(true).open(path)
    }

    /// Removes what runs left that were killed, and everything when it is old or room is short;
    /// nothing while somebody builds.
    pub(super) async fn tidy(&self, means: &Means) -> io::Result<()> {
        let lock = self.lock()?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        let absence = Arc::new(lock);
        for run in entries(&self.folder.join("runs")) {
            means.wipe(&run, Some(&absence)).await?;
        }
        let is_full = self.is_full()?;
        if is_full || self.is_old()? {
            means.wipe(&self.images(), Some(&absence)).await?;
            make(&self.images())?;
        }
        if is_full {
            means.wipe(&self.folder.join("caches"), Some(&absence)).await?;
        }
        let accounts = entries(&self.images());
        for storage in accounts.iter().flat_map(|account| entries(account)) {
            let marks = storage.join(UNFINISHED);
            if !entries(&marks).is_empty() {
                means.remove_containers(&self.folder()?, &Storage::of(&storage, None)).await;
                fs::remove_dir_all(marks)?;
            }
        }
        Ok(())
    }

    fn is_full(&self) -> io::Result<bool> {
        let facts = rustix::fs::statvfs(&self.folder)?;
        Ok(facts.f_bavail.saturating_mul(facts.f_frsize) < self.reserve)
    }

    fn is_old(&self) -> io::Result<bool> {
        let mark = self.images().join(".since");
        if !mark.exists() {
            File::create(&mark)?;
        }
        // A clock that was set back makes nothing old.
        Ok(fs::metadata(mark)?.modified()?.elapsed().is_ok_and(|age| age > KEPT))
    }
}

/// The folder in a storage of what is built there, and of what was killed meanwhile.
const UNFINISHED: &str = "unfinished";

/// That a build in a storage may leave containers.
#[derive(Debug)]
pub(super) struct Mark(PathBuf);

impl Mark {
    pub(super) fn set(storage: &Path) -> io::Result<Self> {
        let folder = storage.join(UNFINISHED);
        make(&folder)?;
        let path = folder.join(Uuid::new_v4().simple().to_string());
        File::create(&path)?;
        Ok(Self(path))
    }

    /// The build has ended by itself.
    pub(super) fn clear(self) {
        fs::remove_file(self.0).ok();
    }
}

/// Makes a folder that nobody else enters.
pub(super) fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).collect()
}

/// A text as the name of one file.
fn component(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    text.chars().map(plain).collect()
}
