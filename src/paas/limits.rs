//! How much one file may ask for (paas-yaml.md §3).

use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::View;

const MOST_PODS: usize = 1_000;
const MOST_CONTAINERS: usize = 5_000;

/// Most rows of `paas.quotas`: every container has a share of each.
const MOST_QUOTAS: usize = 100;

/// Most images: each may be what any container runs.
const MOST_IMAGES: usize = 1_000;

/// Most containers that run at a time, those of every replica: targets start each by itself.
const MOST_RUNNING: u64 = 10_000;

/// Checks a validated tree.
///
/// # Errors
///
/// When it asks for more; compiling it would take too long.
pub(super) fn check(root: &View<'_>, reports: &mut Reports) -> Result<(), Poisoned> {
    if let Ok(Some(paas)) = root.field("paas")
        && let Ok(quotas) = paas.items("quotas")
        && quotas.len() > MOST_QUOTAS
    {
        let message = format!("the file has {} quotas; at most {MOST_QUOTAS}", quotas.len());
        return Err(reports.add(paas.key_fault(Code::OverLimit, message)));
    }
    if let Ok(Some(section)) = root.field("images")
        && let Ok(images) = root.names("images")
        && images.len() > MOST_IMAGES
    {
        let message = format!("the file has {} images; at most {MOST_IMAGES}", images.len());
        return Err(reports.add(section.key_fault(Code::OverLimit, message)));
    }
    let mut pods = root.names("pods").unwrap_or_default();
    let jobs = root.names("jobs").unwrap_or_default();
    let section =
        [root.field("pods"), root.field("jobs")].into_iter().find_map(|section| section.ok()?);
    let Some(section) = section else { return Ok(()) };
    for job in jobs {
        pods.extend(job.value.names("pods").unwrap_or_default());
    }
    let containers = |pod: &View<'_>| pod.names("containers").unwrap_or_default().len();
    let replicas = |pod: &View<'_>| match pod.field("replicas") {
        Ok(Some(replicas)) => replicas.int::<u64>().unwrap_or_default(),
        Ok(None) | Err(Poisoned) => 1,
    };
    let all_containers: usize = pods.iter().map(|pod| containers(&pod.value)).sum();
    let running = |pod: &View<'_>| {
        u64::try_from(containers(pod)).unwrap_or(u64::MAX).saturating_mul(replicas(pod))
    };
    let all_running: u64 = pods.iter().map(|pod| running(&pod.value)).sum();
    let message = if pods.len() > MOST_PODS {
        format!("the file has {} pods; at most {MOST_PODS}", pods.len())
    } else if all_containers > MOST_CONTAINERS {
        format!("the file has {all_containers} containers; at most {MOST_CONTAINERS}")
    } else if all_running > MOST_RUNNING {
        format!("the file asks for {all_running} containers at a time; at most {MOST_RUNNING}")
    } else {
        return Ok(());
    };
    Err(reports.add(section.key_fault(Code::OverLimit, message)))
}
