//! Bodies on their way up, and who keeps whom waiting.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::watch;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// The client has to send more of the body.
    Client,
    /// The upstream has to take what is there, or to answer.
    Upstream,
}

/// The body of a request, which tells whose turn it is while it is sent.
#[derive(Debug)]
pub(super) struct Upload {
    body: Option<Incoming>,
    turn: watch::Sender<Turn>,
}

impl Upload {
    /// A body as it comes from the client, and whose turn it is.
    pub(super) fn new(body: Incoming) -> (Self, watch::Receiver<Turn>) {
        let (turn, watcher) = watch::channel(Turn::Upstream);
        (Self { body: Some(body), turn }, watcher)
    }

    /// No body.
    pub(super) fn empty() -> Self {
        Self { body: None, turn: watch::Sender::new(Turn::Upstream) }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        let turn = if frame.is_pending() { Turn::Client } else { Turn::Upstream };
        // Also when it stays the upstream's: that it took something is a sign of life.
        self.turn.send_replace(turn);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

/// Waits until nothing has moved for `limit`, and says whose turn it was.
pub(super) async fn silence(mut turn: watch::Receiver<Turn>, limit: Duration) -> Turn {
    loop {
        let whose = *turn.borrow_and_update();
        match tokio::time::timeout(limit, turn.changed()).await {
            Ok(Ok(())) => {}
            // The body has been sent whole; all that is left to do is to answer.
            Ok(Err(_sent)) => {
                tokio::time::sleep(limit).await;
                return Turn::Upstream;
            }
            Err(_elapsed) => return whose,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_was_given_everything_has_the_limit_to_answer() {
        let (sender, turn) = watch::channel(Turn::Client);
        drop(sender);
        let start = Instant::now();
        assert_eq!(silence(turn, LIMIT).await, Turn::Upstream);
        assert_eq!(start.elapsed(), LIMIT);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stopped_first_is_named_and_movement_starts_the_limit_again() {
        let (sender, turn) = watch::channel(Turn::Upstream);
        let start = Instant::now();
        let moving = async {
            tokio::time::sleep(LIMIT - Duration::from_secs(1)).await;
            sender.send_replace(Turn::Upstream);
            tokio::time::sleep(LIMIT - Duration::from_secs(1)).await;
            sender.send_replace(Turn::Client);
        };
        let (silent, ()) = tokio::join!(silence(turn, LIMIT), moving);
        assert_eq!(silent, Turn::Client);
        assert_eq!(start.elapsed(), LIMIT * 3 - Duration::from_secs(2));
    }
}
