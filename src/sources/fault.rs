//! Why a look at a source came to nothing.

use std::time::Duration;

use crate::db::models::project::Inactive;
use crate::domain::history::truncate;
use crate::domain::output::clean;
use crate::domain::source::SourceUrl;
use crate::egress::ListenError;
use crate::git::bare_repository::GitError;
use crate::git::quarantine::Oversized;
use crate::git::remote::RemoteError;
use crate::jobs::JobsError;
use crate::projects::ProjectError;
use crate::seal::NotOpened;

/// Longest text of a fault.
const LONGEST: usize = 600;

/// Lines of git that are shown: the last ones say why.
const LINES: usize = 3;

/// Why a look at a source came to nothing, in words for whoever looks after the project.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceFault {
    /// The project has none any more.
    #[error("the project has no source any more")]
    NoSource,
    /// It is another one by now, or has other keys.
    #[error("the source was changed while it was looked at: ask again")]
    Changed,
    /// Whoever asked may not any more.
    #[error(transparent)]
    Right(ProjectError),
    /// Their key was removed since they asked.
    #[error("the key of whoever asked was removed: register another one")]
    Key,
    /// Nothing of the project is deployed.
    #[error(transparent)]
    Inactive(#[from] Inactive),
    /// What signs in does not open.
    #[error("{0}; give it anew: pierhead admin set source")]
    NotOpened(#[from] NotOpened),
    /// It is where nothing may be connected to, or cannot be reached.
    #[error("{0}")]
    Network(String),
    /// Nothing listens on this machine.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The host shows another key.
    #[error(
        "{site} shows another host key{shown} than what is pinned ({pinned}): somebody may listen \
         in between. If the host has a new key, pin that: pierhead admin set source … --host-key FILE"
    )]
    HostKey {
        /// The host.
        site: String,
        /// The fingerprint it shows, if it is known.
        shown: String,
        /// What is pinned.
        pinned: String,
    },
    /// No key of the host is known.
    #[error(
        "no host key of {0} is pinned, and sources.first_host_key takes none unseen: give it by \
         pierhead admin set source … --host-key FILE"
    )]
    NoHostKey(String),
    /// It is another host's affair.
    #[error("{0} sends on to another address, and that is not followed: give that address itself")]
    Redirected(String),
    /// Who signs in may not read it.
    #[error("{site} does not let {username} in: {said}")]
    Denied {
        /// The host.
        site: String,
        /// Who signs in.
        username: String,
        /// What it says.
        said: String,
    },
    /// There is no repository.
    #[error("{site} has no such repository, or does not show it to {username}")]
    NotThere {
        /// The host.
        site: String,
        /// Who signs in.
        username: String,
    },
    /// A branch went away in between.
    #[error("a branch went away while it was fetched; the next check sees that")]
    WentAway,
    /// More came than may come.
    #[error("more than {} MiB came, which is the most that one check fetches (sources.max_bytes)", .0 / 1024 / 1024)]
    TooMuch(u64),
    /// It took too long.
    #[error("it took longer than {} s (sources.time_limit)", .0.as_secs())]
    TooLong(Duration),
    /// An object that nobody made by hand.
    #[error(transparent)]
    Oversized(#[from] Oversized),
    /// git says why.
    #[error("git: {0}")]
    Git(String),
    /// git cannot be run, or is not understood.
    #[error(transparent)]
    Remote(RemoteError),
    /// The home of git cannot be written.
    #[error("the server cannot write the folder of a check: {0}")]
    Folder(#[from] std::io::Error),
    /// Jobs or the database.
    #[error(transparent)]
    Jobs(#[from] JobsError),
}

impl From<diesel::result::Error> for SourceFault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Jobs(error.into())
    }
}

impl From<ProjectError> for SourceFault {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only one kind is for the log")]
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Db(error) => error.into(),
            error => Self::Right(error),
        }
    }
}

impl From<GitError> for SourceFault {
    fn from(error: GitError) -> Self {
        Self::Jobs(error.into())
    }
}

