//! Folders, ports and the socket of the hooks, made ready for a server.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tracing::info;

use crate::cli::serve::ServeError;

/// Says where something listens.
pub(super) fn say_listening(what: &str, listener: &TcpListener) {
    if let Ok(address) = listener.local_addr() {
        info!("{what} listens on {address}");
    }
}

/// Makes a folder, if it is not there.
pub(super) fn make_folder(path: &Path) -> Result<(), ServeError> {
    std::fs::create_dir_all(path)
        .map_err(|source| ServeError::Folder { path: path.to_owned(), source })
}

/// Takes a port.
pub(super) async fn listen(
    address: SocketAddr,
    setting: &'static str,
) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { address: address.to_string(), setting, source };
    TcpListener::bind(address).await.map_err(failed)
}

/// Binds the socket that hooks talk to. One that a killed server left is replaced.
pub(super) async fn hook_socket(path: &Path) -> Result<UnixListener, ServeError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let failed = |source| ServeError::Listen {
        address: path.display().to_string(),
        setting: "runtime_dir",
        source,
    };
    if UnixStream::connect(path).await.is_ok() {
        let text = "another server answers there";
        return Err(failed(io::Error::new(io::ErrorKind::AddrInUse, text)));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}
