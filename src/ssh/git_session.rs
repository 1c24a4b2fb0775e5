//! Relays between a client and git's own program.

use std::process::ExitStatus;
use std::time::Duration;

use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin};
use tracing::{debug, warn};

use crate::push::{PushSession, Stage};
use crate::ssh::output::end;

/// Bytes passed on at once.
const CHUNK: usize = 32 * 1024;

/// Time the pipes of a git that has ended may still be open: something it started may hold them.
const AFTER_END: Duration = Duration::from_secs(5);

/// What a client is told when git was ended by a signal.
const KILLED: u32 = 128;

/// Which pipe.
#[derive(Clone, Copy)]
enum Pipe {
    Stdout,
    Stderr,
}

/// Passes bytes between a channel and git until git ends, and tells the client its exit status.
///
/// A client that hangs up while a pack is received ends git, and nothing is stored; so does one
/// that takes longer than `time_limit`. Later, what its push has begun goes on without it.
pub(super) async fn relay(
    channel: Channel<Msg>,
    mut child: Child,
    push: Option<&PushSession>,
    time_limit: Duration,
) {
    let (read, write) = channel.split();
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let outputs = async {
        tokio::join!(pass(stdout, &write, Pipe::Stdout), pass(stderr, &write, Pipe::Stderr));
    };
    let finished = async {
        tokio::pin!(outputs);
        let status = tokio::select! {
            status = child.wait() => {
                if tokio::time::timeout(AFTER_END, outputs).await.is_err() {
                    warn!("git ended, but something it started holds its output open");
                }
                status
            }
            () = &mut outputs => child.wait().await,
        };
        status.map_or(KILLED, code)
    };
    let client = async {
        feed(read, stdin).await;
        hung_up(push, pid);
        std::future::pending::<()>().await;
    };
    let overdue = async {
        tokio::time::sleep(time_limit).await;
        if is_deploying(push) {
            std::future::pending::<()>().await;
        }
        hung_up(push, pid);
    };
    let status = tokio::select! {
        status = finished => status,
        () = client => KILLED,
        () = overdue => {
            let text = "pierhead: this took longer than the server allows (git.time_limit)\n";
            drop(write.extended_data(1, text.as_bytes()).await);
            KILLED
        }
    };
    end(&write, status).await;
}

fn code(status: ExitStatus) -> u32 {
    status.code().and_then(|code| u32::try_from(code).ok()).unwrap_or(KILLED)
}

/// Whether git has all it needs, and only waits for jobs.
fn is_deploying(push: Option<&PushSession>) -> bool {
    push.is_some_and(|push| push.stage() == Stage::Handling)
}

/// The client closed its channel or its connection, or is too slow.
fn hung_up(push: Option<&PushSession>, pid: Option<Pid>) {
    match push {
        Some(push) if is_deploying(Some(push)) => push.leave(),
        _ => {
            // git and what it started; when it has just ended there is nobody to end.
            let killed = pid.map(|pid| kill_process_group(pid, Signal::TERM));
            debug!("A client hung up: {killed:?}");
        }
    }
}

/// Gives a client's bytes to git, and reads on when git reads no more, until the channel is closed.
#[expect(clippy::wildcard_enum_match_arm, reason = "requests of a foreign enum mean nothing here")]
async fn feed(mut read: ChannelReadHalf, mut stdin: Option<ChildStdin>) {
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                if let Some(open) = &mut stdin
                    && open.write_all(&data).await.is_err()
                {
                    stdin = None;
                }
            }
            ChannelMsg::Eof => stdin = None,
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

/// Gives git's bytes to the client, and reads on when the client is gone.
async fn pass(from: Option<impl AsyncRead + Unpin>, to: &ChannelWriteHalf<Msg>, pipe: Pipe) {
    let Some(mut from) = from else { return };
    let mut client_reads = true;
    let mut buffer = bytes::BytesMut::with_capacity(CHUNK);
    while let Ok(1..) = from.read_buf(&mut buffer).await {
        let chunk = buffer.split().freeze();
        if client_reads {
            let sent = match pipe {
                Pipe::Stdout => to.data_bytes(chunk).await,
                Pipe::Stderr => to.extended_data_bytes(1, chunk).await,
            };
            client_reads = sent.is_ok();
        }
        buffer.reserve(CHUNK);
    }
}
