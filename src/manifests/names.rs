//! What objects are called (deployment.md §4.4).

use sha2::{Digest as _, Sha256};

/// Longest label of a DNS name, and longest value of a label.
pub(super) const LABEL: usize = 63;

/// Longest name of most objects.
pub(super) const NAME: usize = 253;

/// A controller adds to the names of these what makes longer ones no label.
pub(super) const CONTROLLED: usize = 52;

/// Hexadecimal digits that a shortened name ends in.
const DIGITS: usize = 8;

/// Names of objects of a project that has this prefix.
#[derive(Debug, Clone)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// A name with the prefix, in lower case.
    pub(super) fn deployed(&self, name: &str) -> String {
        let dash = if self.prefix.is_empty() { "" } else { "-" };
        format!("{}{dash}{name}", self.prefix).to_ascii_lowercase()
    }

    fn with(&self, name: &str, end: &str, limit: usize) -> String {
        shortened(&format!("{}{end}", self.deployed(name)), limit)
    }

    /// The value of the label `name`.
    pub(super) fn label(&self, name: &str) -> String {
        shortened(&self.deployed(name), LABEL)
    }

    /// The value of the label `vname`, which changes with every release.
    pub(super) fn versioned(&self, pod: &str, version: &str) -> String {
        shortened(&format!("{}-{version}", self.deployed(pod)), LABEL)
    }

    pub(super) fn secret(&self, name: &str) -> String {
        self.with(name, "-secret", NAME)
    }

    pub(super) fn map(&self, name: &str) -> String {
        self.with(name, "-map", NAME)
    }

    pub(super) fn claim(&self, volume: &str) -> String {
        self.with(volume, "", NAME)
    }

    pub(super) fn deployment(&self, pod: &str) -> String {
        self.with(pod, "-dplmt", NAME)
    }

    pub(super) fn stateful_set(&self, pod: &str) -> String {
        self.with(pod, "-sfset", CONTROLLED)
    }

    /// The Service that gives the pods of a `StatefulSet` their names.
    pub(super) fn headless(&self, pod: &str) -> String {
        self.with(pod, "-hl", LABEL)
    }

    pub(super) fn service(&self, name: &str) -> String {
        self.with(name, "", LABEL)
    }

    pub(super) fn ingress(&self, name: &str) -> String {
        self.with(name, "-ingress", NAME)
    }

    /// The secret that an issuer fills for an ingress that names none.
    pub(super) fn certificate(&self, ingress: &str) -> String {
        self.with(ingress, "-tls", NAME)
    }

    /// A job whose pods may have names that end in an index of so many digits.
    pub(super) fn job(&self, job: &str, pod: &str, index_digits: usize) -> String {
        let index = if index_digits == 0 { 0 } else { index_digits.saturating_add(1) };
        self.with(&format!("{job}-{pod}"), "-job", LABEL.saturating_sub(index))
    }

    pub(super) fn cron_job(&self, job: &str, pod: &str) -> String {
        self.with(&format!("{job}-{pod}"), "-cronjob", CONTROLLED)
    }
}

/// A name that fits; of one that was cut, digits of its hash tell it from others.
pub(super) fn shortened(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let kept = limit.saturating_sub(DIGITS).saturating_sub(1);
    let kept: String = name.chars().take(kept).collect();
    format!("{kept}-{}", hash(name, DIGITS))
}

/// The first hexadecimal digits of a text's SHA-256.
pub(super) fn hash(text: &str, digits: usize) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    hex.take(digits).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// A text as a label of a DNS name: lower case, every run of other characters one dash.
pub(super) fn dns_label(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            label.push(c.to_ascii_lowercase());
        } else if !label.ends_with('-') {
            label.push('-');
        }
    }
    shortened(label.trim_matches('-'), LABEL)
}

/// Whether a text can be a label of a DNS name.
pub(super) fn is_dns_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=LABEL).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether most kinds of objects may have this name.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= NAME && text.split('.').all(is_dns_label)
}

/// Whether a Service may have this name.
pub(super) fn is_service_name(text: &str) -> bool {
    is_dns_label(text) && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a secret or a map may have an entry of this name.
pub(super) fn is_key(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=NAME).contains(&text.len()) && text.bytes().all(allowed) && !matches!(text, "." | "..")
}

/// Whether a text is a label's value, or its name behind the domain.
pub(super) fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    text.len() <= LABEL
        && text.bytes().all(allowed)
        && ends(text.bytes().next())
        && ends(text.bytes().next_back())
}

/// Whether a text is the name of a label or an annotation: `[domain/]name`.
pub(super) fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((domain, name)) => is_name(domain) && is_label(name),
        None => is_label(text),
    }
}

/// A text as a label's value; empty when nothing of it can be one.
pub(super) fn label_value(text: &str) -> String {
    let ends = |c: char| !c.is_ascii_alphanumeric();
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let value: String = text.chars().map(allowed).collect();
    shortened(value.trim_matches(ends), LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_prefix_and_the_ends_of_their_kinds() {
        let names = Names::new("blue");
        assert_eq!(names.secret("Store-DB"), "blue-store-db-secret");
        assert_eq!(names.deployment("web"), "blue-web-dplmt");
        assert_eq!(names.job("reindex", "crunch", 1), "blue-reindex-crunch-job");
        assert_eq!(names.versioned("web", "v3"), "blue-web-v3");
        assert_eq!(Names::new("").map("tuning"), "tuning-map");
    }

    #[test]
    fn what_is_too_long_ends_in_digits_of_all_of_it() {
        let names = Names::new("");
        let long = "a".repeat(60);
        let cut = names.cron_job(&long, "dump");
        assert_eq!(cut, format!("{}-a522d737", "a".repeat(43)));
        assert_eq!(cut.len(), CONTROLLED);
        assert_eq!(names.job(&long, "dump", 0).len(), 63);
        assert_eq!(names.job(&long, "dump", 2).len(), 60);
        assert_eq!(names.stateful_set(&long).len(), 52);
        assert_eq!(names.label(&long), long);
        assert_ne!(names.cron_job(&long, "dump2"), cut);
    }

    #[test]
    fn texts_become_labels_and_values() {
        assert_eq!(dns_label("charts.v1_Shop--x"), "charts-v1-shop--x");
        assert_eq!(dns_label("__"), "");
        assert_eq!(label_value("-shop.1-"), "shop.1");
        assert_eq!(label_value(&"x-".repeat(40)).len(), 63);
        assert!(is_name("a.b-1") && !is_name("a..b") && !is_name("A") && !is_name(""));
        assert!(is_service_name("a1") && !is_service_name("1a"));
        assert!(is_key(".dockerconfigjson") && !is_key("..") && !is_key("a b"));
        assert!(is_qualified("a.example/B_1") && !is_qualified("/b") && !is_qualified("a/b/c"));
    }
}
