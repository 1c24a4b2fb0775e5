//! Names of images in storages.

use crate::buildah::Base;

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
}
