//! The keys by which a host elsewhere is known.

use std::fmt;
use std::str::FromStr;

use crate::domain::ssh_key::SshKey;

/// Most keys of one host.
const MOST: usize = 16;

/// Longest text that they are read from.
const LONGEST: usize = 64 * 1024;

/// The keys that a host may show; none when they are not known yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeys(Vec<HostKey>);

/// A key that a host may show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct HostKey {
    /// Type and base64 data.
    line: String,
    fingerprint: String,
}

/// Why a text has no keys of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHostKeys {
    /// There is none in it.
    #[error(
        "there is no host key in it: give what `ssh-keyscan` prints for the host, or the lines of \
         its files ssh_host_*_key.pub"
    )]
    None,
    /// There are some, of other hosts.
    #[error("there are only keys of other hosts in it, and none of {0}")]
    Elsewhere(String),
    /// A line with a key that is none.
    #[error("line {0} has no host key that is understood")]
    Line(usize),
    /// A line that says more than a key.
    #[error("line {0} begins with a marker: only plain host keys can be pinned")]
    Marker(usize),
    /// More than a host has.
    #[error("a host has at most {MOST} keys, in at most 64 KiB")]
    TooMany,
}

impl HostKeys {
    /// Reads lines of a `known_hosts` file, or of public keys; those of other hosts are left out.
    ///
    /// # Errors
    ///
    /// When there is none of this host, or a line is neither.
    pub fn read(text: &str, host: &str) -> Result<Self, BadHostKeys> {
        if text.len() > LONGEST {
            return Err(BadHostKeys::TooMany);
        }
        let mut keys = Vec::new();
        let mut elsewhere = false;
        for (index, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), index + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with('@') {
                return Err(BadHostKeys::Marker(number));
            }
            let (key, hosts) = match SshKey::parse(line) {
                Ok(key) => (key, None),
                Err(_) => {
                    let (hosts, key) = line.split_once([' ', '\t']).unwrap_or((line, ""));
                    let key = SshKey::parse(key).map_err(|_no_key| BadHostKeys::Line(number))?;
                    (key, Some(hosts))
                }
            };
            if hosts.is_none_or(|hosts| is_of(hosts, host)) {
                keys.push(HostKey { line: key.line, fingerprint: key.fingerprint });
            } else {
                elsewhere = true;
            }
        }
        keys.sort_unstable();
        keys.dedup();
        match keys.len() {
            0 if elsewhere => Err(BadHostKeys::Elsewhere(host.to_owned())),
            0 => Err(BadHostKeys::None),
            1..=MOST => Ok(Self(keys)),
            _ => Err(BadHostKeys::TooMany),
        }
    }

    /// Whether no key is known.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `SHA256:…` of each.
    pub fn fingerprints(&self) -> Vec<String> {
        self.0.iter().map(|key| key.fingerprint.clone()).collect()
    }

    /// Lines of a `known_hosts` file for a host of this name.
    pub fn known_hosts(&self, name: &str) -> String {
        self.0.iter().map(|key| format!("{name} {}\n", key.line)).collect()
    }
}

/// Whether the names before a key are those of a host, with or without a port. What is hashed may be
/// anybody's, and was chosen by whoever gives the file.
fn is_of(names: &str, host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    names.split(',').any(|name| {
        let name = name.to_ascii_lowercase();
        let inner = name.strip_prefix('[').and_then(|name| name.split(']').next());
        name.starts_with("|1|") || inner.unwrap_or(&name) == bare
    })
}

impl fmt::Display for HostKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.0.iter().map(|key| key.line.as_str()).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// As they are stored: a key a line, without a host.
impl FromStr for HostKeys {
    type Err = BadHostKeys;

    fn from_str(text: &str) -> Result<Self, BadHostKeys> {
        if text.is_empty() { Ok(Self::default()) } else { Self::read(text, "") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIPyoEF562Xt1qeYViSt3hKzO2ILAsRnFBiTcdbespCCq";

    #[test]
    fn keys_are_read_from_what_people_have() {
        let stored = HostKeys::read(KEY, "git.example.org").unwrap();
        assert_eq!(stored.to_string(), KEY);
        assert_eq!(stored.to_string().parse(), Ok(stored.clone()));
        assert_eq!(stored.known_hosts("here"), format!("here {KEY}\n"));
        assert_eq!(stored.fingerprints(), ["SHA256:ZevNKHh7aOWMD7g9VGPjJOrwlIQOug3PeBFBO+LvFPE"]);
        for text in [
            format!("{KEY} root@git\n"),
            format!("# git.example.org:22 SSH-2.0-OpenSSH_9.2\ngit.example.org {KEY}\n\n{KEY}"),
            format!("old.example.org,[Git.Example.org]:2222 {KEY}\nother.example.org {KEY}"),
            format!("|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= {KEY}"),
        ] {
            assert_eq!(HostKeys::read(&text, "git.example.org").as_ref(), Ok(&stored), "{text}");
        }
        assert_eq!("".parse(), Ok(HostKeys::default()));
    }

    #[test]
    fn what_pins_nothing_is_refused() {
        let read = |text: &str| HostKeys::read(text, "git.example.org").unwrap_err();
        assert_eq!(read(""), BadHostKeys::None);
        assert_eq!(read("# nothing\n"), BadHostKeys::None);
        let elsewhere = format!("git.example.org.evil.net {KEY}");
        assert_eq!(read(&elsewhere), BadHostKeys::Elsewhere("git.example.org".to_owned()));
        assert_eq!(read(&format!("{KEY}\nhello")), BadHostKeys::Line(2));
        assert_eq!(read(&format!("@cert-authority * {KEY}")), BadHostKeys::Marker(1));
        assert_eq!(read(&"a".repeat(LONGEST + 1)), BadHostKeys::TooMany);
    }
}
