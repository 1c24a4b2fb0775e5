//! What a client reads on its channel.

use std::time::Duration;

use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::domain::variables::LONGEST_VALUE;

/// The number of standard error on a channel (RFC 4254 §5.2).
const STDERR: u32 = 1;

/// Most bytes of input that a command reads: a value, and the end of its line.
const MOST_INPUT: usize = LONGEST_VALUE + 2;

/// Time a client has to send them: a person may type.
const INPUT_TIME: Duration = Duration::from_secs(300);

/// What a client sends on a channel, up to its end.
pub(super) struct Input(oneshot::Receiver<Vec<u8>>);

/// Why there is nothing to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadInput {
    /// The client hung up, or sent nothing more for too long.
    #[error("standard input did not end within {} s", INPUT_TIME.as_secs())]
    Endless,
    /// More than is ever wanted.
    #[error("standard input has more than 32 KiB")]
    TooLong,
    /// Not UTF-8.
    #[error("standard input is no text")]
    NotText,
}

impl Input {
    /// Reads it as text, without the end of its last line.
    pub(super) async fn text(self) -> Result<String, BadInput> {
        let read = tokio::time::timeout(INPUT_TIME, self.0).await;
        let bytes = read.ok().and_then(Result::ok).ok_or(BadInput::Endless)?;
        if bytes.len() > MOST_INPUT {
            return Err(BadInput::TooLong);
        }
        let mut text = String::from_utf8(bytes).map_err(|_not_text| BadInput::NotText)?;
        if text.ends_with('\n') {
            text.pop();
        }
        if text.ends_with('\r') {
            text.pop();
        }
        Ok(text)
    }
}

/// A channel that is written to by one of our commands.
pub(super) struct Output {
    write: ChannelWriteHalf<Msg>,
}

impl Output {
    /// Takes a channel apart. Input is read and dropped; the token is cancelled when the client
    /// hangs up.
    pub(super) fn open(
        channel: Channel<Msg>,
    ) -> (Self, CancellationToken, impl Future<Output = ()> + Send) {
        let (output, gone, _input, drain) = Self::open_with_input(channel);
        (output, gone, drain)
    }

    /// The same, with the input for who wants it.
    pub(super) fn open_with_input(
        channel: Channel<Msg>,
    ) -> (Self, CancellationToken, Input, impl Future<Output = ()> + Send) {
        let (read, write) = channel.split();
        let gone = CancellationToken::new();
        let (sender, receiver) = oneshot::channel();
        let drain = drain(read, gone.clone(), sender);
        (Self { write }, gone, Input(receiver), drain)
    }

    /// Writes a line to standard output.
    pub(super) async fn line(&self, text: &str) -> Result<(), russh::Error> {
        self.write.data_bytes(format!("{text}\n").into_bytes()).await
    }

    /// Writes a line to standard error.
    pub(super) async fn error(&self, text: &str) -> Result<(), russh::Error> {
        self.write.extended_data_bytes(STDERR, format!("{text}\n").into_bytes()).await
    }

    /// Says how it ended, and closes.
    pub(super) async fn end(self, status: u32) {
        end(&self.write, status).await;
    }
}

/// Reads a channel to its end: a session stands still when one of its channels is not read.
async fn drain(
    mut read: ChannelReadHalf,
    gone: CancellationToken,
    input: oneshot::Sender<Vec<u8>>,
) {
    let (mut bytes, mut input) = (Vec::new(), Some(input));
    while let Some(message) = read.wait().await {
        #[expect(clippy::wildcard_enum_match_arm, reason = "of many messages few are of interest")]
        match message {
            ChannelMsg::Close => break,
            ChannelMsg::Data { data } => {
                // One byte more than is wanted tells that there are too many.
                let left = (MOST_INPUT + 1).saturating_sub(bytes.len());
                bytes.extend(data.iter().take(left));
            }
            ChannelMsg::Eof => {
                if let Some(input) = input.take() {
                    // Most commands do not want it.
                    drop(input.send(std::mem::take(&mut bytes)));
                }
            }
            _ => {}
        }
    }
    gone.cancel();
}

/// Exit status, end of file, close: in this order, or clients report a lost connection.
pub(super) async fn end(write: &ChannelWriteHalf<Msg>, status: u32) {
    // A client that hung up does not hear it.
    drop(write.exit_status(status).await);
    drop(write.eof().await);
    drop(write.close().await);
}
