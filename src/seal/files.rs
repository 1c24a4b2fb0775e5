//! Files that are there whole or not at all, also after a loss of power.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tracing::warn;
use uuid::Uuid;

/// Ends the name of a file that is not whole yet.
const PARTIAL: &str = "partial";

/// What became of a file that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is there now, and stays.
    New,
    /// Somebody else's is there.
    Exists,
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, content: &[u8], mode: u32) -> io::Result<Written> {
    // Under another name first: nobody ever reads half a key.
    let partial = path.with_extension(format!("{}.{PARTIAL}", Uuid::now_v7().simple()));
    let folder = folder_of(path);
    let write = || {
        make_folder(folder)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        // Unlike a renaming, a link replaces nothing.
        fs::hard_link(&partial, path)
    };
    let written = write();
    // There is nothing to remove when it was not even begun.
    drop(fs::remove_file(&partial));
    let written = match written {
        Ok(()) => Written::New,
        // Also when whoever was faster has taken this one for left over.
        Err(_) if path.exists() => Written::Exists,
        Err(error) => return Err(error),
    };
    sync_folder(folder)?;
    Ok(written)
}

/// Removes what was left by those who were killed while they wrote this file, which is there.
pub(super) fn remove_partials(path: &Path) {
    // Whoever may not list the folder has left nothing in it.
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return };
    let partials =
        entries.flatten().map(|entry| entry.path()).filter(|file| is_partial(file, path));
    for partial in partials {
        match fs::remove_file(&partial) {
            Ok(()) => warn!("Removed {}, which was left over", partial.display()),
            // Another worker was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                warn!("Could not remove {}, which is left over: {error}", partial.display());
            }
        }
    }
}

/// Whether this is what a file is called before it is whole.
fn is_partial(file: &Path, path: &Path) -> bool {
    let name = Path::new(file.file_stem().unwrap_or_default());
    let id = name.extension().and_then(|id| id.to_str()).map(Uuid::try_parse);
    file.extension().is_some_and(|ending| ending == PARTIAL)
        && name.file_stem() == path.file_stem()
        && matches!(id, Some(Ok(_)))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Makes a folder and those above it.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder_of(folder);
    make_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => sync_folder(above),
    }
}

/// Makes names in a folder durable: a file's own `sync_all` leaves out what it is called.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
