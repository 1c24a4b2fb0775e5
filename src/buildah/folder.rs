//! What a run is given: a folder that only the worker reads.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::buildah::home::make;

/// How often what is in a folder is removed that a program was just killed in, and how long that
/// waits each time.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

/// What a short name would mean.
const REGISTRIES: &str =
    "unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"disabled\"\n";

/// The folder of one run; it goes with it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

/// Where images are, and where else to look for them.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    pub(super) path: PathBuf,
    pub(super) besides: Option<PathBuf>,
}

impl Storage {
    pub(super) fn of(path: &Path, besides: Option<&Path>) -> Self {
        Self { path: path.to_owned(), besides: besides.map(Path::to_owned) }
    }
}

impl Folder {
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        make(&path)?;
        let folder = Self { path };
        for name in ["tmp", "context", "secrets"] {
            make(&folder.path(name))?;
        }
        // It asks no registry, and knows nobody who signs in at one.
        folder.write("registries.conf", REGISTRIES.as_bytes())?;
        folder.write("auth.json", b"{}")?;
        // What is ignored has been left out.
        folder.write("ignore", b"")?;
        Ok(folder)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(name);
        let mut file =
            fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        file.write_all(content)?;
        Ok(path)
    }

    /// Says where images are.
    pub(super) fn storage(&self, storage: &Storage, driver: &str) -> io::Result<PathBuf> {
        let path = storage.path.display();
        let mut text = format!(
            "[storage]\ndriver = \"{driver}\"\ngraphroot = \"{path}/images\"\nrunroot = \"{path}/run\"\n"
        );
        if let Some(besides) = &storage.besides {
            let besides = besides.display();
            text.push_str(&format!(
                "[storage.options]\nadditionalimagestores = [\"{besides}/images\"]\n"
            ));
        }
        let name = if storage.besides.is_some() { "storage.conf" } else { "bases.conf" };
        self.write(name, text.as_bytes())
    }

    /// Puts caches of commands where the program looks for them; the name depends on its release.
    pub(super) fn caches(&self, folder: &Path) -> io::Result<()> {
        let user = rustix::process::geteuid().as_raw();
        for name in ["buildah-cache".to_owned(), format!("buildah-cache-{user}")] {
            symlink(folder, self.path("tmp").join(name))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        for _ in 0..ATTEMPTS {
            match fs::remove_dir_all(&self.path) {
                // Somebody who was killed had not quite ended.
                Err(error) if error.kind() != io::ErrorKind::NotFound => std::thread::sleep(PAUSE),
                Ok(()) | Err(_) => return,
            }
        }
        tracing::warn!("{} is left until the next build", self.path.display());
    }
}
