//! Folders that foreign code writes: measured, handed over and removed without following a link.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;

use crate::caging::User;

/// Most folders in each other that a command may leave.
pub const DEEPEST: usize = 128;

/// Folders in each other that are removed in one go.
const AT_ONCE: usize = 64;

/// Bytes of a block, as `stat` counts them.
const BLOCK: u64 = 512;

/// What folders hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Files, folders and links.
    pub files: u64,
    /// Folders in each other.
    pub depth: usize,
}

/// Measures a folder, until it is past one of these sizes. Blocks.
///
/// # Errors
///
/// When something in it cannot be looked into. What vanishes meanwhile is not missed.
pub fn measure(folder: &Path, most: Size) -> io::Result<Size> {
    let mut size = Size::default();
    let mut visit = |_: &OwnedFd, _: &CStr, stat: &Stat, depth: usize| {
        let blocks = u64::try_from(stat.st_blocks).unwrap_or_default();
        size.bytes = size.bytes.saturating_add(blocks.saturating_mul(BLOCK));
        size.files += 1;
        size.depth = size.depth.max(depth);
        Ok(size.bytes <= most.bytes && size.files <= most.files && size.depth <= most.depth)
    };
    walk(&open(CWD, folder)?, &mut visit, 1)?;
    Ok(size)
}

/// Gives a folder and what is in it to somebody. Blocks.
///
/// # Errors
///
/// When that is not allowed.
pub fn give(folder: &Path, user: User) -> io::Result<()> {
    let (uid, gid) = (Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)));
    let root = open(CWD, folder)?;
    rustix::fs::fchown(&root, uid, gid)?;
    let mut visit = |folder: &OwnedFd, name: &CStr, _: &Stat, _: usize| {
        rustix::fs::chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(true)
    };
    walk(&root, &mut visit, 1)?;
    Ok(())
}

/// Lets the owner of a folder read everything in it, whatever modes a command left. Blocks.
///
/// # Errors
///
/// When something in it belongs to somebody else.
pub fn make_readable(folder: &Path) -> io::Result<()> {
    let mut visit = |folder: &OwnedFd, name: &CStr, stat: &Stat, _: usize| {
        let wanted = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Mode::RWXU,
            FileType::RegularFile => Mode::RUSR,
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => return Ok(true),
        };
        let mode = Mode::from_raw_mode(stat.st_mode);
        if !mode.contains(wanted) {
            // Nothing runs that could put a link in its place.
            rustix::fs::chmodat(folder, name, mode | wanted, AtFlags::empty())?;
        }
        Ok(true)
    };
    walk(&open(CWD, folder)?, &mut visit, 1)?;
    Ok(())
}

/// Removes a folder, however deep it is. Blocks.
///
/// # Errors
///
/// When something in it belongs to somebody else. A folder that is not there is well.
pub fn remove(folder: &Path) -> io::Result<()> {
    let root = match open(CWD, folder) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut moved = 0;
    loop {
        let names = names(&root)?;
        if names.is_empty() {
            break;
        }
        for name in names {
            remove_entry(&root, &root, (&name, 0), &mut moved)?;
        }
    }
    Ok(rustix::fs::rmdir(folder)?)
}

fn remove_entry(
    top: &OwnedFd,
    folder: &OwnedFd,
    (name, depth): (&CStr, usize),
    moved: &mut u64,
) -> io::Result<()> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    if depth == AT_ONCE {
        // Each level takes a descriptor: what is deeper is removed from above.
        *moved += 1;
        let above = format!(".deep-{moved}");
        return Ok(rustix::fs::renameat(folder, name, top, above)?);
    }
    let inner = match open(folder, name) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(folder, name, Mode::RWXU, AtFlags::empty())?;
            open(folder, name)?
        }
        other => other?,
    };
    let names = names(&inner)?;
    // It can be opened, and what is in it not be removed.
    let writable = rustix::fs::fstat(&inner)?;
    if !Mode::from_raw_mode(writable.st_mode).contains(Mode::RWXU) {
        rustix::fs::fchmod(&inner, Mode::RWXU).or_else(|error| match error {
            Errno::PERM => Ok(()),
            error => Err(error),
        })?;
    }
    for name in names {
        remove_entry(top, &inner, (&name, depth + 1), moved)?;
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the walk goes on; called with the folder, a name in it, what that is, and how deep.
type Visit<'a> = dyn FnMut(&OwnedFd, &CStr, &Stat, usize) -> Result<bool, Errno> + 'a;

/// Shows everything in a folder, folders before what is in them; whether it came to the end.
fn walk(folder: &OwnedFd, visit: &mut Visit<'_>, depth: usize) -> Result<bool, Errno> {
    for name in names(folder)? {
        let stat = match rustix::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error),
        };
        if !visit(folder, &name, &stat, depth)? {
            return Ok(false);
        }
        // A visitor that lets it go on at any depth still does not make it run out of descriptors.
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory && depth <= DEEPEST {
            match open(folder, &name) {
                Ok(inner) if !walk(&inner, visit, depth + 1)? => return Ok(false),
                // It became something else.
                Ok(_) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(true)
}

fn open(folder: impl AsFd, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, path, flags, Mode::empty())
}

fn names(folder: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if name.as_bytes() != b"." && name.as_bytes() != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const ANY: Size = Size { bytes: u64::MAX, files: u64::MAX, depth: usize::MAX };

    #[test]
    fn a_folder_is_measured_without_what_links_name_and_until_it_is_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/b/file"), vec![1; 100_000]).unwrap();
        symlink("/", at("a/root")).unwrap();
        let size = measure(folder.path(), ANY).unwrap();
        assert_eq!((size.files, size.depth), (4, 3));
        assert!((100_000..200_000).contains(&size.bytes), "{size:?}");
        let one = measure(folder.path(), Size { files: 1, ..ANY }).unwrap();
        assert_eq!(one.files, 2);
    }

    #[test]
    fn a_folder_is_removed_however_deep_and_whatever_its_modes() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "").unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let mut inner = open(CWD, root.as_path()).unwrap();
        for _ in 0..3_000 {
            rustix::fs::mkdirat(&inner, "d", Mode::RWXU).unwrap();
            inner = open(&inner, "d").unwrap();
        }
        symlink(&outside, root.join("link")).unwrap();
        fs::create_dir_all(root.join("closed/in")).unwrap();
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
        assert_eq!(measure(&root, Size { depth: DEEPEST, ..ANY }).unwrap().depth, DEEPEST + 1);
        remove(&root).unwrap();
        assert!(!root.exists());
        assert!(outside.join("kept").exists());
        remove(&root).unwrap();
    }

    #[test]
    fn what_a_command_closed_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/file");
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o010)).unwrap();
        make_readable(folder.path()).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o410);
    }
}
