//! Control groups, of both generations.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::caging::Bounds;

/// What the names of our groups begin with; the number of their worker follows.
const PREFIX: &str = "pierhead-hook-";

/// The group that a worker puts itself into, when the second generation wants that.
const OWN: &str = "pierhead-worker";

/// Microseconds in which a share of processors is counted.
const PERIOD: u64 = 100_000;

/// How long a group that is dropped may take to end.
const SHORT: Duration = Duration::from_secs(2);

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// There is no control group for memory and processes that may be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "no control group bounds memory and processes here: {reason}; with systemd, set Delegate=yes for the worker"
)]
pub struct NoGroups {
    reason: String,
}

/// Where groups are made.
#[derive(Debug, Clone)]
pub(super) enum Groups {
    /// One tree for all controllers.
    Unified {
        /// The group under which they are made.
        base: PathBuf,
    },
    /// A tree for each controller.
    Split {
        /// Of memory.
        memory: PathBuf,
        /// Of processes.
        pids: PathBuf,
        /// Of processors, where there is one.
        cpu: Option<PathBuf>,
    },
}

/// A group; dropped, everything in it ends.
#[derive(Debug)]
pub(super) struct Group {
    folders: Vec<PathBuf>,
    is_unified: bool,
}

impl Groups {
    /// Finds where this process may make groups, and makes it ready.
    pub(super) fn find() -> Result<Self, NoGroups> {
        let fails = |reason: String| NoGroups { reason };
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|error| fails(format!("{path}: {error}")))
        };
        let (mounts, own) = (read("/proc/mounts")?, read("/proc/self/cgroup")?);
        let groups = Self::of(&mounts, &own).ok_or_else(|| {
            fails("neither /sys/fs/cgroup nor its parts have memory and pids".to_owned())
        })?;
        groups.prepare().map_err(|error| fails(format!("{}: {error}", groups.base().display())))?;
        groups.tidy();
        Ok(groups)
    }

    /// What the tables of the system say.
    fn of(mounts: &str, own: &str) -> Option<Self> {
        let mounts: Vec<Vec<&str>> = mounts.lines().map(|line| line.split(' ').collect()).collect();
        let place = |controller: &str| {
            let tree = mounts.iter().find(|fields| {
                fields.get(2) == Some(&"cgroup")
                    && fields.get(3).is_some_and(|of| of.split(',').any(|of| of == controller))
            })?;
            let own = own.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (of, path) = rest.split_once(':')?;
                of.split(',').any(|of| of == controller).then_some(path)
            })?;
            Some(folder(tree.get(1)?, own))
        };
        if let (Some(memory), Some(pids)) = (place("memory"), place("pids")) {
            return Some(Self::Split { memory, pids, cpu: place("cpu") });
        }
        let tree = mounts.iter().find(|fields| fields.get(2) == Some(&"cgroup2"))?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
        // In a group that was made for it alone, systemd or we have put the worker.
        let own = own.strip_suffix(&format!("/{OWN}")).unwrap_or(own);
        let base = folder(tree.get(1)?, own);
        let known = fs::read_to_string(base.join("cgroup.controllers")).ok()?;
        let has = |controller: &str| known.split_whitespace().any(|known| known == controller);
        (has("memory") && has("pids")).then_some(Self::Unified { base })
    }

    fn base(&self) -> &Path {
        match self {
            Self::Unified { base } | Self::Split { memory: base, .. } => base,
        }
    }

    fn prepare(&self) -> io::Result<()> {
        let Self::Unified { base } = self else { return Ok(()) };
        // A group with processes of its own gives nothing to groups below it.
        let own = base.join(OWN);
        match fs::create_dir(&own) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => fs::write(own.join("cgroup.procs"), "0")?,
        }
        fs::write(base.join("cgroup.subtree_control"), "+memory +pids")?;
        // Not everybody is given processors.
        drop(fs::write(base.join("cgroup.subtree_control"), "+cpu"));
        Ok(())
    }

    fn folders(&self, name: &str) -> Vec<PathBuf> {
        match self {
            Self::Unified { base } => vec![base.join(name)],
            Self::Split { memory, pids, cpu } => [Some(memory), Some(pids), cpu.as_ref()]
                .into_iter()
                .flatten()
                .map(|tree| tree.join(name))
                .collect(),
        }
    }

    /// Ends and removes groups that were left by workers that were killed. Those of others that run
    /// stay, also the empty ones: something is about to enter them.
    fn tidy(&self) {
        for entry in fs::read_dir(self.base()).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if worker_of(name).is_some_and(|worker| !Path::new("/proc").join(worker).exists()) {
                drop(self.group(name));
            }
        }
    }

    fn group(&self, name: &str) -> Group {
        let is_unified = matches!(self, Self::Unified { .. });
        Group { folders: self.folders(name), is_unified }
    }

    /// Makes a group with these bounds.
    pub(super) fn make(&self, name: &str, bounds: Bounds) -> io::Result<Group> {
        let group = self.group(&format!("{PREFIX}{}-{name}", std::process::id()));
        for folder in &group.folders {
            fs::create_dir(folder)?;
        }
        let (memory, pids) = (bounds.memory.to_string(), bounds.pids.to_string());
        let quota = PERIOD.saturating_mul(bounds.milli_cpus).div_ceil(1_000).max(1_000);
        let set = |tree: usize, file: &str, value: &str| {
            group.folders.get(tree).map_or(Ok(()), |folder| fs::write(folder.join(file), value))
        };
        if group.is_unified {
            set(0, "memory.max", &memory)?;
            set(0, "pids.max", &pids)?;
            // Not every machine has these.
            drop(set(0, "memory.swap.max", "0"));
            drop(set(0, "memory.oom.group", "1"));
            drop(set(0, "cpu.max", &format!("{quota} {PERIOD}")));
        } else {
            set(0, "memory.limit_in_bytes", &memory)?;
            set(1, "pids.max", &pids)?;
            drop(set(0, "memory.memsw.limit_in_bytes", &memory));
            drop(set(2, "cpu.cfs_period_us", &PERIOD.to_string()));
            drop(set(2, "cpu.cfs_quota_us", &quota.to_string()));
        }
        Ok(group)
    }
}

