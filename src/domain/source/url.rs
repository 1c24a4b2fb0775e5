//! The address of a repository elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::egress::{AskedHost, EgressRule};
use crate::domain::source::BadSourceUrl;

/// Longest address.
pub(super) const LONGEST: usize = 500;

/// Longest name of somebody who signs in.
const LONGEST_USER: usize = 64;

/// Whoever signs in when nobody is named.
const USUAL_USER: &str = "git";

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// SSH, with a key.
    Ssh,
    /// HTTPS, with a token or by anybody.
    Https,
}

/// How an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `ssh://git@host:port/path` or `https://host:port/path`.
    Url,
    /// `git@host:path`, whose path may be relative to the home folder there.
    Short,
}

/// The address of a repository elsewhere, without anything secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceUrl {
    text: String,
    transport: Transport,
    form: Form,
    user: Option<String>,
    host: String,
    port: u16,
    path: String,
}

impl SourceUrl {
    /// The address as it is stored and shown.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How it is reached.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// The host, as it is looked up.
    pub fn host(&self) -> AskedHost {
        AskedHost::read(&self.host)
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The host for people, with a port that is not the usual one.
    pub fn site(&self) -> String {
        match self.port == usual_port(self.transport) {
            true => self.host.clone(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Who signs in, when nobody else is named.
    pub fn user(&self) -> &str {
        self.user.as_deref().unwrap_or(USUAL_USER)
    }

    /// What git is given, with the name of whoever signs in.
    ///
    /// The port of SSH is left out: where the connection goes is not git's affair.
    pub fn for_git(&self, user: &str) -> String {
        let Self { host, path, port, .. } = self;
        match (self.transport, self.form) {
            (Transport::Https, _) => format!("https://{host}:{port}{path}"),
            (Transport::Ssh, Form::Url) => format!("ssh://{user}@{host}{path}"),
            (Transport::Ssh, Form::Short) => format!("{user}@{host}:{path}"),
        }
    }
}

const fn usual_port(transport: Transport) -> u16 {
    match transport {
        Transport::Ssh => 22,
        Transport::Https => 443,
    }
}

/// Whether somebody can be called so where they sign in.
pub fn is_user(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    (1..=LONGEST_USER).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed)
}

/// A host and its port, in the form in which they are looked up.
fn host(text: &str, port: u16) -> Result<String, BadSourceUrl> {
    let host = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    // A list has such an entry, and besides that ones with a star.
    let is_entry = format!("{host}:{port}").parse::<EgressRule>().is_ok();
    let is_host = is_entry && !host.contains(['*', '/']) && !host.starts_with('-');
    if is_host { Ok(host) } else { Err(BadSourceUrl::Host) }
}

/// What stands between `//` and the path: who, where, and at which port.
fn authority(
    text: &str,
    transport: Transport,
) -> Result<(Option<String>, String, u16), BadSourceUrl> {
    let (user, place) = match text.rsplit_once('@') {
        None => (None, text),
        // Whoever writes only one word there may have written the token.
        Some(_) if transport == Transport::Https => return Err(BadSourceUrl::Login),
        Some((user, _)) if user.contains(':') => return Err(BadSourceUrl::Login),
        Some((user, _)) if !is_user(user) => return Err(BadSourceUrl::User),
        Some((user, place)) => (Some(user.to_owned()), place),
    };
    let (name, port) = match place.rsplit_once(':') {
        Some((name, port)) if !place.ends_with(']') => (name, Some(port)),
        Some(_) | None => (place, None),
    };
    let port = match port {
        None => usual_port(transport),
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            port.parse().ok().filter(|port| *port > 0).ok_or(BadSourceUrl::Port)?
        }
        Some(_) => return Err(BadSourceUrl::Port),
    };
    Ok((user, host(name, port)?, port))
}

fn check_path(path: &str) -> Result<(), BadSourceUrl> {
    if path.trim_matches('/').is_empty() {
        return Err(BadSourceUrl::NoPath);
    }
    if path.trim_start_matches('/').starts_with('-') {
        return Err(BadSourceUrl::Dash);
    }
    if path.contains(['?', '#']) { Err(BadSourceUrl::Query) } else { Ok(()) }
}

fn url(transport: Transport, rest: &str) -> Result<SourceUrl, BadSourceUrl> {
    let end = rest.find('/').unwrap_or(rest.len());
    let (place, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (user, host, port) = authority(place, transport)?;
    check_path(path)?;
    let at = if port == usual_port(transport) { String::new() } else { format!(":{port}") };
    let text = match transport {
        Transport::Https => format!("https://{host}{at}{path}"),
        Transport::Ssh => {
            format!("ssh://{}@{host}{at}{path}", user.as_deref().unwrap_or(USUAL_USER))
        }
    };
    let (form, path) = (Form::Url, path.to_owned());
    Ok(SourceUrl { text, transport, form, user, host, port, path })
}

/// `git@host:path`, as git's own users write it.
fn short(text: &str) -> Result<SourceUrl, BadSourceUrl> {
    let is_local = text.starts_with(['/', '.', '~']);
    let (place, path) = match text.split_once(':') {
        Some((place, path)) if !is_local && !place.contains('/') => (place, path),
        Some(_) => return Err(BadSourceUrl::Local),
        None if is_local || text.contains('/') => return Err(BadSourceUrl::Local),
        None => return Err(BadSourceUrl::Form),
    };
    // `ext::sh -c …` has git run a program.
    if path.starts_with(':') {
        return Err(BadSourceUrl::Scheme(place.chars().take(20).collect()));
    }
    if path.contains('@') && !place.contains('@') {
        return Err(BadSourceUrl::Login);
    }
    let (user, host, port) = authority(place, Transport::Ssh)?;
    check_path(path)?;
    let text = format!("{}@{host}:{path}", user.as_deref().unwrap_or(USUAL_USER));
    let (transport, form, path) = (Transport::Ssh, Form::Short, path.to_owned());
    Ok(SourceUrl { text, transport, form, user, host, port, path })
}

impl FromStr for SourceUrl {
    type Err = BadSourceUrl;

    fn from_str(text: &str) -> Result<Self, BadSourceUrl> {
        if text.is_empty() {
            return Err(BadSourceUrl::Form);
        }
        if text.len() > LONGEST {
            return Err(BadSourceUrl::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(BadSourceUrl::Characters);
        }
        let Some((scheme, rest)) = text.split_once("://") else { return short(text) };
        match scheme.to_ascii_lowercase().as_str() {
            "https" => url(Transport::Https, rest),
            "ssh" => url(Transport::Ssh, rest),
            "file" => Err(BadSourceUrl::Local),
            clear @ ("http" | "git" | "ftp") => Err(BadSourceUrl::Clear(clear.to_owned())),
            // Only its first word, in case that it is none.
            other => {
                let shown = other.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
                match shown && other.len() <= 20 {
                    true => Err(BadSourceUrl::Scheme(other.to_owned())),
                    false => Err(BadSourceUrl::Form),
                }
            }
        }
    }
}

impl fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<String> for SourceUrl {
    type Error = BadSourceUrl;

    fn try_from(text: String) -> Result<Self, BadSourceUrl> {
        text.parse()
    }
}

impl From<SourceUrl> for String {
    fn from(url: SourceUrl) -> Self {
        url.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SourceUrl {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn an_address_is_stored_in_one_form_and_reads_back_as_it_is() {
        for (text, stored) in [
            ("https://Git.Example.org/acme/shop.git", "https://git.example.org/acme/shop.git"),
            ("HTTPS://git.example.org:443/shop", "https://git.example.org/shop"),
            ("https://git.example.org:8443/shop", "https://git.example.org:8443/shop"),
            ("ssh://ana@git.example.org/~/shop", "ssh://ana@git.example.org/~/shop"),
            ("ssh://git.example.org:2222/shop", "ssh://git@git.example.org:2222/shop"),
            ("ssh://git@[fd00::7]:2222/shop", "ssh://git@[fd00::7]:2222/shop"),
            ("git@git.example.org:acme/shop.git", "git@git.example.org:acme/shop.git"),
            ("git.example.org:shop", "git@git.example.org:shop"),
        ] {
            assert_eq!(read(text).to_string(), stored, "{text}");
            assert_eq!(read(stored).to_string(), stored);
        }
    }

    #[test]
    fn git_is_given_an_address_that_names_no_port_of_ssh_and_nothing_secret() {
        for (text, given) in [
            ("https://git.example.org/shop", "https://git.example.org:443/shop"),
            ("ssh://git.example.org:2222/shop", "ssh://deploy@git.example.org/shop"),
            ("git@git.example.org:acme/shop", "deploy@git.example.org:acme/shop"),
        ] {
            assert_eq!(read(text).for_git("deploy"), given);
        }
        let url = read("ssh://git@[FD00::7]:2222/shop");
        assert_eq!(url.host(), AskedHost::read("fd00::7"));
        assert_eq!((url.port(), url.user()), (2_222, "git"));
        assert_eq!(url.site(), "[fd00::7]:2222");
        assert_eq!(read("https://git.example.org/shop").site(), "git.example.org");
    }

    #[test]
    fn what_is_no_address_is_told_with_what_to_write() {
        let clear = |scheme: &str| BadSourceUrl::Clear(scheme.to_owned());
        let scheme = |scheme: &str| BadSourceUrl::Scheme(scheme.to_owned());
        for (text, why) in [
            ("", BadSourceUrl::Form),
            ("shop", BadSourceUrl::Form),
            ("/srv/git/shop.git", BadSourceUrl::Local),
            ("../shop", BadSourceUrl::Local),
            ("./a:b", BadSourceUrl::Local),
            ("file:///srv/git/shop.git", BadSourceUrl::Local),
            ("http://git.example.org/shop", clear("http")),
            ("git://git.example.org/shop", clear("git")),
            ("ext::sh", scheme("ext")),
            ("svn+ssh://git.example.org/shop", scheme("svn+ssh")),
            ("https://git.example.org", BadSourceUrl::NoPath),
            ("https://git.example.org/", BadSourceUrl::NoPath),
            ("git@git.example.org:", BadSourceUrl::NoPath),
            ("git@git.example.org:-oProxyCommand=x", BadSourceUrl::Dash),
            ("ssh://git@git.example.org/-x", BadSourceUrl::Dash),
            ("ssh://-oProxyCommand=x@git.example.org/shop", BadSourceUrl::User),
            ("https://git.example.org:0/shop", BadSourceUrl::Port),
            ("https://git.example.org:+1/shop", BadSourceUrl::Port),
            ("https://git.example.org:65536/shop", BadSourceUrl::Port),
            ("https://git.example.org/shop?x=1", BadSourceUrl::Query),
            ("https://git.example.org/a b", BadSourceUrl::Characters),
            ("https://git.example.org/a\u{0}b", BadSourceUrl::Characters),
            ("https://git.example.org/käse", BadSourceUrl::Characters),
            ("C:\\git\\shop", BadSourceUrl::Characters),
        ] {
            assert_eq!(text.parse::<SourceUrl>(), Err(why), "{text}");
        }
        for text in ["https://-/shop", "https://a..b/x", "https://*.example.org/x", "ssh://127.1/x"]
        {
            assert_eq!(text.parse::<SourceUrl>(), Err(BadSourceUrl::Host), "{text}");
        }
        let long = format!("https://git.example.org/{}", "a".repeat(LONGEST));
        assert_eq!(long.parse::<SourceUrl>(), Err(BadSourceUrl::TooLong));
    }

    #[test]
    fn a_token_in_an_address_is_refused_and_not_repeated() {
        for text in [
            "https://ana:s3cr3tT0ken@git.example.org/shop",
            "https://s3cr3tT0ken@git.example.org/shop",
            "ssh://git:s3cr3tT0ken@git.example.org/shop",
            "ana:s3cr3tT0ken@git.example.org:shop",
            "s3cr3tT0ken:x-oauth@git.example.org/shop",
        ] {
            let error = text.parse::<SourceUrl>().unwrap_err();
            assert_eq!(error, BadSourceUrl::Login, "{text}");
            assert!(!error.to_string().contains("s3cr3t"));
        }
    }

    #[test]
    fn somebody_who_signs_in_has_a_plain_name() {
        for text in ["git", "x-token-auth", "ana.b+c", "A_1"] {
            assert!(is_user(text), "{text}");
        }
        for text in ["", "-o", "a b", "a:b", "a@b", "é", &"a".repeat(65)] {
            assert!(!is_user(text), "{text}");
        }
    }
}
