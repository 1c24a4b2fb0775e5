//! What was compiled once, held against what an account grants by now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::quota::HardQuota;
use crate::paas::compiled::Pod;
use crate::paas::quantity::display;
use crate::paas::quota::hard_row;

/// What containers use of a resource, all together: in thousandths of a core, or in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// At most.
    pub limit: u64,
    /// Guaranteed.
    pub require: u64,
}

/// How much of what an account grants that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// What is used at most, such as `1.500` or `256Mi`.
    pub limit: String,
    /// What is guaranteed.
    pub require: String,
    /// The larger part of what is granted of either, in percent.
    pub percent: u64,
}

/// What pods use of each resource, all replicas together.
pub fn used_by<'a>(pods: impl Iterator<Item = &'a Pod>) -> BTreeMap<String, Used> {
    let mut uses = BTreeMap::<String, Used>::new();
    for pod in pods {
        let all = |amount: u64| amount.saturating_mul(u64::from(pod.replicas));
        for resource in pod.containers.iter().flat_map(|container| &container.resources) {
            let used = uses.entry(resource.kind.clone()).or_default();
            used.limit = used.limit.saturating_add(all(resource.limit));
            used.require = used.require.saturating_add(all(resource.require));
        }
    }
    uses
}

/// How much of a quota is used; nothing of one that cannot be read.
pub fn share_of(quota: &HardQuota, used: Used) -> Option<Share> {
    let row = hard_row(quota).ok()?;
    let percent = |used: u64, granted: u64| {
        let percent = u128::from(used) * 100 / u128::from(granted.max(1));
        u64::try_from(percent).unwrap_or(u64::MAX)
    };
    let limit = percent(used.limit, row.capacity_left);
    Some(Share {
        limit: display(row.category, used.limit),
        require: display(row.category, used.require),
        percent: limit.max(percent(used.require, row.require_left)),
    })
}

/// Holds pods that are compiled against an account's quotas, which may be others than those that they
/// were compiled with.
///
/// # Errors
///
/// What they have more of than the account grants, or without a limit.
pub fn check_pods(pods: &[&Pod], quotas: &[HardQuota]) -> Result<(), String> {
    for quota in quotas {
        // One that cannot be read is told by whatever is compiled with it.
        let Ok(row) = hard_row(quota) else { continue };
        let kind = &row.kind;
        let (mut limits, mut guaranteed) = (0_u64, 0_u64);
        for pod in pods.iter().filter(|pod| pod.replicas > 0) {
            let all = |amount: u64| amount.saturating_mul(u64::from(pod.replicas));
            for container in &pod.containers {
                let mut resources = container.resources.iter();
                let Some(of_kind) = resources.find(|resource| resource.kind == *kind) else {
                    let name = format!("{}/{}", pod.name, container.name);
                    return Err(format!("`{kind}`: container {name} has no limit"));
                };
                limits = limits.saturating_add(all(of_kind.limit));
                guaranteed = guaranteed.saturating_add(all(of_kind.require));
            }
        }
        let over = |asked, granted, what: &str| {
            let (asked, granted) = (display(row.category, asked), display(row.category, granted));
            Err(format!("`{kind}`: {asked} {what} in all, the account grants {granted}"))
        };
        if limits > row.capacity_left {
            return over(limits, row.capacity_left, "at most");
        }
        if guaranteed > row.require_left {
            return over(guaranteed, row.require_left, "guaranteed");
        }
    }
    Ok(())
}
