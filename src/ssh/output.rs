//! What a client reads on its channel.

use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio_util::sync::CancellationToken;

/// The number of standard error on a channel (RFC 4254 §5.2).
const STDERR: u32 = 1;

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
        let (read, write) = channel.split();
        let gone = CancellationToken::new();
        let drain = drain(read, gone.clone());
        (Self { write }, gone, drain)
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
async fn drain(mut read: ChannelReadHalf, gone: CancellationToken) {
    while let Some(message) = read.wait().await {
        if matches!(message, ChannelMsg::Close) {
            break;
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
