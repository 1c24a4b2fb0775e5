//! How a program runs commands on this machine, found out by having it run one.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::buildah::folder::{Folder, Storage};
use crate::buildah::home::{Absence, Home};
use crate::buildah::process::finish;
use crate::buildah::{BuildahError, output};
use crate::config::Isolation;
use crate::tasks;

/// Where the programs are that a builder calls.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Gives a program processes and mounts of its own, which end with it.
const APART: [&str; 6] = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// A build that runs a program of this machine.
const TRIAL: &str = "FROM scratch\nRUN [\"/usr/bin/true\"]\n";

/// How a program runs commands.
#[derive(Debug, Clone)]
pub struct Means {
    program: PathBuf,
    /// How layers are stored.
    driver: &'static str,
    runs: Runs,
    /// Whether it has processes and mounts of its own.
    is_apart: bool,
}

/// What keeps commands apart from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Containers by this runtime, or by the program's own choice.
    Containers(Option<&'static str>),
    /// A folder as root.
    Folder,
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.runs {
            Runs::Containers(None) => "in containers".to_owned(),
            Runs::Containers(Some(runtime)) => format!("in containers by {runtime}"),
            Runs::Folder => {
                "in a chroot, which they can leave: they may do what the worker may".to_owned()
            }
        };
        write!(f, "Images are built by {}, commands run {how}", self.program.display())?;
        match rustix::process::geteuid().is_root() {
            true => f.write_str(", as root"),
            false => f.write_str(", without root"),
        }
    }
}

impl Means {
    /// Tries what there is, the best first.
    pub(super) async fn find(
        program: &Path,
        isolation: Isolation,
        home: &Home,
    ) -> Result<Self, BuildahError> {
        let containers = [None, Some("crun"), Some("runc")].map(Runs::Containers);
        let ways: Vec<Runs> = match isolation {
            Isolation::Containers => containers.to_vec(),
            Isolation::Chroot => vec![Runs::Folder],
        };
        // Without root the program makes itself a namespace, with its own root in it.
        let is_root = rustix::process::geteuid().is_root();
        let mut words = String::new();
        for is_apart in if is_root { &[true, false][..] } else { &[false] } {
            for driver in ["overlay", "vfs"] {
                for runs in ways.iter().copied() {
                    let is_apart = *is_apart;
                    let means = Self { program: program.to_owned(), driver, runs, is_apart };
                    match means.run_something(home).await? {
                        None => return Ok(means),
                        Some(refusal) => words = refusal,
                    }
                }
            }
        }
        Err(BuildahError::Useless { program: program.display().to_string(), words })
    }

    /// Builds something that runs a program; its words when it could not.
    async fn run_something(&self, home: &Home) -> Result<Option<String>, BuildahError> {
        let folder = home.folder()?;
        folder.write("context/Dockerfile", TRIAL.as_bytes())?;
        let storage = Storage::of(&folder.path("trial"), None);
        let mut args = vec!["build", "--no-cache", "--force-rm", "--pull=never"];
        args.extend(self.isolation());
        let mounts: Vec<String> = ["/usr", "/lib", "/lib64"]
            .into_iter()
            .filter(|path| Path::new(path).exists())
            .map(|path| format!("--volume={path}:{path}:ro"))
            .collect();
        let context = folder.text("context");
        args.extend(mounts.iter().map(String::as_str).chain([context.as_str()]));
        let said = self.say(&folder, &storage, args).await;
        self.wipe(&folder.path("trial"), None).await?;
        match said {
            Ok(_) => Ok(None),
            Err(BuildahError::Refused(words)) => Ok(Some(words)),
            Err(error) => Err(error),
        }
    }

    /// Flags of a build that say how commands run.
    pub(super) fn isolation(&self) -> Vec<&'static str> {
        let is_root = rustix::process::geteuid().is_root();
        match self.runs {
            Runs::Folder => vec!["--isolation=chroot"],
            Runs::Containers(runtime) => {
                let kind = if is_root { "--isolation=oci" } else { "--isolation=rootless" };
                let runtime = runtime.into_iter().flat_map(|runtime| ["--runtime", runtime]);
                std::iter::once(kind).chain(runtime).collect()
            }
        }
    }

    /// The program with some arguments, for one run and one storage.
    pub(super) fn command<A: AsRef<OsStr>>(
        &self,
        folder: &Folder,
        storage: &Storage,
        args: impl IntoIterator<Item = A>,
    ) -> io::Result<Command> {
        let mut command = match (self.is_apart, APART) {
            (true, [unshare, flags @ ..]) => {
                let mut command = Command::new(unshare);
                command.args(flags).arg(&self.program);
                command
            }
            (false, _) => Command::new(&self.program),
        };
        let storage = folder.storage(storage, self.driver)?;
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", folder.path("tmp"))
            .env("TMPDIR", folder.path("tmp"))
            .env("XDG_RUNTIME_DIR", folder.path("tmp"))
            .env("REGISTRY_AUTH_FILE", folder.path("auth.json"))
            .env("CONTAINERS_REGISTRIES_CONF", folder.path("registries.conf"))
            .env("CONTAINERS_STORAGE_CONF", storage)
            .args(["--log-level", "error"])
            .args(args)
            .stdout(Stdio::piped());
        Ok(command)
    }

    /// Has the program do something, and gives what it wrote.
    pub(super) async fn say<A: AsRef<OsStr>>(
        &self,
        folder: &Folder,
        storage: &Storage,
        args: impl IntoIterator<Item = A>,
    ) -> Result<String, BuildahError> {
        let mut command = self.command(folder, storage, args)?;
        let (status, said, complained) =
            finish(&mut command).await.map_err(|source| self.not_started(source))?;
        match status.success() {
            true => Ok(said),
            false => Err(BuildahError::Refused(output::complaint(&complained))),
        }
    }

    pub(super) fn not_started(&self, source: io::Error) -> BuildahError {
        BuildahError::Start { program: self.program.display().to_string(), source }
    }

    /// Removes a folder of storages, whoever the program had own its files.
    pub(super) async fn wipe(&self, path: &Path, absence: Option<&Absence>) -> io::Result<()> {
        let (path, absence) = (path.to_owned(), absence.cloned());
        if !rustix::process::geteuid().is_root() && path.exists() {
            let mut command = Command::new(&self.program);
            let command = command.env_clear().env("PATH", PATH).args(["unshare", "rm", "-rf"]);
            // What it could not remove is refused below.
            finish(command.arg(&path)).await?;
        }
        let removing = tasks::blocking(move || {
            let removed = std::fs::remove_dir_all(path);
            drop(absence);
            removed
        });
        match removing.await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes containers that builds left which were killed.
    pub(super) async fn remove_containers(&self, folder: &Folder, storage: &Storage) {
        let removed = self.say(folder, storage, ["rm", "--all"]).await;
        // Podman tells of those only when asked; Buildah does not know the flag, and has no more.
        let listed = self.say(folder, storage, ["ps", "--all", "--external", "--quiet"]).await;
        let listed = listed.unwrap_or_default();
        let ids: Vec<&str> = listed.split_whitespace().collect();
        if !ids.is_empty() {
            let args = ["rm", "--force"].into_iter().chain(ids);
            if let Err(error) = self.say(folder, storage, args).await {
                tracing::warn!("Containers of builds are left: {error}");
            }
        } else if let Err(error) = removed {
            tracing::warn!("Containers of builds are left: {error}");
        }
    }
}
