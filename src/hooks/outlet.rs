//! The way out of a hook's cage: a proxy of its own, and what leads to it from inside.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Uid};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::caging::{Caged, Mount};
use crate::config::HookConfig;
use crate::docker::{Engine, GateContainer};
use crate::egress::{self, Gate, Listen, Proxy, Refused, gate, variables};
use crate::hooks::{HookFault, HookUse, Parts};
use crate::tasks::blocking;

/// Where what forwards listens, in the cage.
const INSIDE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3_128);

/// The name of images with what forwards in them.
const IMAGE: &str = "pierhead-gate";

/// Where a cage without a container sees what forwards.
const SEEN_AT: &str = "/.pierhead";

/// The way out of one use.
#[derive(Debug)]
pub(super) struct Outlet {
    _proxy: Proxy,
    pub(super) refused: mpsc::Receiver<Refused>,
    socket: PathBuf,
}

/// What forwards, without its files.
#[derive(Debug, Clone)]
pub(super) struct Forwarder {
    digest: String,
    command: Vec<String>,
    socket: &'static str,
}

impl Parts {
    /// The way out of a use; `None` when it has none.
    pub(super) async fn outlet(
        &self,
        asked: &HookUse,
        hook: &HookConfig,
    ) -> Result<Option<Outlet>, HookFault> {
        if hook.network.is_empty() {
            return Ok(None);
        }
        let socket = asked.folder.join(format!("proxy-{}", asked.place));
        let settings = egress::Settings {
            rules: hook.network.clone(),
            list: format!("network of hook {}", asked.hook),
            ..egress::Settings::default()
        };
        let (proxy, refused) = Proxy::start(&Listen::Unix(socket.clone()), settings).await?;
        if rustix::process::geteuid().is_root() {
            let (uid, gid) = (Uid::from_raw(self.user.uid), Gid::from_raw(self.user.gid));
            rustix::fs::chown(&socket, Some(uid), Some(gid)).map_err(io::Error::from)?;
        }
        Ok(Some(Outlet { _proxy: proxy, refused, socket }))
    }

    async fn packed(&self) -> Result<Gate, HookFault> {
        let program = self.program.clone();
        Ok(blocking(move || gate(&program)).await?)
    }

    /// What forwards; packed once, because it is as large as this program.
    async fn forwarder(&self) -> Result<(&Forwarder, Option<Gate>), HookFault> {
        if let Some(known) = self.forwarder.get() {
            return Ok((known, None));
        }
        let gate = self.packed().await?;
        let (digest, command) = (gate.digest.clone(), gate.command.clone());
        let own = Forwarder { digest, command, socket: gate.socket };
        let known = self.forwarder.get_or_init(|| std::future::ready(own)).await;
        Ok((known, Some(gate)))
    }

    /// Starts the container that is the way out of another one, and gives its id.
    pub(super) async fn start_gate(
        &self,
        engine: &Engine,
        asked: &HookUse,
        (outlet, name): (&Outlet, &str),
    ) -> Result<String, HookFault> {
        let (forwarder, gate) = self.forwarder().await?;
        let image = format!("{IMAGE}:{}", forwarder.digest);
        if engine.image(&image).await?.is_none() {
            let gate = match gate {
                Some(gate) => gate,
                None => self.packed().await?,
            };
            engine.import(gate.archive, IMAGE, &forwarder.digest).await?;
        }
        let labels: HashMap<_, _> = self.labels(asked).into_iter().collect();
        let container = GateContainer {
            name: &format!("{name}-gate"),
            image: &image,
            command: &forwarder.command,
            socket: &outlet.socket,
            at: forwarder.socket,
            user: &format!("{}:{}", self.user.uid, self.user.gid),
            labels,
        };
        Ok(engine.start_gate(&container).await?)
    }

    /// Has a command without a container start behind what forwards.
    pub(super) async fn lead_out(
        &self,
        caged: &mut Caged,
        outlet: &Outlet,
    ) -> Result<(), HookFault> {
        let (forwarder, gate) = self.forwarder().await?;
        let folder = self.gates.join(&forwarder.digest);
        if !folder.exists() {
            let gate = match gate {
                Some(gate) => gate,
                None => self.packed().await?,
            };
            let target = folder.clone();
            blocking(move || unpack(&gate.archive, &target)).await?;
        }
        let own = |word: &String| match word.strip_prefix('/') {
            Some(path) if word != forwarder.socket => format!("{SEEN_AT}/{path}"),
            Some(_) | None => word.clone(),
        };
        let mut command: Vec<String> = forwarder.command.iter().map(own).collect();
        command.push("--".to_owned());
        command.append(&mut caged.command);
        caged.command = command;
        let reads = |source: &Path, target: &str| Mount {
            source: source.to_owned(),
            target: target.to_owned(),
            writes: false,
        };
        caged.mounts.push(reads(&folder, SEEN_AT));
        caged.mounts.push(reads(&outlet.socket, forwarder.socket));
        Ok(())
    }
}

/// The variables by which a command finds the way out.
pub(super) fn environment() -> impl Iterator<Item = (String, String)> {
    variables(INSIDE).into_iter().map(|(name, value)| (name.to_owned(), value))
}

/// Unpacks what forwards, whole or not at all.
fn unpack(archive: &[u8], folder: &Path) -> io::Result<()> {
    let new = folder.with_extension(Uuid::now_v7().simple().to_string());
    fs::create_dir_all(&new)?;
    tar::Archive::new(archive).unpack(&new)?;
    match fs::rename(&new, folder) {
        // Somebody was faster.
        Err(_) if folder.exists() => fs::remove_dir_all(&new),
        other => other,
    }
}
