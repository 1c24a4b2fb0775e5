//! One run of git: bounded in what it may say, and killed with all that it started.

use std::io;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::git::remote::RemoteError;

/// Most bytes of a list of refs.
const MOST_SAID: u64 = 8 * 1024 * 1024;

/// Most bytes of complaints that are kept, in whole lines: the last ones say why.
const MOST_KEPT: usize = 16 * 1024;

/// A process and all that it started, while it runs.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // None once it was waited for.
        let pid = self.0.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let Some(pid) = pid {
            // Whoever has just ended is no longer there to be killed.
            kill_process_group(pid, Signal::KILL).unwrap_or_default();
        }
    }
}

/// Runs git to its end, and gives what it printed.
pub(super) async fn run(mut command: Command) -> Result<Vec<u8>, RemoteError> {
    let mut group = Group(command.spawn()?);
    let (said, complaints) = (group.0.stdout.take(), group.0.stderr.take());
    let (said, complaints, status) = tokio::try_join!(
        all_of(said),
        async { Ok::<_, RemoteError>(last_of(complaints).await?) },
        async { Ok(group.0.wait().await?) },
    )?;
    if status.success() {
        Ok(said)
    } else {
        Err(RemoteError::Failed(String::from_utf8_lossy(&complaints).into_owned()))
    }
}

async fn all_of(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, RemoteError> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(MOST_SAID + 1).read_to_end(&mut bytes).await?;
    }
    let is_whole = u64::try_from(bytes.len()).is_ok_and(|length| length <= MOST_SAID);
    if is_whole { Ok(bytes) } else { Err(RemoteError::TooMany) }
}

async fn last_of(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return Ok(kept) };
    let mut chunk = vec![0; MOST_KEPT];
    let mut is_cut = false;
    loop {
        let length = stream.read(&mut chunk).await?;
        let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(MOST_KEPT);
        is_cut |= surplus > 0;
        kept.drain(..surplus);
    }
    if is_cut {
        // The end of something secret is not known for what it is.
        let line = kept.iter().position(|byte| *byte == b'\n').map_or(kept.len(), |end| end + 1);
        kept.drain(..line);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[tokio::test]
    async fn the_last_complaints_of_a_failure_are_kept() {
        let script = "i=0; while [ $i -lt 4000 ]; do echo 12345678901234567890 >&2; i=$((i+1)); \
                      done; echo the end >&2; exit 3";
        let Err(RemoteError::Failed(text)) = run(shell(script)).await else {
            panic!("it fails");
        };
        assert!(text.len() <= MOST_KEPT);
        assert!(text.ends_with("the end\n"));
        assert!(text.starts_with("12345678901234567890\n"), "a line is whole, or left out");
        assert_eq!(run(shell("echo yes; echo no >&2")).await.unwrap(), b"yes\n");
    }

    #[tokio::test]
    async fn whoever_says_too_much_is_ended_with_all_that_it_started() {
        // A grandchild that would go on for ever holds the other end of the pipe.
        let script = "yes & echo $! >&2; yes";
        assert!(matches!(run(shell(script)).await, Err(RemoteError::TooMany)));
    }
}
