//! Names that the language derives, and what names may look like where they go.

use sha2::{Digest as _, Sha256};

/// Makes one word of a name (paas-yaml.md §0.2): every run of other characters becomes `gap`.
fn normalised(name: &str, gap: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mut normalised = String::with_capacity(name.len());
    let mut in_word = true;
    for c in name.chars() {
        if is_word(c) {
            normalised.push(c.to_ascii_lowercase());
        } else if in_word {
            normalised.push_str(gap);
        }
        in_word = is_word(c);
    }
    normalised
}

/// The tag that stands for an environment.
pub(super) fn environment_tag(environment: &str) -> String {
    normalised(environment, "-").trim_matches('-').to_owned()
}

/// A project's name as images and volumes carry it.
pub fn project_name(project: &str) -> String {
    normalised(project, "")
}

/// The first five hexadecimal digits of a text's SHA-256 (paas-yaml.md §0.3).
pub(super) fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    hex.chars().take(5).collect()
}

/// The name under which something is deployed.
pub(super) fn deployed(prefix: &str, name: &str) -> String {
    let dash = if prefix.is_empty() { "" } else { "-" };
    format!("{prefix}{dash}{name}").to_ascii_lowercase()
}

/// Longest label of a DNS name.
pub(super) const LONGEST_LABEL: usize = 63;

/// Whether a name can be a label of a DNS name.
pub(super) fn is_dns_label(name: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Whether a text is one component of an image's name: lower-case words with single separators,
/// which are `.`, `_`, `__` and dashes.
pub(super) fn is_image_component(text: &str) -> bool {
    let is_alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let separators_fit = text.split(|c: char| c.is_ascii_alphanumeric()).all(|separator| {
        matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
    });
    separators_fit
        && text.bytes().next().is_some_and(is_alphanumeric)
        && text.bytes().next_back().is_some_and(is_alphanumeric)
        && text.bytes().all(|b| is_alphanumeric(b) || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether a text is the tag of an image.
pub(super) fn is_image_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !text.starts_with(['.', '-'])
}

/// Whether a text names an image of a registry: `[host[:port]/]component/…[@digest]`.
pub(super) fn is_image_name(text: &str) -> bool {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let path = match name.split_once('/') {
        Some((host, path)) if is_registry(host) => path,
        _ => name,
    };
    name.len() <= 255 && path.split('/').all(is_image_component) && digest.is_none_or(is_digest)
}

/// Whether the first component of a name is a registry's host: only these have dots, colons and
/// capitals, and `localhost` is always one.
fn is_registry(host: &str) -> bool {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let looks_like_one = host == "localhost" || host.contains(['.', ':']);
    let label_fits = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    looks_like_one
        && name.split('.').all(label_fits)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_digest(digest: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let sha256 = digest.strip_prefix("sha256:").map(|hex| (hex, 64));
    let known = sha256.or_else(|| digest.strip_prefix("sha512:").map(|hex| (hex, 128)));
    known.is_some_and(|(hex, length)| hex.len() == length && hex.bytes().all(is_hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_one_word() {
        assert_eq!(environment_tag("Production EU"), "production-eu");
        assert_eq!(environment_tag(" (EU) -- 2 "), "eu----2");
        assert_eq!(project_name("Store Front"), "storefront");
        assert_eq!(project_name("é_Shop-2"), "shop-2");
    }

    #[test]
    fn short_hashes_are_those_of_the_specification() {
        let vectors =
            [("php-pods", "09597"), ("php-run", "1e225"), ("demo", "2a975"), ("nginx", "5be1e")];
        for (text, hash) in vectors {
            assert_eq!(short_hash(text), hash);
        }
        assert_eq!((short_hash("web"), short_hash("app")), ("4b5e5".into(), "a172c".into()));
    }

    #[test]
    fn a_deployed_name_has_the_prefix_before_it() {
        assert_eq!(deployed("acme", "Web"), "acme-web");
        assert_eq!(deployed("", "Web"), "web");
        assert!(is_dns_label("a-1") && is_dns_label(&"a".repeat(63)));
        for name in ["", "-a", "a-", "A", "a_b", "a.b", &"a".repeat(64)] {
            assert!(!is_dns_label(name), "{name}");
        }
    }

    #[test]
    fn images_are_named_as_registries_want_it() {
        let digest = format!("nginx@sha256:{}", "a".repeat(64));
        for name in [
            "nginx",
            "library/nginx",
            "a.b_c__d---e/f",
            "registry.example.org/x",
            "Registry.example.org:5000/x/y",
            "localhost/x",
            "localhost:5000/x",
            &digest,
        ] {
            assert!(is_image_name(name), "{name}");
        }
        for name in [
            "",
            "Nginx",
            "nginx:1",
            "a//b",
            "/a",
            "a/",
            "a..b",
            "a___b",
            "-a",
            "a b",
            "registry.example.org:port/x",
            "registry..org/x",
            "é",
            "nginx@sha256:12",
            "nginx@md5:12",
            &"a".repeat(256),
        ] {
            assert!(!is_image_name(name), "{name}");
        }
        assert!(is_image_tag("1.27-Alpine_3") && is_image_tag(&"a".repeat(128)));
        for tag in ["", ".1", "-1", "a/b", "a:b", "é", &"a".repeat(129)] {
            assert!(!is_image_tag(tag), "{tag}");
        }
    }
}
