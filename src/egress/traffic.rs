//! Bytes on their way, counted, and how long there were none.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// What a proxy has passed on.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicU64,
}

impl Traffic {
    /// Bytes from clients to hosts.
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Bytes from hosts to clients.
    pub fn received(&self) -> u64 {
        self.0.received.load(Ordering::Relaxed)
    }

    /// Connections that were made to hosts.
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Ordering::Relaxed)
    }

    /// Counts what goes through a new connection to a host.
    pub(super) fn counted<S>(&self, stream: S) -> (Counted<S>, Activity) {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        let activity = Activity(Arc::new(Mutex::new(Instant::now())));
        (Counted { stream, traffic: self.clone(), activity: activity.clone() }, activity)
    }
}

/// When a connection was last used; the lock is held for a look only.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<Instant>>);

impl Activity {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until the connection has been silent for so long.
    pub(super) async fn silence(&self, limit: Duration) {
        loop {
            let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() >= limit {
                return;
            }
            tokio::time::sleep_until(last + limit).await;
        }
    }
}

/// A connection to a host.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    traffic: Traffic,
    activity: Activity,
}

impl<S> Counted<S> {
    fn note(&self, counter: &AtomicU64, bytes: usize) {
        counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.activity.note();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let bytes = buffer.filled().len().saturating_sub(before);
        self.note(&self.traffic.0.received, bytes);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.note(&self.traffic.0.sent, written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_begins_anew_with_every_byte() {
        let traffic = Traffic::default();
        let (near, mut far) = tokio::io::duplex(64);
        let (mut near, activity) = traffic.counted(near);
        let start = Instant::now();
        let talk = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                far.write_all(b"four").await.unwrap();
                near.read_exact(&mut [0; 4]).await.unwrap();
            }
            near.write_all(b"six..!").await.unwrap();
        };
        tokio::join!(activity.silence(Duration::from_secs(10)), talk);
        assert_eq!(start.elapsed().as_secs(), 37);
        assert_eq!((traffic.received(), traffic.sent(), traffic.connections()), (12, 6, 1));
    }
}
