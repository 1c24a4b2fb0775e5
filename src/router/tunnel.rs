//! Connections that go on with another protocol than HTTP, such as that of web sockets.

use std::io;
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tracing::debug;

use crate::router::Client;
use crate::tasks::Tasks;

/// Passes bytes both ways until both sides have closed, or the grace after a stop is over.
pub(super) async fn tunnel(
    from_client: OnUpgrade,
    from_upstream: OnUpgrade,
    client: Client,
    grace: Duration,
    tasks: Tasks,
) {
    let peer = client.peer;
    let stopped = async {
        tasks.stopping().await;
        tokio::time::sleep(grace).await;
        Ok(())
    };
    let ended = tokio::select! {
        ended = copy(from_client, from_upstream) => ended,
        ended = stopped => ended,
    };
    if let Err(error) = ended {
        debug!("Tunnel of {peer}: {error}");
    }
    drop(client);
}

async fn copy(from_client: OnUpgrade, from_upstream: OnUpgrade) -> io::Result<()> {
    let both = tokio::try_join!(from_client, from_upstream);
    let (client, upstream) = both.map_err(io::Error::other)?;
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    tokio::io::copy_bidirectional(&mut client, &mut upstream).await.map(|_| ())
}
