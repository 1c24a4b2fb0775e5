//! What a hook finds when it starts, and what becomes of it when it has ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::building::files::{kind_of, open_declared, open_root};
use crate::caging::tree::{self, DEEPEST, Size};
use crate::caging::{CACHE, HOME, Mount, User, WORKSPACE};
use crate::config::HookConfig;
use crate::hooks::{HookFault, HookUse, Parts, outlet};
use crate::paas::HookKind;

/// The file by which it is seen whether an engine sees this machine's files.
pub(super) const NONCE: &str = ".pierhead-nonce";

/// The certificates in a hook's home.
const CERTIFICATES: &str = ".ca-certificates.pem";

/// What was made for one use.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    /// Its home on this machine.
    pub(super) home: PathBuf,
    /// What it keeps, if it does.
    pub(super) cache: Option<PathBuf>,
    /// What the nonce file says.
    pub(super) nonce: String,
    /// Whether there are certificates in its home.
    pub(super) has_certificates: bool,
}

/// Who runs hooks: the worker's own user, or the one of the setting when the worker is root.
pub(super) fn user(setting: &str) -> User {
    let own = (rustix::process::geteuid(), rustix::process::getegid());
    if own.0.is_root() {
        let numbers = setting.split_once(':');
        let number = |text: &str| text.parse().ok();
        let user =
            numbers.and_then(|(uid, gid)| Some(User { uid: number(uid)?, gid: number(gid)? }));
        // The setting was read before.
        return user.expect("hooks.user is two numbers");
    }
    User { uid: own.0.as_raw(), gid: own.1.as_raw() }
}

impl Parts {
    /// Makes what a use needs. Blocks.
    pub(super) fn prepare(&self, asked: &HookUse, hook: &HookConfig) -> Result<Folders, HookFault> {
        check_path(&asked.checkout, &asked.call.path)?;
        let home = asked.folder.join(format!("home-{}", asked.place));
        fs::create_dir(&home)?;
        let nonce = Uuid::now_v7().to_string();
        fs::write(home.join(NONCE), &nonce)?;
        let has_certificates = !self.config.ca_file.as_os_str().is_empty();
        if has_certificates {
            fs::write(home.join(CERTIFICATES), fs::read(&self.config.ca_file)?)?;
        }
        let cache = self.cache(asked, hook)?;
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            tree::give(&home, self.user)?;
            if asked.place == 1 {
                tree::give(&asked.checkout, self.user)?;
            }
        }
        Ok(Folders { home, cache, nonce, has_certificates })
    }

    /// The folder of what a project's hooks of a kind keep.
    fn cache(&self, asked: &HookUse, hook: &HookConfig) -> io::Result<Option<PathBuf>> {
        let is_cached = matches!(hook.kind, HookKind::Composer | HookKind::Npm | HookKind::Pip);
        if !is_cached || hook.cache == 0 {
            return Ok(None);
        }
        let of_project = self.caches.join(asked.project.to_string());
        let cache = of_project.join(hook.kind.as_str());
        if !asked.uses_cache && cache.exists() {
            drop_cache(&cache)?;
        }
        if !cache.exists() {
            fs::create_dir_all(&cache)?;
            if rustix::process::geteuid().is_root() {
                tree::give(&cache, self.user)?;
            }
        }
        Ok(Some(cache))
    }

    /// Puts in order what a use left; says what people should know. Blocks.
    pub(super) fn tidy(
        asked: &HookUse,
        hook: &HookConfig,
        folders: &Folders,
    ) -> io::Result<Option<String>> {
        tree::remove(&folders.home)?;
        if !rustix::process::geteuid().is_root() {
            tree::make_readable(&asked.checkout)?;
        }
        let Some(cache) = &folders.cache else { return Ok(None) };
        let most = Size { bytes: hook.cache, files: hook.limits.files, depth: DEEPEST };
        let size = tree::measure(cache, most)?;
        if size.bytes <= most.bytes && size.files <= most.files && size.depth <= most.depth {
            return Ok(None);
        }
        drop_cache(cache)?;
        let mib = hook.cache >> 20;
        Ok(Some(format!("cache dropped: it held more than {mib} MiB or {} files", most.files)))
    }
}

/// Removes a cache that somebody may be using: what they have open stays theirs.
fn drop_cache(cache: &Path) -> io::Result<()> {
    let gone = cache.with_extension(format!("gone-{}", Uuid::now_v7().simple()));
    fs::rename(cache, &gone)?;
    tree::remove(&gone)
}

/// Checks that a path is a folder of the checkout, whatever links it passes through.
fn check_path(checkout: &Path, path: &str) -> Result<(), HookFault> {
    if path.is_empty() {
        return Ok(());
    }
    let none = || HookFault::Path(path.to_owned());
    let root = open_root(checkout).map_err(|_closed| none())?;
    let path = Path::new(path);
    let folder = open_declared(&root, path).map_err(|_leaves| none())?;
    match kind_of(&folder, path) {
        Ok(rustix::fs::FileType::Directory) => Ok(()),
        Ok(_) | Err(_) => Err(none()),
    }
}

/// What a use sees of the machine.
pub(super) fn mounts(asked: &HookUse, folders: &Folders) -> Vec<Mount> {
    let writes = |source: &Path, target: &str| Mount {
        source: source.to_owned(),
        target: target.to_owned(),
        writes: true,
    };
    let cache = folders.cache.as_deref().map(|cache| writes(cache, CACHE));
    [writes(&asked.checkout, WORKSPACE), writes(&folders.home, HOME)]
        .into_iter()
        .chain(cache)
        .collect()
}

/// The folder that a use runs in, as it sees it.
pub(super) fn folder(asked: &HookUse) -> String {
    match asked.call.path.as_str() {
        "" => WORKSPACE.to_owned(),
        path => format!("{WORKSPACE}/{path}"),
    }
}

/// The environment of a use: what later ones say wins.
pub(super) fn environment(
    asked: &HookUse,
    hook: &HookConfig,
    folders: &Folders,
) -> Vec<(String, String)> {
    let mut all: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    if hook.expose_variables {
        all.extend(asked.variables.iter().cloned());
    }
    let mut set = |name: &str, value: &str| drop(all.insert(name.to_owned(), value.to_owned()));
    set("HOME", HOME);
    set("LANG", "C.UTF-8");
    set("TMPDIR", "/tmp");
    set("CI", "true");
    match hook.kind {
        HookKind::Composer => {
            set("COMPOSER_HOME", &format!("{HOME}/.composer"));
            set("COMPOSER_NO_INTERACTION", "1");
        }
        HookKind::Npm => {
            set("npm_config_update_notifier", "false");
            set("npm_config_fund", "false");
        }
        HookKind::Pip => {
            set("PIP_NO_INPUT", "1");
            set("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        }
        HookKind::Make | HookKind::Symfony | HookKind::Exec | HookKind::Git => {}
    }
    if folders.cache.is_some() {
        for name in ["COMPOSER_CACHE_DIR", "npm_config_cache", "PIP_CACHE_DIR"] {
            set(name, CACHE);
        }
    }
    if folders.has_certificates {
        let path = format!("{HOME}/{CERTIFICATES}");
        for name in ["NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "COMPOSER_CAFILE"] {
            set(name, &path);
        }
    }
    if !hook.network.is_empty() {
        all.extend(outlet::environment());
    }
    all.extend(hook.env.iter().map(|(name, value)| (name.clone(), value.clone())));
    all.into_iter().collect()
}
