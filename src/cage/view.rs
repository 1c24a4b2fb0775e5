//! What a cage shows of the machine: the arguments of bwrap.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::caging::Caged;

/// Folders of the machine's programs.
const PROGRAMS: [&str; 8] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt"];

/// What programs read of `/etc`: nothing of it is anybody's secret.
const SETTINGS: [&str; 12] = [
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "php",
    "python3",
    "ssl/certs",
];

/// Folders of a root that a cage has of its own.
const OWN: [&str; 10] =
    ["proc", "sys", "dev", "tmp", "run", "home", "root", "workspace", "cache", ".pierhead"];

/// Bytes that a command may have in `/tmp`; they count as its memory.
const TEMPORARY: u64 = 512 * 1024 * 1024;

/// The arguments of bwrap for a command, which comes behind them; `root` is empty for the machine's own programs.
pub(super) fn arguments(caged: &Caged, root: &Path) -> io::Result<Vec<OsString>> {
    let mut arguments = Arguments(Vec::new());
    arguments.add([
        "--unshare-all",
        "--unshare-user",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
    ]);
    arguments.add(["--hostname", "hook", "--cap-drop", "ALL", "--clearenv"]);
    let (uid, gid) = (caged.user.uid.to_string(), caged.user.gid.to_string());
    arguments.add(["--uid", &uid, "--gid", &gid]);
    if root.as_os_str().is_empty() {
        for name in PROGRAMS {
            arguments.show(Path::new("/"), name)?;
        }
        for name in SETTINGS {
            arguments.show(Path::new("/"), &format!("etc/{name}"))?;
        }
    } else {
        for entry in fs::read_dir(root)? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().filter(|name| !OWN.contains(name)) {
                arguments.show(root, name)?;
            }
        }
    }
    arguments.add(["--proc", "/proc", "--dev", "/dev", "--dir", "/run"]);
    let temporary = TEMPORARY.min(caged.bounds.memory).to_string();
    arguments.add(["--perms", "1777", "--size", &temporary, "--tmpfs", "/tmp"]);
    for mount in &caged.mounts {
        let how = if mount.writes { "--bind" } else { "--ro-bind" };
        arguments.0.push(how.into());
        arguments.0.push(mount.source.clone().into());
        arguments.0.push(mount.target.clone().into());
    }
    // What holds all of these is nobody's to write.
    arguments.add(["--remount-ro", "/"]);
    for (name, value) in &caged.env {
        arguments.add(["--setenv", name, value]);
    }
    arguments.add(["--chdir", &caged.folder]);
    Ok(arguments.0)
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.0.extend(words.map(OsString::from));
    }

    /// Shows a file, a folder or a link of a root where it is there.
    fn show(&mut self, root: &Path, name: &str) -> io::Result<()> {
        let (source, target) = (root.join(name), Path::new("/").join(name));
        let Ok(metadata) = source.symlink_metadata() else { return Ok(()) };
        let (how, source): (&str, PathBuf) = if metadata.is_symlink() {
            ("--symlink", fs::read_link(&source)?)
        } else if metadata.is_dir() || metadata.is_file() {
            ("--ro-bind", source)
        } else {
            return Ok(());
        };
        self.0.extend([how.into(), source.into(), target.into()]);
        Ok(())
    }
}
