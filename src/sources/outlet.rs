//! The way to a source, and what signs in there.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;

use crate::config::{FirstHostKey, SourcesConfig};
use crate::db::models::source::Source;
use crate::domain::egress::{AskedHost, EgressRule, EgressRules};
use crate::domain::ids::ProjectId;
use crate::domain::redact::{Redactor, Secrets};
use crate::domain::sealed::Place;
use crate::domain::source::{HostKeys, SourceUrl, Transport};
use crate::egress::{self, Limits, Listen, ListenError, Passage, Proxy, Refused, Traffic};
use crate::git::remote::{HostKeyCheck, RemoteError, Way};
use crate::seal::{NotOpened, Opener};
use crate::sources::fault::SourceFault;

/// Time between two looks at how much came.
const COUNTED_EVERY: Duration = Duration::from_millis(50);

/// What signs in at a source, opened.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// A private key, for SSH.
    pub(super) key: Option<SecretString>,
    /// A header, for HTTPS.
    pub(super) authorization: Option<SecretString>,
    /// What is secret, to be hidden in whatever is said.
    secrets: Secrets,
}

impl Login {
    /// Opens what signs in. Takes some milliseconds.
    pub(super) fn open(
        opener: &Opener,
        project: ProjectId,
        source: &Source,
    ) -> Result<Self, NotOpened> {
        let Some(sealed) = &source.secret else { return Ok(Self::default()) };
        let place = Place::source(project, &source.url, &source.username);
        let secret = opener.open_text(sealed, &place)?;
        let mut login = Self::default();
        // It was checked when it was set that it can be hidden.
        login.secrets.add("source login", secret.expose_secret()).unwrap_or_default();
        match source.url.transport() {
            Transport::Ssh => login.key = Some(secret),
            Transport::Https => {
                let pair = format!("{}:{}", source.username, secret.expose_secret());
                let pair = Base64::encode_string(pair.as_bytes());
                login.secrets.add("source login", &pair).unwrap_or_default();
                login.authorization = Some(format!("Authorization: Basic {pair}").into());
            }
        }
        Ok(login)
    }

    /// Hides it. Takes some time.
    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(&self.secrets)
    }
}

/// The way to a source: nothing else is reached by it.
#[derive(Debug)]
pub(super) struct Outlet {
    way: Open,
    refused: mpsc::Receiver<Refused>,
}

#[derive(Debug)]
enum Open {
    Proxy(Proxy, SocketAddr),
    Passage(Passage),
}

impl Outlet {
    /// Opens the way to a source.
    pub(super) async fn open(
        url: &SourceUrl,
        settings: &SourcesConfig,
    ) -> Result<Self, ListenError> {
        let limits = Limits { idle: settings.silence.duration(), ..Limits::default() };
        let rules = rules(url, &settings.allow);
        let list = "sources.allow".to_owned();
        let settings = egress::Settings { rules, list, limits, ..egress::Settings::default() };
        let (way, refused) = match url.transport() {
            Transport::Https => {
                let any = Listen::Tcp(([127, 0, 0, 1], 0).into());
                let (proxy, refused) = Proxy::start(&any, settings).await?;
                let address = proxy.address().expect("a proxy that listens on TCP has an address");
                (Open::Proxy(proxy, address), refused)
            }
            Transport::Ssh => {
                let to = (url.host(), url.port());
                let (passage, refused) = Passage::start(to, settings).await?;
                (Open::Passage(passage), refused)
            }
        };
        Ok(Self { way, refused })
    }

