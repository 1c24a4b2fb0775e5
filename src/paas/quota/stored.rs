//! Whether what was compiled once is within what an account grants by now.

use crate::domain::quota::HardQuota;
use crate::paas::compiled::Pod;
use crate::paas::quantity::display;
use crate::paas::quota::hard_row;

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
