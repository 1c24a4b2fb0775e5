//! What git and the server leave in a hook's environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// The environment of a hook; see githooks(5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookEnvironment {
    /// What the hook proves itself with.
    pub session: Option<String>,
    /// The server's socket.
    pub socket: Option<PathBuf>,
    /// Where the pushed objects are until they are stored.
    pub quarantine: Option<PathBuf>,
    /// Push options in order, as bytes.
    pub push_options: Vec<Vec<u8>>,
}

impl HookEnvironment {
    /// Reads the environment of this process.
    pub fn of_process() -> Self {
        Self::read(std::env::vars_os().collect())
    }

    fn read(mut variables: BTreeMap<OsString, OsString>) -> Self {
        let mut take = |name: &str| variables.remove(&OsString::from(name));
        let session = take("PIERHEAD_SESSION").and_then(|key| key.into_string().ok());
        let socket = take("PIERHEAD_SOCKET").map(PathBuf::from);
        let quarantine = take("GIT_QUARANTINE_PATH").map(PathBuf::from);
        let count = take("GIT_PUSH_OPTION_COUNT").and_then(|count| count.into_string().ok());
        let count: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        let push_options = (0..count)
            .map_while(|index| take(&format!("GIT_PUSH_OPTION_{index}")).map(OsString::into_vec))
            .collect();
        Self { session, socket, quarantine, push_options }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_options_are_read_in_order_and_as_bytes() {
        let variables = [
            ("GIT_PUSH_OPTION_COUNT", b"2".to_vec()),
            ("GIT_PUSH_OPTION_1", b"\xff".to_vec()),
            ("GIT_PUSH_OPTION_0", b"A=1".to_vec()),
            ("GIT_PUSH_OPTION_2", b"not counted".to_vec()),
            ("PIERHEAD_SESSION", b"key".to_vec()),
        ];
        let variables =
            variables.map(|(name, value)| (OsString::from(name), OsString::from_vec(value)));
        let environment = HookEnvironment::read(variables.into());
        assert_eq!(environment.push_options, [b"A=1".to_vec(), b"\xff".to_vec()]);
        assert_eq!(environment.session.as_deref(), Some("key"));
    }
}
