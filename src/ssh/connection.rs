//! One client: proves who it is, opens a channel, asks for one thing.

use std::collections::HashMap;
use std::net::SocketAddr;

use russh::keys::{Algorithm, HashAlg};
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure, Pty};
use tokio::sync::oneshot;
use tracing::{debug, info, warn};

use crate::git::wire::is_protocol;
use crate::people::{Identity, identify, touch};
use crate::ssh::Door;
use crate::ssh::command::parse;
use crate::ssh::commands::{Caller, run};
use crate::tasks::Tasks;

/// What a client says about itself and wants.
pub(super) struct Connection {
    door: Door,
    peer: SocketAddr,
    told: Option<oneshot::Sender<()>>,
    tasks: Tasks,
    /// Set only where a signature was verified, to the key that signed.
    identity: Option<Identity>,
    waiting: HashMap<ChannelId, Waiting>,
    busy: Option<oneshot::Receiver<()>>,
}

/// A channel on which nothing was asked for yet.
struct Waiting {
    channel: Channel<Msg>,
    protocol: Option<String>,
}

impl Connection {
    pub(super) fn new(
        door: Door,
        peer: SocketAddr,
        told: oneshot::Sender<()>,
        tasks: Tasks,
    ) -> Self {
        let (told, waiting) = (Some(told), HashMap::new());
        Self { door, peer, told, tasks, identity: None, waiting, busy: None }
    }

    /// One thing at a time: a client that does not read one channel would hold up the other.
    fn is_busy(&mut self) -> bool {
        let done = |busy: &mut oneshot::Receiver<()>| {
            !matches!(busy.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        !self.waiting.is_empty() || self.busy.as_mut().is_some_and(|busy| !done(busy))
    }

    async fn look_up(&self, user: &str, fingerprint: &str) -> Option<Identity> {
        if user != self.door.settings.user {
            return None;
        }
        match identify(&self.door.db, fingerprint).await {
            Ok(identity) => identity,
            Err(error) => {
                warn!("Could not look up a key: {error}");
                None
            }
        }
    }

    /// Starts what a channel asked for, as whoever the key belongs to now.
    fn start(&mut self, id: ChannelId, command: Option<Vec<u8>>) -> bool {
        let (Some(waiting), Some(identity)) = (self.waiting.remove(&id), self.identity.clone())
        else {
            return false;
        };
        let (done, busy) = oneshot::channel();
        self.busy = Some(busy);
        let Waiting { channel, protocol } = waiting;
        let (door, tasks) = (self.door.clone(), self.tasks.clone());
        let caller = Caller { identity, origin: self.peer.ip().to_string(), protocol };
        drop(self.tasks.start(async move {
            let request = command.map(|bytes| parse(&bytes, &door.address()));
            run(channel, door, caller, request, tasks).await;
            drop(done);
        }));
        true
    }
}

/// RSA signatures with SHA-1 can be forged; the same keys sign with SHA-2.
fn is_weak(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { hash: None } | Algorithm::Dsa)
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        if is_weak(offer.algorithm) {
            return Ok(Auth::reject());
        }
        // Says only whether a signature is worth making; it proves nothing.
        let fingerprint = offer.public_key.fingerprint(HashAlg::Sha256).to_string();
        let known = self.look_up(user, &fingerprint).await.is_some();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let fingerprint = key.public_key.fingerprint(HashAlg::Sha256).to_string();
        self.identity = match is_weak(key.algorithm) {
            true => None,
            false => self.look_up(user, &fingerprint).await,
        };
        Ok(if self.identity.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        if let Some(told) = self.told.take() {
            // Whoever waits for it may have given up this moment.
            told.send(()).unwrap_or_default();
        }
        let Some(identity) = &self.identity else { return Ok(()) };
        let (name, fingerprint) = (&identity.user.name, &identity.fingerprint);
        info!(peer = %self.peer, key = %fingerprint, "{name} came in");
        if let Err(error) = touch(&self.door.db, identity.key, self.peer.ip().to_string()).await {
            debug!("Could not note that a key was used: {error}");
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.is_busy() {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        } else {
            self.waiting.insert(channel.id(), Waiting { channel, protocol: None });
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        drop(self.waiting.remove(&channel));
        Ok(())
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.waiting.get_mut(&channel) {
            Some(waiting) if name == "GIT_PROTOCOL" && is_protocol(value) => {
                waiting.protocol = Some(value.to_owned());
                session.channel_success(channel)
            }
            _ => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.start(channel, Some(command.to_vec())) {
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        // There is no shell: whoever comes without a command is told what there is.
        if self.start(channel, None) {
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
