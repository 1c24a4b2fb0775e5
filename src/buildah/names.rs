//! Names of images in storages, and names that no build argument may have.

use crate::buildah::Base;

/// What would steer the program, or whatever it starts, if it stood in its environment.
const STEERING: [&str; 23] = [
    "BUILDAH_",
    "CONTAINER",
    "_CONTAINERS_",
    "STORAGE_",
    "REGISTRY_AUTH_FILE",
    "XDG_",
    "LD_",
    "DOCKER_",
    "DBUS_",
    "LISTEN_",
    "NETAVARK_",
    "GNUPG",
    "GODEBUG",
    "GOTRACEBACK",
    "GOMAXPROCS",
    "GOGC",
    "GOMEMLIMIT",
    "GLIBC_",
    "MALLOC_",
    "SSL_CERT_",
    "NOTIFY_SOCKET",
    "GCONV_PATH",
    "RUST_",
];

/// The same for whole names.
const OWN: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LC_ALL", "USER"];

/// Whether a variable would be more than an argument.
pub(super) fn steers(name: &str) -> bool {
    OWN.contains(&name) || STEERING.iter().any(|begin| name.starts_with(begin))
}

/// A name for a base that is named by its digest: storages know no such names.
pub(super) fn alias(base: &Base) -> Option<(String, String)> {
    let is_digest = base.name.contains('@');
    let id = base.id.trim_start_matches("sha256:");
    is_digest.then(|| (base.name.clone(), format!("localhost/by-digest:{id}")))
}

/// The name that is looked for first when the Dockerfile says another. Results get none, so that
/// it is always the engine that says what a name means.
pub(super) fn local(name: &str) -> String {
    let first = name.split_once('/').map(|(first, _)| first);
    let has_host = first.is_some_and(|first| first.contains(['.', ':']) || first == "localhost");
    let path = if has_host { name.to_owned() } else { format!("localhost/{name}") };
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains(':') { path } else { format!("{path}:latest") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_local() {
        for (name, expected) in [
            ("busybox", "localhost/busybox:latest"),
            ("docker.io/library/busybox:1", "docker.io/library/busybox:1"),
            ("acme/shop/base:1-job7", "localhost/acme/shop/base:1-job7"),
            ("127.0.0.1:5000/a", "127.0.0.1:5000/a:latest"),
            ("reg.example/a/b:2", "reg.example/a/b:2"),
        ] {
            assert_eq!(local(name), expected);
        }
    }

    #[test]
    fn an_argument_that_would_steer_the_builder_is_seen() {
        for name in ["PATH", "LD_PRELOAD", "BUILDAH_ISOLATION", "CONTAINERS_CONF", "GODEBUG"] {
            assert!(steers(name), "{name}");
        }
        for name in ["VERSION", "GOPROXY", "GOOS", "REGISTRY", "HTTP_PROXY", "PATH_PREFIX"] {
            assert!(!steers(name), "{name}");
        }
    }
}