/// The folder of a group in its tree; its root, where the tree is shown from there.
fn folder(tree: &str, own: &str) -> PathBuf {
    let whole = Path::new(tree).join(own.trim_start_matches('/'));
    if whole.is_dir() { whole } else { tree.into() }
}

impl Group {
    /// The files through which a process enters.
    pub(super) fn doors(&self) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(|folder| folder.join("cgroup.procs"))
    }

    /// Who is in it.
    pub(super) fn members(&self) -> Vec<Pid> {
        let listed = self.doors().filter_map(|door| fs::read_to_string(door).ok());
        let mut members: Vec<i32> = listed
            .flat_map(|text| text.lines().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect();
        members.sort_unstable();
        members.dedup();
        members.into_iter().filter_map(Pid::from_raw).collect()
    }

    /// Ends everybody in it, and removes it. Blocks.
    pub(super) fn end(&self, patience: Duration) -> io::Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let members = self.members();
            for member in &members {
                // Whoever has just ended is no longer there to end.
                kill_process(*member, Signal::KILL).ok();
            }
            let is_gone = |folder: &PathBuf| fs::remove_dir(folder).is_ok() || !folder.exists();
            if members.is_empty()
                && self.folders.iter().filter(|folder| !is_gone(folder)).count() == 0
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("something in its control group does not end"));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether somebody in it was killed because of its memory.
    pub(super) fn ran_out(&self) -> bool {
        let file = if self.is_unified { "memory.events" } else { "memory.oom_control" };
        let Some(folder) = self.folders.first() else { return false };
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.is_some_and(|count| count.trim() != "0")
    }
}

/// The worker that made a group, by its name.
fn worker_of(name: &str) -> Option<&str> {
    let (worker, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    worker.parse::<u32>().is_ok().then_some(worker)
}

impl Drop for Group {
    fn drop(&mut self) {
        // What stays is ended by the next worker.
        drop(self.end(SHORT));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_the_system_are_read_in_both_generations() {
        let mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n\
                      cgroup /none/cpu cgroup rw,relatime,cpu,cpuacct 0 0\n\
                      cgroup /none/memory cgroup rw,relatime,memory 0 0\n\
                      cgroup /none/pids cgroup rw,relatime,pids 0 0\n\
                      cgroup2 /none/unified cgroup2 rw 0 0\n";
        let own = "8:pids:/a\n4:memory:/b\n1:cpu,cpuacct:/\n0::/c\n";
        let groups = Groups::of(mounts, own).unwrap();
        assert!(matches!(&groups, Groups::Split { cpu: Some(_), .. }), "{groups:?}");
        assert_eq!(groups.base(), Path::new("/none/memory"));
        assert!(Groups::of("cgroup /none/pids cgroup rw,pids 0 0\n", own).is_none());

        let tree = tempfile::tempdir().unwrap();
        let unit = tree.path().join("system.slice/pierhead-worker.service");
        fs::create_dir_all(&unit).unwrap();
        let mounts = format!("cgroup2 {} cgroup2 rw 0 0\n", tree.path().display());
        let own = "0::/system.slice/pierhead-worker.service/pierhead-worker\n";
        assert!(Groups::of(&mounts, own).is_none(), "no controllers");
        fs::write(unit.join("cgroup.controllers"), "cpu memory pids\n").unwrap();
        let groups = Groups::of(&mounts, own).unwrap();
        assert_eq!(groups.base(), unit);
        assert!(Groups::of(&mounts, "0::/elsewhere\n").is_none());
    }

    #[test]
    fn bounds_are_written_where_the_second_generation_has_them() {
        let tree = tempfile::tempdir().unwrap();
        let groups = Groups::Unified { base: tree.path().to_owned() };
        let bounds = Bounds { memory: 1 << 20, milli_cpus: 1_500, pids: 7, file: 0 };
        let group = groups.make("a", bounds).unwrap();
        let own = tree.path().join(format!("pierhead-hook-{}-a", std::process::id()));
        let said = |file: &str| fs::read_to_string(own.join(file)).unwrap();
        assert_eq!(said("memory.max"), "1048576");
        assert_eq!(said("pids.max"), "7");
        assert_eq!(said("cpu.max"), "150000 100000");
        assert!(!group.ran_out());
        fs::write(own.join("memory.events"), "oom 2\noom_kill 1\n").unwrap();
        assert!(group.ran_out());
        // A folder of a real tree has no files that hold it.
        fs::remove_dir_all(&own).unwrap();
        drop(group);
    }

    #[test]
    fn groups_of_workers_that_are_gone_are_removed_and_no_others() {
        let tree = tempfile::tempdir().unwrap();
        let groups = Groups::Unified { base: tree.path().to_owned() };
        let own = format!("pierhead-hook-{}-a", std::process::id());
        // No process has such a number.
        for name in [own.as_str(), "pierhead-hook-4194305-a", "pierhead-worker", "other"] {
            fs::create_dir(tree.path().join(name)).unwrap();
        }
        groups.tidy();
        let left = fs::read_dir(tree.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["other", own.as_str(), "pierhead-worker"]);
    }
}