impl SourceFault {
    /// Why git gave up, by its words; who signs in, and which keys are pinned.
    pub(super) fn of(
        error: RemoteError,
        url: &SourceUrl,
        (username, pinned): (&str, &[String]),
    ) -> Self {
        let text = match error {
            RemoteError::Failed(text) => text,
            other @ (RemoteError::Run(_) | RemoteError::TooMany | RemoteError::Listing) => {
                return Self::Remote(other);
            }
        };
        let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
        let (site, username) = (url.site(), username.to_owned());
        if says(&["Host key verification failed", "HOST IDENTIFICATION HAS CHANGED"]) {
            if pinned.is_empty() {
                return Self::NoHostKey(site);
            }
            let shown = shown_key(&text).map(|key| format!(", {key},")).unwrap_or_default();
            return Self::HostKey { site, shown, pinned: pinned.join(", ") };
        }
        if says(&["returned error: 30"]) {
            return Self::Redirected(site);
        }
        let is_denied = says(&[
            "Permission denied (",
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "returned error: 401",
            "returned error: 403",
        ]);
        if is_denied {
            return Self::Denied { site, username, said: last_words(&text) };
        }
        if says(&["couldn't find remote ref"]) {
            return Self::WentAway;
        }
        if says(&["does not appear to be a git repository", "' not found"]) {
            return Self::NotThere { site, username };
        }
        Self::Git(last_words(&text))
    }

    /// Whether somebody at the server has to see to it.
    pub(super) const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::NotOpened(_)
                | Self::Listen(_)
                | Self::Remote(RemoteError::Run(_))
                | Self::Folder(_)
                | Self::Jobs(_)
        )
    }
}

/// The fingerprint of the key that a host shows, as OpenSSH tells it.
fn shown_key(text: &str) -> Option<String> {
    let (_, after) = text.split_once("sent by the remote host is")?;
    let key = after.split_whitespace().next()?.trim_end_matches('.');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b":+/=".contains(&b);
    (key.starts_with("SHA256:") && key.bytes().all(plain)).then(|| key.to_owned())
}

/// The last lines that say something, on one line.
fn last_words(text: &str) -> String {
    // What git adds for people at a terminal says nothing here.
    let says = |line: &&str| {
        !line.is_empty()
            && !line.starts_with("Please make sure you have the correct access rights")
            && !line.starts_with("and the repository exists.")
            && !line.starts_with("fatal: Could not read from remote repository")
            && !line.starts_with('@')
    };
    let lines: Vec<&str> = text.split(['\n', '\r']).map(str::trim).filter(says).collect();
    let from = lines.len().saturating_sub(LINES);
    let last = lines.get(from..).unwrap_or_default().join("; ");
    let mut words = clean(last.as_bytes());
    truncate(&mut words, LONGEST);
    if words.is_empty() { "it said nothing".to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn told(text: &str, pinned: &[&str]) -> String {
        let url: SourceUrl = "ssh://git@git.example.org:2222/acme/shop".parse().unwrap();
        let pinned: Vec<String> = pinned.iter().map(|key| (*key).to_owned()).collect();
        let error = RemoteError::Failed(text.to_owned());
        SourceFault::of(error, &url, ("git", &pinned)).to_string()
    }

    #[test]
    fn what_git_says_is_told_with_what_to_do() {
        let changed = "@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n\
            The fingerprint for the ED25519 key sent by the remote host is\nSHA256:new.\n\
            Host key verification failed.\nfatal: Could not read from remote repository.\n";
        let told = [
            told(changed, &["SHA256:old"]),
            told("Host key verification failed.\n", &[]),
            told(
                "fatal: unable to access 'https://x/': The requested URL returned error: 302",
                &[],
            ),
            told(
                "git@git.example.org: Permission denied (publickey).\r\nfatal: Could not read from \
                  remote repository.\n\nPlease make sure you have the correct access rights\n",
                &[],
            ),
            told("fatal: repository 'https://git.example.org/shop/' not found\n", &[]),
            told("fatal: couldn't find remote ref refs/heads/main\n", &[]),
            told("error: one\nerror: two\nfatal: \u{1b}[2Jthree\nfatal: four\n", &[]),
            told("", &[]),
        ];
        assert_snapshot!(told.join("\n"), @"
        git.example.org:2222 shows another host key, SHA256:new, than what is pinned (SHA256:old): somebody may listen in between. If the host has a new key, pin that: pierhead admin set source … --host-key FILE
        no host key of git.example.org:2222 is pinned, and sources.first_host_key takes none unseen: give it by pierhead admin set source … --host-key FILE
        git.example.org:2222 sends on to another address, and that is not followed: give that address itself
        git.example.org:2222 does not let git in: git@git.example.org: Permission denied (publickey).
        git.example.org:2222 has no such repository, or does not show it to git
        a branch went away while it was fetched; the next check sees that
        git: error: two; fatal: three; fatal: four
        git: it said nothing
        ");
    }
}
