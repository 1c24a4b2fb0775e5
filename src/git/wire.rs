//! git's own programs, which speak the pack protocol with clients.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

/// Hooks that a push is decided by.
const HOOKS: [&str; 3] = ["pre-receive", "proc-receive", "post-receive"];

/// Something that must be there to serve git is not.
#[derive(Debug, thiserror::Error)]
#[error("setting `{setting}`: {} is no file that can be run", path.display())]
pub struct NoProgram {
    setting: &'static str,
    path: PathBuf,
}

/// Which side of the protocol is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// A push.
    ReceivePack,
    /// A clone or a fetch.
    UploadPack,
}

/// How git is run, whatever the repository.
#[derive(Debug, Clone)]
pub struct Wire {
    /// The program.
    pub git: PathBuf,
    /// Folder of the hooks.
    pub hooks: PathBuf,
    /// The program that hooks find as `pierhead`.
    pub program_folder: PathBuf,
    /// An empty folder: no user's configuration takes part.
    pub home: PathBuf,
    /// The socket that hooks talk to.
    pub socket: PathBuf,
    /// Most bytes one push may carry.
    pub max_pack: u64,
    /// How long a client may take to get or to give its objects.
    pub time_limit: Duration,
}

/// What one run of git is told.
#[derive(Debug)]
pub struct Serve<'a> {
    /// Which side.
    pub service: Service,
    /// The repository's folder.
    pub repository: &'a Path,
    /// What hooks prove themselves with; only for a push.
    pub session: Option<&'a str>,
    /// `GIT_PROTOCOL` as the client sent it, checked by [`is_protocol`].
    pub protocol: Option<&'a str>,
}

/// Whether a client's `GIT_PROTOCOL` is one that git could have sent.
pub fn is_protocol(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"=:-.".contains(&b);
    text.len() <= 256 && text.bytes().all(allowed)
}

impl Wire {
    /// Looks for git and for its hooks, without which it would take everything or nothing.
    ///
    /// # Errors
    ///
    /// [`NoProgram`] names the first that is missing, and the setting that says where it is.
    pub fn check(&self) -> Result<(), NoProgram> {
        let hooks = HOOKS.map(|name| ("git.hooks_dir", self.hooks.join(name)));
        for (setting, path) in [("git.program", self.git.clone())].into_iter().chain(hooks) {
            let can_run = std::fs::metadata(&path)
                .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
            if !can_run {
                return Err(NoProgram { setting, path });
            }
        }
        Ok(())
    }

    /// Starts git with its standard streams connected.
    ///
    /// It leads a process group of its own, so that everything it starts can be ended with it.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn start(&self, serve: &Serve<'_>) -> std::io::Result<Child> {
        let mut command = Command::new(&self.git);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("PATH", self.path())
            .args(self.settings())
            .arg(match serve.service {
                Service::ReceivePack => "receive-pack",
                Service::UploadPack => "upload-pack",
            });
        if serve.service == Service::UploadPack {
            command.arg("--strict");
        }
        if let Some(protocol) = serve.protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        if let Some(session) = serve.session {
            command.env("PIERHEAD_SESSION", session).env("PIERHEAD_SOCKET", &self.socket);
        }
        command
            .arg("--")
            .arg(serve.repository)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    fn path(&self) -> OsString {
        let mut path = self.program_folder.clone().into_os_string();
        path.push(":/usr/bin:/bin");
        path
    }

    /// Policy travels on the command line: nothing about a project is ever written into its
    /// configuration, and what stands there cannot weaken it.
    fn settings(&self) -> Vec<OsString> {
        let mut hooks = OsString::from("core.hooksPath=");
        hooks.push(&self.hooks);
        let fixed = [
            "receive.procReceiveRefs=refs/heads",
            "receive.procReceiveRefs=refs/tags",
            "receive.advertisePushOptions=true",
            // Refs that deploy one after the other cannot move together.
            "receive.advertiseAtomic=false",
            "receive.denyNonFastForwards=false",
            "receive.denyDeletes=false",
            "receive.denyDeleteCurrent=ignore",
            "receive.denyCurrentBranch=ignore",
            "receive.shallowUpdate=false",
            "receive.autogc=false",
            "gc.auto=0",
            "transfer.fsckObjects=true",
            "transfer.hideRefs=refs/pierhead",
            // Roles that share the folder by a common group may be users of their own.
            "safe.directory=*",
            "core.sharedRepository=group",
        ];
        let max = format!("receive.maxInputSize={}", self.max_pack);
        fixed
            .into_iter()
            .map(OsString::from)
            .chain([hooks, max.into()])
            .flat_map(|setting| [OsString::from("-c"), setting])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_git_sends_is_a_protocol() {
        assert!(is_protocol("version=2"));
        assert!(is_protocol("version=2:object-format=sha1"));
        for text in ["version=2\n", "a b", "$(x)", "é", &"a".repeat(300)] {
            assert!(!is_protocol(text), "{text:?}");
        }
    }

    #[test]
    fn a_hook_that_cannot_be_run_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let wire = Wire {
            git: "/bin/sh".into(),
            hooks: root.to_owned(),
            program_folder: root.to_owned(),
            home: root.to_owned(),
            socket: root.join("socket"),
            max_pack: 0,
            time_limit: Duration::ZERO,
        };
        for (name, mode) in [("pre-receive", 0o755), ("proc-receive", 0o644)] {
            std::fs::write(root.join(name), "").unwrap();
            std::fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(mode))
                .unwrap();
        }
        let missing = wire.check().unwrap_err();
        assert_eq!(missing.setting, "git.hooks_dir");
        assert_eq!(missing.path, root.join("proc-receive"));
    }
}
