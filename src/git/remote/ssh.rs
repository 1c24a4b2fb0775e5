//! The command by which git reaches a host over SSH.

use std::net::SocketAddr;
use std::path::Path;

use crate::git::remote::RemoteFolder;

/// What is done about a host's key that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeyCheck {
    /// It ends the connection.
    Refuse,
    /// It is noted, if none is known at all.
    Note,
}

/// Options that leave a client of OpenSSH nothing to ask and nothing to be led astray by.
const OPTIONS: [&str; 23] = [
    "BatchMode=yes",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "CheckHostIP=no",
    "HashKnownHosts=no",
    "VerifyHostKeyDNS=no",
    "CanonicalizeHostname=no",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "AddKeysToAgent=no",
    "PreferredAuthentications=publickey",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "ForwardAgent=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ProxyCommand=none",
    "ControlPath=none",
    "ConnectTimeout=30",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
    "RequestTTY=no",
    "LogLevel=ERROR",
];

/// The command, for the shell that git gives it to.
pub(super) fn command(
    folder: &RemoteFolder,
    passage: SocketAddr,
    (name, unknown): (&str, HostKeyCheck),
) -> String {
    let strict = match unknown {
        HostKeyCheck::Refuse => "yes",
        HostKeyCheck::Note => "accept-new",
    };
    let key = folder.key();
    // Without a key none is offered, not even one of the user who runs this.
    let key = if key.exists() { file(&key) } else { "none".to_owned() };
    let own = [
        format!("HostName={}", passage.ip()),
        format!("Port={}", passage.port()),
        format!("HostKeyAlias={name}"),
        format!("UserKnownHostsFile={}", file(&folder.known_hosts())),
        format!("StrictHostKeyChecking={strict}"),
        format!("IdentityFile={key}"),
    ];
    let mut words = vec!["ssh".to_owned(), "-F".to_owned(), "/dev/null".to_owned()];
    for option in OPTIONS.into_iter().map(str::to_owned).chain(own) {
        words.push("-o".to_owned());
        words.push(quoted(&option));
    }
    words.join(" ")
}

/// A path as an option takes it: it ends at a space, and a percent sign begins a token.
fn file(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

/// One word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::ids::CheckId;

    #[test]
    fn paths_are_words_whatever_is_in_them() {
        let root = tempfile::Builder::new().prefix("it's 100% ").tempdir().unwrap();
        let folder = RemoteFolder::make(root.path(), CheckId::from(Uuid::from_u128(1))).unwrap();
        let passage = "127.0.0.1:4711".parse().unwrap();
        let text = command(&folder, passage, ("git.example.org", HostKeyCheck::Refuse));
        assert!(text.starts_with("ssh -F /dev/null -o 'BatchMode=yes' "), "{text}");
        assert!(text.contains(r"/it'\''s 100%% "), "{text}");
        assert!(text.contains("-o 'HostKeyAlias=git.example.org'"), "{text}");
        assert!(text.ends_with("-o 'StrictHostKeyChecking=yes' -o 'IdentityFile=none'"), "{text}");
        folder.write_key(&"secret".into()).unwrap();
        let text = command(&folder, passage, ("git.example.org", HostKeyCheck::Note));
        assert!(text.contains("-o 'StrictHostKeyChecking=accept-new'"), "{text}");
        assert!(text.ends_with("/key\"'"), "{text}");
    }
}
