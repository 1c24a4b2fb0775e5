//! Options of sockets, so that peers which are gone are noticed.

use std::io;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::net::TcpStream;

/// Silence after which a peer is asked whether it is still there, and the pause between asking.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(15));

/// Unanswered questions after which it is not.
const PROBES: u32 = 4;

/// How long a peer may leave bytes unread that were sent to it, in milliseconds. One that stops
/// reading would hold its connection, and an upstream's, for ever.
const UNREAD_LIMIT: u32 = 120_000;

/// Prepares a connection of either side.
///
/// # Errors
///
/// When the peer is gone already.
pub(super) fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, KEEP_ALIVE.0)?;
    sockopt::set_tcp_keepintvl(socket, KEEP_ALIVE.1)?;
    sockopt::set_tcp_keepcnt(socket, PROBES)?;
    sockopt::set_tcp_user_timeout(socket, UNREAD_LIMIT)?;
    Ok(())
}
