//! The end of the way out that is within a cage, where there is no network but the loopback
//! interface: clients want a TCP address, and the proxy's socket is a file.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::tasks::Tasks;

/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Signals that are passed on to the command; without one they end the forwarder.
const PASSED_ON: [Signal; 6] =
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// Exit statuses by which shells say that a command could not be started, or was not found, and
/// what they add to the number of the signal that ended one.
const NOT_STARTED: u8 = 126;
const NOT_FOUND: u8 = 127;
const BY_SIGNAL: i32 = 128;

/// Passes every connection on to a socket, until everything stops.
pub async fn forward(listener: TcpListener, socket: PathBuf, tasks: Tasks) {
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((client, _)) => {
                let (socket, own) = (socket.clone(), tasks.clone());
                drop(tasks.start(async move {
                    tokio::select! {
                        () = own.stopping() => {}
                        // Both sides see how it ended; nobody else is here to be told.
                        passed = pass(client, &socket) => passed.unwrap_or_default(),
                    }
                }));
            }
            Err(_out_of_descriptors) => tasks.pause(PAUSE).await,
        }
    }
}

async fn pass(mut client: TcpStream, socket: &Path) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut proxy = UnixStream::connect(socket).await?;
    copy_bidirectional(&mut client, &mut proxy).await.map(|_| ())
}

/// Runs a command with the terminal and the signals of this process, and gives its exit status; of
/// one that a signal ended, as shells have it.
///
/// # Errors
///
/// When signals cannot be heard, or the command is lost sight of.
pub async fn run(command: &[OsString]) -> io::Result<u8> {
    let Some((program, arguments)) = command.split_first() else { return Ok(NOT_STARTED) };
    let tasks = Tasks::default();
    // Heard from before the command starts, so that none is lost.
    let mut heard = signals(&tasks)?;
    let mut child = match Command::new(program).args(arguments).kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(NOT_FOUND),
        Err(_not_a_program) => return Ok(NOT_STARTED),
    };
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    loop {
        tokio::select! {
            status = child.wait() => return status.map(code),
            Some(signal) = heard.recv() => if let Some(pid) = pid {
                // It may have just ended.
                kill_process(pid, signal).unwrap_or_default();
            },
        }
    }
}

/// Waits until this process is asked to end.
///
/// # Errors
///
/// When signals cannot be heard.
pub async fn until_asked_to_end() -> io::Result<()> {
    let tasks = Tasks::default();
    signals(&tasks)?.recv().await;
    Ok(())
}

/// Every signal that is passed on, as it comes.
fn signals(tasks: &Tasks) -> io::Result<tokio::sync::mpsc::Receiver<Signal>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(PASSED_ON.len());
    for number in PASSED_ON {
        let mut stream = signal(SignalKind::from_raw(number.as_raw()))?;
        let sender = sender.clone();
        drop(tasks.start(async move {
            while stream.recv().await.is_some() && sender.send(number).await.is_ok() {}
        }));
    }
    Ok(receiver)
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(BY_SIGNAL + status.signal()?));
    code.and_then(|code| code.try_into().ok()).unwrap_or(u8::MAX)
}
