//! What a hook finds when it starts, and what becomes of it when it has ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::building::files::{kind_of, open_declared, open_root};
use crate::caging::tree::{self, DEEPEST, Size};
use crate::caging::{CACHE, HOME, Mount, User, WORKSPACE};
use crate::config::HookConfig;
use crate::hooks::caches::{self, Cache};
use crate::hooks::{HookFault, HookUse, PWD, Parts, outlet};
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
    pub(super) cache: Option<Arc<Cache>>,
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
        check_room(&asked.folder, self.config.keep_free)?;
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

    /// What a project's hooks of a kind keep.
    fn cache(&self, asked: &HookUse, hook: &HookConfig) -> io::Result<Option<Arc<Cache>>> {
        let is_cached = matches!(hook.kind, HookKind::Composer | HookKind::Npm | HookKind::Pip);
        if !is_cached || hook.cache == 0 {
            return Ok(None);
        }
        let (of_project, kind) = (self.of_project(asked), hook.kind.as_str());
        if !asked.uses_cache {
            caches::forget(&of_project.join(kind))?;
        }
        let owner = rustix::process::geteuid().is_root().then_some(self.user);
        Ok(Some(Arc::new(Cache::open(&of_project, kind, owner)?)))
    }

    fn of_project(&self, asked: &HookUse) -> PathBuf {
        self.caches.join(asked.project.to_string())
    }

    /// Puts in order what a use left; says what people should know. Blocks.
    pub(super) fn tidy(
        &self,
        asked: &HookUse,
        hook: &HookConfig,
        folders: Folders,
    ) -> io::Result<Option<String>> {
        let Folders { home, cache, .. } = folders;
        // Others are to come by it, whatever becomes of what is this use's own.
        let note = cache.map(|cache| bound_cache(&cache, hook));
        caches::clean(&self.of_project(asked));
        tree::remove(&home)?;
        if !rustix::process::geteuid().is_root() {
            tree::make_readable(&asked.checkout)?;
        }
        Ok(note.transpose()?.flatten())
    }
}

/// Drops a cache that has become too large, or that cannot be looked into.
fn bound_cache(cache: &Cache, hook: &HookConfig) -> io::Result<Option<String>> {
    let most = Size { bytes: hook.cache, files: hook.limits.files, depth: DEEPEST };
    let why = match tree::measure(&cache.files(), most) {
        Ok(size) => {
            if size.bytes <= most.bytes && size.files <= most.files && size.depth <= most.depth {
                return Ok(None);
            }
            format!("it held more than {} MiB or {} files", hook.cache >> 20, most.files)
        }
        Err(error) => format!("it cannot be looked into: {error}"),
    };
    cache.retire()?;
    Ok(Some(format!("cache dropped: {why}")))
}

/// Checks that the disk of a folder has as many bytes left. Blocks.
pub(super) fn check_room(folder: &Path, bytes: u64) -> Result<(), HookFault> {
    let disk = rustix::fs::statvfs(folder).map_err(io::Error::from)?;
    let left = disk.f_bavail.saturating_mul(disk.f_frsize);
    if left < bytes { Err(HookFault::NoRoom(bytes >> 20)) } else { Ok(()) }
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
    let cache = folders.cache.as_ref().map(|cache| writes(&cache.files(), CACHE));
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
    let folder = folder(asked);
    all.extend(hook.env.iter().map(|(name, value)| (name.clone(), value.replace(PWD, &folder))));
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::caging::tree::tests::as_somebody;

    fn hook() -> HookConfig {
        toml::from_str("kind = 'npm'\nimage = 'a'\ncache = 1048576").unwrap()
    }

    #[test]
    fn a_cache_that_a_hook_closed_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        as_somebody(folder.path(), || {
            let cache = Cache::open(folder.path(), "npm", None).unwrap();
            assert_eq!(bound_cache(&cache, &hook()).unwrap(), None);
            let files = cache.files();
            fs::set_permissions(&files, fs::Permissions::from_mode(0o000)).unwrap();
            let note = bound_cache(&cache, &hook()).unwrap().unwrap();
            assert!(note.starts_with("cache dropped: it cannot be looked into"), "{note}");
            drop(cache);
            caches::clean(folder.path());
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_disk_with_less_room_than_wanted_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        check_room(folder.path(), 1).unwrap();
        let fault = check_room(folder.path(), u64::MAX).unwrap_err();
        assert!(fault.is_ours() && fault.is_over_bounds(), "{fault}");
    }
}
