//! Commands that read what somebody types.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::app::developer::{Developer, Done};
use crate::support::app::{App, PATIENCE};

/// Runs a command that reads this.
async fn fed(mut command: Command, input: &[u8]) -> Done {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who refuses the command does not read.
    drop(stdin.write_all(input).await);
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE * 2, child.wait_with_output()).await;
    let output = output.expect("the command ends").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (code, stdout) = (output.status.code().unwrap_or(-1), text(output.stdout));
    Done { code, stdout, stderr: text(output.stderr) }
}

/// `ssh git@host <words>`, by somebody who types this.
pub(crate) async fn typed(developer: &Developer, words: &str, input: &[u8]) -> Done {
    let mut command = developer.command("ssh", Path::new("/"));
    command.args(developer.ssh_options()).arg("git@127.0.0.1").arg(words);
    fed(command, input).await
}

/// `pierhead <words>` at the server's terminal.
pub(crate) async fn administrate(app: &App, words: &str, input: &str) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pierhead"));
    command.env_clear().env("PIERHEAD_CONFIG", app.configuration()).args(words.split(' '));
    fed(command, input.as_bytes()).await
}
