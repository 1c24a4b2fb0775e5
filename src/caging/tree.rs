//! Folders that foreign code writes: measured, handed over and removed without following a link.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use uuid::Uuid;

use crate::caging::User;

/// Most folders in each other that a command may leave.
pub const DEEPEST: usize = 128;

/// Folders in each other that are removed in one go.
const AT_ONCE: usize = 64;

/// How often a folder is looked through until nothing is left in it: a command may still write to it.
const ROUNDS: usize = 10_000;

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
    let mut visit = |folder: &OwnedFd, name: &CStr, _: &Stat, _: usize| {
        let handle = match handle(folder, name, OFlags::empty()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(true),
            Err(error) => return Err(error),
        };
        match FileType::from_raw_mode(rustix::fs::fstat(&handle)?.st_mode) {
            FileType::Directory => allow(&handle, Mode::RWXU)?,
            FileType::RegularFile => allow(&handle, Mode::RUSR)?,
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => {}
        }
        Ok(true)
    };
    walk(&unlocked(CWD, folder)?, &mut visit, 1)?;
    Ok(())
}

/// Removes a folder, however deep it is and whatever modes a command left. Blocks.
///
/// # Errors
///
/// When something in it belongs to somebody else, or somebody goes on writing to it. A folder that
/// is not there is well.
pub fn remove(folder: &Path) -> io::Result<()> {
    let root = match unlocked(CWD, folder) {
        Ok(root) => root,
        Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for _ in 0..ROUNDS {
        let names = names(&root)?;
        if names.is_empty() {
            match rustix::fs::rmdir(folder) {
                Ok(()) | Err(Errno::NOENT) => return Ok(()),
                Err(Errno::NOTEMPTY) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        for name in names {
            remove_entry(&root, &root, (&name, 0))?;
        }
    }
    Err(Errno::NOTEMPTY.into())
}

fn remove_entry(
    top: &OwnedFd,
    folder: &OwnedFd,
    (name, depth): (&CStr, usize),
) -> Result<(), Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let inner = match unlocked(folder, name) {
        Ok(inner) => inner,
        // It went, or became something else, and goes the next time.
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        Err(error) => return Err(error),
    };
    if depth == AT_ONCE {
        // Each level takes a descriptor: what is deeper is removed from above, by a name that
        // nobody could have put there.
        let above = format!(".deep-{}", Uuid::now_v7().simple());
        return rustix::fs::renameat(folder, name, top, above);
    }
    for name in names(&inner)? {
        remove_entry(top, &inner, (&name, depth + 1))?;
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::NOTEMPTY) => Ok(()),
        Err(error) => Err(error),
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

/// Something in a folder, which it stays whatever its name becomes.
fn handle(
    folder: impl AsFd,
    path: impl rustix::path::Arg,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, path, flags, Mode::empty())
}

/// Adds to the mode of something that is no link.
fn allow(handle: &OwnedFd, wanted: Mode) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(rustix::fs::fstat(handle)?.st_mode);
    if mode.contains(wanted) {
        return Ok(());
    }
    // By its name a command could have it done to something else.
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    rustix::fs::chmod(path, mode | wanted)
}

/// Opens a folder in which its owner may do everything from then on.
fn unlocked(folder: impl AsFd, path: impl rustix::path::Arg) -> Result<OwnedFd, Errno> {
    let handle = handle(folder, path, OFlags::DIRECTORY)?;
    match allow(&handle, Mode::RWXU) {
        // Somebody else's; it may be open to us all the same.
        Ok(()) | Err(Errno::PERM) => open(&handle, "."),
        Err(error) => Err(error),
    }
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
pub(crate) mod tests {
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

    /// Does something as a user who may not do everything.
    pub(crate) fn as_somebody(folder: &Path, act: impl FnOnce() + Send) {
        if !rustix::process::geteuid().is_root() {
            return act();
        }
        let (uid, gid) = (65_532, 65_532);
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        give(folder, User { uid, gid }).unwrap();
        let acting = || {
            let uid = Uid::from_raw(uid);
            // Of this thread alone.
            rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            act();
        };
        std::thread::scope(|scope| scope.spawn(acting).join()).unwrap();
    }

    #[test]
    fn names_and_modes_do_not_keep_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let deep = (0..70).fold(root.clone(), |path, _| path.join("d"));
        fs::create_dir_all(&deep).unwrap();
        for n in 0..4 {
            fs::create_dir_all(root.join(format!(".deep-{n}/in"))).unwrap();
        }
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        as_somebody(folder.path(), || {
            // Moving a folder takes the right to write to it.
            for path in deep.ancestors().take_while(|path| *path != folder.path()) {
                set(path, 0o555);
            }
            set(&root, 0o000);
            remove(&root).unwrap();
        });
        assert!(!root.exists());
    }

    #[test]
    fn a_planted_link_leads_no_mode_outside() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, link) = (folder.path().join("outside"), folder.path().join("root/link"));
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o111)).unwrap();
        symlink(&outside, &link).unwrap();
        assert_eq!(unlocked(CWD, link.as_path()).unwrap_err(), Errno::NOTDIR);
        make_readable(link.parent().unwrap()).unwrap();
        let mode = fs::metadata(&outside).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o111);
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
