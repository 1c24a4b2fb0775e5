//! Pushes under way, by the secret that their hooks are given.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::audit::Actor;
use crate::domain::ids::{ProjectId, PushId, UserId};

/// Bytes of randomness of a key.
const KEY_BYTES: usize = 32;

/// What a hook proves itself with: 256 random bits, in hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionKey(String);

/// How far a push has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// git receives objects, or their policy is being checked.
    Receiving,
    /// Objects are stored; refs are being decided about.
    Handling,
}

/// One push: who pushes what where.
#[derive(Debug)]
pub struct PushSession {
    /// Its record.
    pub push: PushId,
    /// The project.
    pub project: ProjectId,
    /// Who pushes.
    pub user: UserId,
    /// Their name.
    pub pusher: String,
    /// Who that is in the audit log, with the key that signed.
    pub actor: Actor,
    stage: watch::Sender<Stage>,
    exit_code: OnceLock<i16>,
    gone: CancellationToken,
}

impl PushSession {
    /// A push that begins.
    pub fn new(
        push: PushId,
        project: ProjectId,
        user: UserId,
        pusher: String,
        actor: Actor,
    ) -> Self {
        let (stage, gone) = (watch::Sender::new(Stage::Receiving), CancellationToken::new());
        let exit_code = OnceLock::new();
        Self { push, project, user, pusher, actor, stage, exit_code, gone }
    }

    /// The fingerprint of the key that signed.
    pub fn fingerprint(&self) -> &str {
        self.actor.key.as_deref().unwrap_or_default()
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Notes how far it has come.
    pub fn reach(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    /// Notes what git's exit status will be; the first word counts.
    pub fn finish_with(&self, exit_code: i16) {
        self.exit_code.get_or_init(|| exit_code);
    }

    /// git's exit status, when it is known and somebody is there to get it.
    pub fn exit_code(&self) -> Option<i16> {
        self.exit_code.get().copied().filter(|_| !self.gone.is_cancelled())
    }

    /// Says that nobody reads any more. What was begun goes on.
    pub fn leave(&self) {
        self.gone.cancel();
    }

    /// Cancelled when nobody reads any more.
    pub const fn gone(&self) -> &CancellationToken {
        &self.gone
    }
}

/// The pushes that one SSH server serves.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    // Held for a look-up or an insertion only, never across an await.
    open: Arc<Mutex<HashMap<SessionKey, Arc<PushSession>>>>,
}

impl Sessions {
    /// Makes a push known to its hooks until the ticket is dropped.
    pub fn open(&self, session: PushSession) -> Ticket {
        let bytes: [u8; KEY_BYTES] = rand::random();
        let mut key = String::with_capacity(2 * KEY_BYTES);
        for byte in bytes {
            write!(key, "{byte:02x}").expect("writing to a String does not fail");
        }
        let (key, session) = (SessionKey(key), Arc::new(session));
        self.lock().insert(key.clone(), session.clone());
        Ticket { sessions: self.clone(), key, session }
    }

    /// The push whose hook shows this key.
    pub fn find(&self, key: &str) -> Option<Arc<PushSession>> {
        self.lock().get(&SessionKey(key.to_owned())).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionKey, Arc<PushSession>>> {
        // A panic elsewhere leaves the map whole: each change is one call.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A push that its hooks can find.
#[derive(Debug)]
pub struct Ticket {
    sessions: Sessions,
    key: SessionKey,
    session: Arc<PushSession>,
}

impl Ticket {
    /// What hooks are given.
    pub fn key(&self) -> &str {
        &self.key.0
    }

    /// The push.
    pub const fn session(&self) -> &Arc<PushSession> {
        &self.session
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.session.leave();
        self.sessions.lock().remove(&self.key);
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::audit::Entrance;

    fn session() -> PushSession {
        let id = Uuid::from_u128(1);
        let actor = Actor {
            entrance: Entrance::Ssh,
            who: "ana@example.org".to_owned(),
            user: None,
            key: None,
            origin: String::new(),
        };
        PushSession::new(id.into(), id.into(), id.into(), "ana".to_owned(), actor)
    }

    #[test]
    fn a_push_is_found_by_its_key_until_it_is_over() {
        let sessions = Sessions::default();
        let (one, other) = (sessions.open(session()), sessions.open(session()));
        assert_ne!(one.key(), other.key());
        assert!(sessions.find(one.key()).is_some());
        assert!(sessions.find("").is_none());
        let (key, kept) = (one.key().to_owned(), one.session().clone());
        drop(one);
        assert!(sessions.find(&key).is_none());
        assert!(kept.gone().is_cancelled());
        assert_eq!(format!("{:?}", other.key), "SessionKey(***)");
    }
}