    /// How git goes there.
    pub(super) fn way<'a>(
        &'a self,
        login: &'a Login,
        (name, unknown): (&'a str, HostKeyCheck),
        ca_file: &'a Path,
    ) -> Way<'a> {
        match &self.way {
            Open::Proxy(_, proxy) => Way::Https {
                proxy: *proxy,
                authorization: login.authorization.as_ref(),
                ca_file: Some(ca_file).filter(|file| !file.as_os_str().is_empty()),
            },
            Open::Passage(passage) => Way::Ssh { passage: passage.address(), name, unknown },
        }
    }

    const fn traffic(&self) -> &Traffic {
        match &self.way {
            Open::Proxy(proxy, _) => proxy.traffic(),
            Open::Passage(passage) => passage.traffic(),
        }
    }

    /// Has git do something, unless more comes than may come.
    pub(super) async fn bounded<T>(
        &self,
        most: u64,
        running: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<Result<T, RemoteError>, SourceFault> {
        let too_much = async {
            while self.traffic().received() <= most {
                tokio::time::sleep(COUNTED_EVERY).await;
            }
        };
        tokio::select! {
            done = running => Ok(done),
            () = too_much => Err(SourceFault::TooMuch(most)),
        }
    }

    /// Why a connection was not made, if one was not.
    pub(super) fn refusal(&mut self) -> Option<Refused> {
        self.refused.try_recv().ok()
    }
}

/// What may be connected to: the host itself, and inward what an administrator lists.
///
/// A host that is named by its address has to be listed in any case: an entry for it would say that
/// it may be connected to wherever it is.
fn rules(url: &SourceUrl, allow: &EgressRules) -> EgressRules {
    let mut rules: Vec<EgressRule> = allow.iter().cloned().collect();
    let (host, port) = (url.host(), url.port());
    let is_allowed = match &host {
        AskedHost::Name(_) => true,
        AskedHost::Address(address) => allow.lists_address(*address, port),
    };
    if is_allowed {
        // An address of a repository has a host for which there is an entry.
        rules.extend(format!("{host}:{port}").parse::<EgressRule>());
    }
    rules.into()
}

/// What is done about a host's key, by what is pinned.
pub(super) fn host_key_check(pinned: &HostKeys, settings: FirstHostKey) -> HostKeyCheck {
    match (pinned.is_empty(), settings) {
        (true, FirstHostKey::Pin) => HostKeyCheck::Note,
        (true, FirstHostKey::Refuse) | (false, _) => HostKeyCheck::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(url: &str, allow: &[&str]) -> bool {
        let allow: Vec<EgressRule> = allow.iter().map(|entry| entry.parse().unwrap()).collect();
        let url: SourceUrl = url.parse().unwrap();
        let rules = rules(&url, &allow.into());
        let leads = |address: &str| rules.allow_address(address.parse().unwrap(), url.port());
        rules.allow(&url.host(), url.port()).is_ok()
            && match url.host() {
                AskedHost::Name(_) => leads("127.0.0.1").is_ok(),
                AskedHost::Address(address) => leads(&address.to_string()).is_ok(),
            }
    }

    #[test]
    fn inward_leads_only_what_is_listed() {
        // A name that leads to this machine, and addresses.
        for url in ["https://git.example.org/a", "ssh://git@git.example.org:2222/a"] {
            assert!(!may(url, &[]), "{url}");
            assert!(!may(url, &["10.0.0.0/8", "git.example.org"]), "{url}");
            assert!(may(url, &["127.0.0.1"]), "{url}");
        }
        for url in ["https://127.0.0.1:8443/a", "ssh://git@127.0.0.1:2222/a"] {
            assert!(!may(url, &[]), "{url}");
            assert!(!may(url, &["127.0.0.1:1"]), "{url}");
            assert!(may(url, &["127.0.0.0/8"]), "{url}");
        }
        assert!(!may("ssh://git@[::ffff:127.0.0.1]:2222/a", &[]));
    }

    #[test]
    fn a_first_key_is_noted_only_where_none_is_pinned() {
        let none = HostKeys::default();
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPyoEF562Xt1qeYViSt3hKzO2ILAsRnFBiTcdbespCCq";
        let one: HostKeys = key.parse().unwrap();
        assert_eq!(host_key_check(&none, FirstHostKey::Pin), HostKeyCheck::Note);
        assert_eq!(host_key_check(&none, FirstHostKey::Refuse), HostKeyCheck::Refuse);
        assert_eq!(host_key_check(&one, FirstHostKey::Pin), HostKeyCheck::Refuse);
    }
}
