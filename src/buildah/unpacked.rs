//! A context as files of its own, for a program that reads files.

use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use crate::building::files::{FIRST_DATE, FileFacts, became_shorter};
use crate::building::walk::Sink;

/// Writes a context into a folder, with the modes and dates that every builder gets.
pub(super) struct Unpacked {
    folder: PathBuf,
    /// Folders so far; they get their dates when nothing comes into them any more.
    folders: Vec<PathBuf>,
    /// Whoever wants the files.
    wanted: Weak<()>,
}

impl Unpacked {
    pub(super) fn new(folder: PathBuf, wanted: Weak<()>) -> Self {
        Self { folders: vec![folder.clone()], folder, wanted }
    }
}

impl Sink for Unpacked {
    /// The program gets both by themselves.
    fn has_both(&self) -> bool {
        false
    }

    fn is_unread(&self) -> bool {
        self.wanted.strong_count() == 0
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let path = self.folder.join(path);
        fs::create_dir(&path)?;
        self.folders.push(path);
        Ok(())
    }

    fn link(&mut self, path: &Path, target: &Path) -> io::Result<()> {
        let path = self.folder.join(path);
        symlink(target, &path)?;
        let date =
            Timespec { tv_sec: FIRST_DATE.try_into().map_err(io::Error::other)?, tv_nsec: 0 };
        let dates = Timestamps { last_access: date, last_modification: date };
        Ok(rustix::fs::utimensat(CWD, &path, &dates, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn file(&mut self, path: &Path, file: &File, facts: FileFacts) -> io::Result<()> {
        let mut copy = File::create_new(self.folder.join(path))?;
        if io::copy(&mut file.take(facts.size), &mut copy)? != facts.size {
            return Err(became_shorter());
        }
        copy.set_permissions(Permissions::from_mode(facts.mode))?;
        copy.set_times(dates(facts.date))
    }

    fn end(&mut self) -> io::Result<()> {
        for path in self.folders.iter().rev() {
            let folder = File::open(path)?;
            folder.set_permissions(Permissions::from_mode(0o755))?;
            folder.set_times(dates(FIRST_DATE))?;
        }
        Ok(())
    }
}

fn dates(seconds: u64) -> FileTimes {
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    FileTimes::new().set_accessed(date).set_modified(date)
}
