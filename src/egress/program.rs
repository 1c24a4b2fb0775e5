//! This program as the file system of a container, in which it forwards and nothing else is.
//!
//! Images of people have any C library or none, so what forwards for a hook cannot run in the
//! hook's container. It runs beside it, in a container of its own whose network both share, with the
//! libraries that the worker itself runs with.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

/// Where everything is in the container.
const PROGRAM: &str = "pierhead";
const LIBRARIES: &str = "lib";

/// Where the proxy's socket is mounted.
const SOCKET: &str = "/proxy.sock";

/// The file system of a container that forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// As an archive.
    pub archive: Vec<u8>,
    /// What it holds, in short: another version of the program gives another one.
    pub digest: String,
    /// What to start in it.
    pub command: Vec<String>,
    /// Where the proxy's socket must be.
    pub socket: &'static str,
}

/// The program cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot pack {path} for a container")]
pub struct GateError {
    path: PathBuf,
    source: io::Error,
}

impl GateError {
    fn of(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self { path: path.to_owned(), source }
    }
}

/// A library as the loader asks for it, and its file.
type Library = (String, PathBuf);

/// Packs a program, with the libraries that this process has loaded.
///
/// # Errors
///
/// When one of them cannot be read.
pub fn gate(program: &Path) -> Result<Gate, GateError> {
    let libraries = libraries()?;
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, PROGRAM, program)?;
    for (name, path) in &libraries {
        add(&mut archive, &format!("{LIBRARIES}/{name}"), path)?;
    }
    let archive = archive.into_inner().map_err(GateError::of(program))?;
    let digest =
        Sha256::digest(&archive).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    // A program without a loader is complete in itself.
    let loader = libraries.iter().find(|(name, _)| name.starts_with("ld-"));
    let mut command: Vec<String> = match loader {
        Some((name, _)) => {
            let path = format!("/{LIBRARIES}/{name}");
            vec![path, "--library-path".to_owned(), format!("/{LIBRARIES}")]
        }
        None => Vec::new(),
    };
    command.extend([format!("/{PROGRAM}"), "hook-cage".to_owned()]);
    command.extend(["--socket".to_owned(), SOCKET.to_owned()]);
    Ok(Gate { archive, digest, command, socket: SOCKET })
}

fn add(archive: &mut Builder<Vec<u8>>, name: &str, path: &Path) -> Result<(), GateError> {
    let failed = GateError::of(path);
    let file = File::open(path).map_err(&failed)?;
    let mut header = Header::new_gnu();
    let size = file.metadata().map_err(&failed)?.len();
    header.set_size(size);
    header.set_mode(0o555);
    header.set_mtime(0);
    archive.append_data(&mut header, name, file.take(size)).map_err(&failed)
}

/// The libraries of this process, its loader among them.
fn libraries() -> Result<Vec<Library>, GateError> {
    let maps = Path::new("/proc/self/maps");
    let failed = GateError::of(maps);
    let mut found: Vec<Library> = Vec::new();
    for line in BufReader::new(File::open(maps).map_err(&failed)?).lines() {
        let line = line.map_err(&failed)?;
        let Some(start) = line.find('/') else { continue };
        let path = PathBuf::from(line.get(start..).unwrap_or_default());
        if is_library(&path) && found.iter().all(|(_, known)| *known != path) {
            found.extend(names(&path).into_iter().map(|name| (name, path.clone())));
        }
    }
    found.sort();
    Ok(found)
}

fn is_library(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with(".so") || name.contains(".so.")
}

/// What a library is called: by its file, and by links beside it, as `libz.so.1` is often one.
fn names(path: &Path) -> Vec<String> {
    let Some(own) = path.file_name() else { return Vec::new() };
    let beside = path.parent().and_then(|folder| fs::read_dir(folder).ok());
    let beside = beside.into_iter().flatten().filter_map(Result::ok);
    let links = beside.filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| to == *own));
    let names = links.map(|entry| entry.file_name()).chain([own.to_owned()]);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_packed_with_what_it_needs_to_run() {
        let gate = gate(Path::new("/proc/self/exe")).unwrap();
        let mut archive = tar::Archive::new(gate.archive.as_slice());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names[0], "pierhead");
        let loader = names.iter().find(|name| name.starts_with("lib/ld-"));
        assert_eq!(loader.map(|name| format!("/{name}")).as_ref(), gate.command.first());
        assert_eq!(gate.digest.len(), 16);
    }
}
