//! Accepts connections and bounds them.

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::Algorithm;
use russh::server::Config;
use russh::{Disconnect, MethodKind, Preferred, cipher};
use rustix::net::{Shutdown, shutdown};
use ssh_key::PrivateKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use crate::ssh::Door;
use crate::ssh::connection::Connection;
use crate::ssh::limits::{Connections, Counted};
use crate::tasks::Tasks;

/// Pause after a connection could not be accepted, as when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Time between two questions whether the client is still there, and how often it may not answer.
const KEEPALIVE: (Duration, usize) = (Duration::from_secs(30), 3);

/// Silence of the transport after which a connection ends. Answers to keep-alives count, so this
/// bounds only clients that are gone, and those that never finish logging in.
const INACTIVITY: Duration = Duration::from_secs(600);

/// Time to tell a client that it was too slow, and time for it to hang up.
const GOODBYE: Duration = Duration::from_millis(500);

/// Delay of a refused key. Keys cannot be guessed; every key an agent offers first would cost it.
const REJECTION: Duration = Duration::from_millis(100);

/// Keys a client may try.
const MOST_ATTEMPTS: usize = 6;

/// Serves SSH until the tasks stop.
pub async fn serve(listener: TcpListener, host_key: PrivateKey, door: Door, tasks: Tasks) {
    let settings = &door.settings;
    let (all, from_one) = (settings.connections.get(), settings.connections_per_address.get());
    let connections = Connections::new(all, from_one);
    let config = Arc::new(config(host_key));
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match connections.enter(peer.ip().to_canonical()) {
                Ok(counted) => {
                    let connected = Connected { stream, peer, counted };
                    drop(tasks.start(connected.serve(config.clone(), door.clone(), tasks.clone())));
                }
                Err(reason) => debug!("Turned {peer} away: {reason}"),
            },
            Err(error) => {
                warn!("Could not accept a connection: {error}");
                tasks.pause(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn config(host_key: PrivateKey) -> Config {
    let mut preferred = Preferred::DEFAULT;
    preferred.cipher = vec![
        cipher::AES_256_GCM,
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_CTR,
        cipher::AES_192_CTR,
        cipher::AES_128_CTR,
    ]
    .into();
    preferred.key = vec![Algorithm::Ed25519].into();
    Config {
        keys: vec![host_key],
        methods: (&[MethodKind::PublicKey][..]).into(),
        auth_rejection_time: REJECTION,
        // Every client asks first what it may try; that question costs nothing.
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: MOST_ATTEMPTS,
        inactivity_timeout: Some(INACTIVITY),
        keepalive_interval: Some(KEEPALIVE.0),
        keepalive_max: KEEPALIVE.1,
        nodelay: true,
        preferred,
        ..Config::default()
    }
}

/// One connection, counted as long as it lasts.
struct Connected {
    stream: TcpStream,
    peer: SocketAddr,
    counted: Counted,
}

impl Connected {
    async fn serve(self, config: Arc<Config>, door: Door, tasks: Tasks) {
        let Self { stream, peer, counted } = self;
        let login_time = door.settings.login_time.duration();
        let line = match stream.as_fd().try_clone_to_owned() {
            Ok(line) => line,
            Err(error) => return warn!("Could not take a connection: {error}"),
        };
        let (told, logged_in) = oneshot::channel();
        let connection = Connection::new(door, peer, told, tasks);
        let deadline = tokio::time::Instant::now() + login_time;
        let greeting = russh::server::run_stream(config, stream, connection);
        let mut session = match tokio::time::timeout_at(deadline, greeting).await {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => return debug!("{peer} did not speak SSH: {error}"),
            Err(_elapsed) => return debug!("{peer} did not greet in time"),
        };
        tokio::select! {
            ended = &mut session => return ended_by(peer, ended),
            logged_in = tokio::time::timeout_at(deadline, logged_in) => {
                if logged_in.is_err() {
                    debug!("{peer} did not log in in time");
                    let handle = session.handle();
                    let reason = "not logged in in time".to_owned();
                    let goodbye =
                        handle.disconnect(Disconnect::ByApplication, reason, "en".to_owned());
                    // A session that is over cannot be told.
                    drop(tokio::time::timeout(GOODBYE, goodbye).await);
                    // One that has not agreed on keys yet hears nothing.
                    drop(tokio::time::timeout(GOODBYE, &mut session).await);
                    return hang_up(peer, &line);
                }
            }
        }
        drop(line);
        ended_by(peer, session.await);
        drop(counted);
    }
}

/// Ends a connection, whatever its session waits for.
fn hang_up(peer: SocketAddr, line: &OwnedFd) {
    if let Err(error) = shutdown(line, Shutdown::Both) {
        debug!("{peer} was gone already: {error}");
    }
}

fn ended_by(peer: SocketAddr, ended: Result<(), russh::Error>) {
    if let Err(error) = ended {
        debug!("The connection of {peer} broke: {error}");
    }
}
