//! What an account grants to each deployment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One row of the account's quotas, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardQuota {
    /// Fixes the units: `compute` or `memory`.
    pub category: String,
    /// The resource, such as `cpu`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Bound of all limits, such as `8` or `16 Gi`.
    pub capacity: String,
    /// Bound of all that is guaranteed; the capacity if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires: Option<String>,
}

/// Why a text is no quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write TYPE:CATEGORY:CAPACITY[:REQUIRES], such as cpu:compute:8 or memory:memory:16Gi:8Gi")]
pub struct BadHardQuota;

impl FromStr for HardQuota {
    type Err = BadHardQuota;

    fn from_str(text: &str) -> Result<Self, BadHardQuota> {
        let mut parts = text.split(':').map(|part| part.trim().to_owned());
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (kind, category, capacity) = (part(), part(), part());
        let requires = part();
        match (kind, category, capacity, text.matches(':').count()) {
            (Some(kind), Some(category), Some(capacity), 2 | 3) => {
                Ok(Self { category, kind, capacity, requires })
            }
            _ => Err(BadHardQuota),
        }
    }
}

impl fmt::Display for HardQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.category, self.capacity)?;
        match &self.requires {
            Some(requires) => write!(f, ":{requires}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_written_as_it_is_read() {
        for text in ["cpu:compute:8", "memory:memory:16Gi:8Gi"] {
            assert_eq!(text.parse::<HardQuota>().map(|quota| quota.to_string()), Ok(text.into()));
        }
        for text in ["", "cpu", "cpu:compute", "cpu::8", ":compute:8", "cpu:compute:8:4:2"] {
            assert_eq!(text.parse::<HardQuota>(), Err(BadHardQuota), "{text:?}");
        }
    }
}
