//! What a run is given: a folder that only the worker reads.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use secrecy::ExposeSecret as _;
use serde_json::{Map, json};

use crate::buildah::home::make;
use crate::domain::registry::Registry;

/// How often what is in a folder is removed that a program was just killed in, and how long that
/// waits each time.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(10);

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
        folder.registries(&[])?;
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

    /// Says who signs in at which registry, and which of them speak without TLS.
    pub(super) fn registries(&self, registries: &[Registry]) -> io::Result<()> {
        let mut text = "unqualified-search-registries = [\"docker.io\"]\n\
                        short-name-mode = \"disabled\"\n"
            .to_owned();
        let mut logins = Map::new();
        for registry in registries {
            let host = registry.address.host();
            if registry.plain_http {
                text.push_str(&format!("[[registry]]\nlocation = \"{host}\"\ninsecure = true\n"));
            }
            if let Some(login) = &registry.login {
                let login = format!("{}:{}", login.username, login.password.expose_secret());
                let auth = Base64::encode_string(login.as_bytes());
                logins.insert(host.to_owned(), json!({ "auth": auth }));
            }
        }
        self.write("registries.conf", text.as_bytes())?;
        self.write("auth.json", json!({ "auths": logins }).to_string().as_bytes())?;
        Ok(())
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
