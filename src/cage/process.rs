//! A command in a cage, from its start to its end.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};

use crate::cage::groups::Group;
use crate::cage::{Cages, view};
use crate::caging::{Caged, Ended};
use crate::tasks::blocking;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// How long what is ended may take: the kernel frees its memory and its files.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a code of a program that was ended by a signal begins with.
const SIGNALS: i64 = 128;

/// A command that runs; dropped, everything that it started ends.
#[derive(Debug)]
pub struct CageProcess {
    child: Child,
    output: Option<Receiver>,
    // Behind the child: what is still in it when that is gone ends here.
    group: Group,
}

impl Cages {
    /// Starts a command; `root` is a folder that it sees as the root, or empty for the machine's
    /// programs.
    ///
    /// # Errors
    ///
    /// When the group cannot be made, or the program not be started.
    pub fn start(&self, caged: &Caged, root: &Path) -> io::Result<CageProcess> {
        let group = self.groups.make(&caged.name, caged.bounds)?;
        let mut command = Command::new(&self.program);
        let arguments = held(&view::arguments(caged, root)?)?;
        command.env_clear().stdin(arguments).process_group(0).kill_on_drop(true);
        command.arg("hook-enter");
        command.args(["--user", &format!("{}:{}", caged.user.uid, caged.user.gid)]);
        command.args(["--file-size", &caged.bounds.file.to_string()]);
        for door in group.doors() {
            command.arg("--group").arg(door);
        }
        command.arg("--bwrap").arg(&self.bwrap).arg("--").args(&caged.command);
        // Both in one, so that they come in order.
        let (reader, writer) = io::pipe()?;
        command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
        let child = command.spawn()?;
        // It holds the pipe's other end, without which its end would never be seen.
        drop(command);
        let output = Some(Receiver::from_owned_fd(OwnedFd::from(reader))?);
        Ok(CageProcess { child, output, group })
    }
}

impl CageProcess {
    /// The next piece of output; `None` when there is no more.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn hear(&mut self) -> Option<io::Result<Bytes>> {
        let output = self.output.as_mut()?;
        let mut buffer = BytesMut::with_capacity(CHUNK);
        match output.read_buf(&mut buffer).await {
            Ok(0) => {
                self.output = None;
                None
            }
            Ok(_) => Some(Ok(buffer.freeze())),
            Err(error) => Some(Err(error)),
        }
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub async fn ended(&mut self) -> io::Result<Ended> {
        let status = self.child.wait().await?;
        let code = code(status);
        Ok(if code != 0 && self.group.ran_out() { Ended::OutOfMemory } else { Ended::Code(code) })
    }

    /// Asks everything in the cage to end. Nothing that it says is heard any more.
    pub fn ask(&mut self) {
        let keeper = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        // bwrap itself ends at once when it is asked, and with it all the others.
        for member in self.group.members().into_iter().filter(|pid| Some(*pid) != keeper) {
            kill_process(member, Signal::TERM).ok();
        }
        self.output = None;
    }

    /// Ends everything in the cage.
    ///
    /// # Errors
    ///
    /// When something in it goes on.
    pub async fn end(self) -> io::Result<()> {
        let Self { mut child, output, group } = self;
        drop(output);
        drop(child.start_kill());
        drop(tokio::time::timeout(PATIENCE, child.wait()).await);
        blocking(move || group.end(PATIENCE)).await
    }
}

/// Arguments in a file without a name: a command line is everybody's to read, and variables are
/// among these.
fn held(arguments: &[OsString]) -> io::Result<File> {
    let mut text = Vec::new();
    for argument in arguments {
        if argument.as_bytes().contains(&0) {
            // What is behind it would be an argument of its own.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a variable has a zero byte"));
        }
        text.extend(argument.as_bytes());
        text.push(0);
    }
    let held = |flags| memfd_create("arguments", MemfdFlags::CLOEXEC | flags);
    // Some kernels demand the one flag, and some do not know it.
    let held = held(MemfdFlags::NOEXEC_SEAL).or_else(|_unknown| held(MemfdFlags::empty()))?;
    let mut file = File::from(held);
    file.write_all(&text)?;
    file.rewind()?;
    Ok(file)
}

fn code(status: ExitStatus) -> i64 {
    let of_signal = || SIGNALS + status.signal().map_or(0, i64::from);
    status.code().map_or_else(of_signal, i64::from)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn no_variable_adds_an_argument() {
        let text = |words: &[&str]| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            let mut text = String::new();
            held(&words)?.read_to_string(&mut text)?;
            io::Result::Ok(text)
        };
        assert_eq!(text(&["--setenv", "A", ""]).unwrap(), "--setenv\0A\0\0");
        text(&["--setenv", "A", "b\0--bind"]).unwrap_err();
    }
}
