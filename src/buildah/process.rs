//! Programs that are started, heard, and ended with all that they started.

use std::fs;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};

/// Most that is kept of what a program says at once.
const LONGEST: u64 = 4 * 1024 * 1024;

/// How often a program that was killed is looked after, and how long that waits each time.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// A program that runs; dropped, it ends.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Starts a program as the leader of a group.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let command = command.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        Ok(Self { child: command.spawn()? })
    }

    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// What it writes, if that is piped and nobody reads it yet.
    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }
}

/// Runs a program to its end, and gives what it wrote and what it complained of.
pub(super) async fn finish(command: &mut Command) -> io::Result<(ExitStatus, String, String)> {
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let (out, err) = (running.child.stdout.take(), running.child.stderr.take());
    let hearing = async {
        if let Some(out) = out {
            out.take(LONGEST).read_to_end(&mut said).await?;
        }
        io::Result::Ok(())
    };
    let minding = async {
        if let Some(err) = err {
            err.take(LONGEST).read_to_end(&mut complained).await?;
        }
        io::Result::Ok(())
    };
    tokio::try_join!(hearing, minding)?;
    let status = running.wait().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((status, text(&said), text(&complained)))
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let Some(pid) = pid else { return };
        // Containers have groups of their own. Whoever has just ended is no longer there to end.
        for process in descendants(pid) {
            kill_process(process, Signal::KILL).ok();
        }
        kill_process_group(pid, Signal::KILL).ok();
        for _ in 0..ATTEMPTS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Everything that a process started, and what that started.
fn descendants(process: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all: Vec<(i32, i32)> =
        numbers.filter_map(|number| Some((number, parent(number)?))).collect();
    let mut found = vec![process.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(of) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, parent)| *parent == of).map(|(child, _)| *child));
        next += 1;
    }
    found.into_iter().skip(1).filter_map(Pid::from_raw).collect()
}

fn parent(process: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything, and the state.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
