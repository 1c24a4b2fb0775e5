//! Repositories elsewhere that projects take their commits from.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::Span;
use crate::domain::egress::EgressRules;

const MIB: u64 = 1024 * 1024;

/// Sources of projects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesConfig {
    /// Addresses that are none of the public network, and that may be connected to all the same.
    pub allow: EgressRules,
    /// Certificates of authorities that are trusted besides those of the machine; empty: none.
    pub ca_file: PathBuf,
    /// What is done about the key of a host for which none is pinned.
    pub first_host_key: FirstHostKey,
    /// How long one look may take.
    pub time_limit: Span,
    /// How long a host may be silent.
    pub silence: Span,
    /// Most bytes that one look may bring.
    pub max_bytes: u64,
    /// Most refs that one look deploys.
    pub max_refs: NonZeroUsize,
    /// Looks at the same time by one worker process.
    pub at_once: NonZeroUsize,
}

impl Default for SourcesConfig {
    fn default() -> Self {
        let count = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            allow: EgressRules::default(),
            ca_file: PathBuf::new(),
            first_host_key: FirstHostKey::Pin,
            time_limit: Span::seconds(600),
            silence: Span::seconds(60),
            max_bytes: 512 * MIB,
            max_refs: count(50),
            at_once: count(2),
        }
    }
}

/// What is done about the key of a host for which none is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstHostKey {
    /// It is taken for the right one, and no other from then on.
    Pin,
    /// The host is not trusted.
    Refuse,
}
