//! Jobs waited for until they end.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::kubernetes::digest::{Digest, Why};
use crate::kubernetes::json::{condition, list, number, text};
use crate::kubernetes::object::{JOB, ObjectRef};
use crate::kubernetes::rollout::conditions::Stand;
use crate::kubernetes::rollout::scene::Scene;
use crate::kubernetes::rollout::{OldPods, Patience, Progress, Wait};
use crate::kubernetes::wire::{Call, Form};
use crate::kubernetes::{Cluster, Error};

/// How long the last word about its pods may come after that about a Job.
const SETTLING: Duration = Duration::from_secs(2);

/// How a Job ended.
#[derive(Debug)]
pub enum JobEnded {
    /// Well.
    Succeeded {
        /// The code with which it ended, if that is not 0 and was declared to be a success.
        translated: Option<i64>,
    },
    /// Not well, or it cannot run.
    Failed(Box<Digest>),
}

/// Codes that end a Job well besides 0; the cluster can be told so only for 0, and says that it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuccessCodes {
    /// The codes.
    pub codes: Vec<i64>,
    /// The container whose code counts; none: any.
    pub container: Option<String>,
}

/// What a Job's status says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Complete,
    Failed { reason: String, words: String },
}

impl Cluster {
    /// Waits until a Job ends.
    ///
    /// Progress is told in completions, each time it changes. May be dropped at any time.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer for longer than patience lasts, or refuses.
    pub async fn wait_job(
        &self,
        job: &ObjectRef,
        successes: &SuccessCodes,
        patience: &Patience,
        mut told: impl FnMut(Progress) + Send,
    ) -> Result<JobEnded, Error> {
        let object = self.placed(job);
        let within = self.clone().within(object.namespace.as_deref().unwrap_or(&self.namespace));
        let Some(found) = self.get(&object).await? else {
            return Ok(failed(Digest::new(object, Why::Gone)));
        };
        let mut scene = Scene::open(&within, &JOB, &found);
        // How often its pods may fail is for the Job to count.
        let mut wait = Wait::new(Patience { crashes: i64::MAX, ..*patience }, None);
        let mut ended_at = None;
        loop {
            scene.change().await?;
            if !scene.is_complete() {
                continue;
            }
            let (Some(found), Some(mut look)) = (scene.found(), scene.look(OldPods::Stay)) else {
                return Ok(failed(scene.digest(Why::Gone)));
            };
            if let Some((ready, wanted)) = wait.progressed(&look) {
                told(Progress { object: object.clone(), ready, wanted });
            }
            match end(found) {
                None => {}
                Some(End::Complete) => return Ok(JobEnded::Succeeded { translated: None }),
                Some(End::Failed { reason, words }) => {
                    let codes = last_codes(scene.current_pods(), successes.container.as_deref());
                    let since = *ended_at.get_or_insert_with(Instant::now);
                    if codes.is_empty() && since.elapsed() < SETTLING {
                        continue;
                    }
                    if let Some(code) = translated(found, &reason, &codes, &successes.codes) {
                        return Ok(JobEnded::Succeeded { translated: Some(code) });
                    }
                    look.stand = Stand::Failed(Why::Job { reason, words });
                }
            }
            if let Some(Err(why)) = wait.verdict(&look) {
                let digest = scene.digest(why);
                return Ok(failed(within.with_output(digest).await));
            }
        }
    }

    /// Lets the cluster delete a Job some time after it ended.
    ///
    /// Jobs are made without this, so that what they printed can be read first.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer or refuses.
    pub async fn expire_job(&self, job: &ObjectRef, seconds: u32) -> Result<(), Error> {
        let object = self.placed(job);
        let patch = json!({"spec": {"ttlSecondsAfterFinished": seconds}});
        let path = self.path(&JOB, &object);
        let call = Call::order(Method::PATCH, path, Form::MergePatch, &patch, object);
        match self.call(&call.with("fieldManager", "pierhead")).await {
            Ok(_) | Err(Error::Absent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn failed(digest: Digest) -> JobEnded {
    JobEnded::Failed(Box::new(digest))
}

fn end(job: &Value) -> Option<End> {
    let holds = |name| condition(job, name).filter(|it| text(it, "/status") == "True");
    if holds("Complete").is_some() {
        return Some(End::Complete);
    }
    let failed = holds("Failed")?;
    Some(End::Failed {
        reason: text(failed, "/reason").to_owned(),
        words: text(failed, "/message").to_owned(),
    })
}

/// Codes but for 0 with which containers ended, or the one that counts, in the pod that ended last:
/// of those before it the Job has made other pods.
fn last_codes<'p>(pods: impl Iterator<Item = &'p Value>, container: Option<&str>) -> Vec<i64> {
    let ended = |pod: &'p Value| {
        let statuses = list(pod, "/status/containerStatuses").iter();
        let counts = move |status: &&Value| container.is_none_or(|it| it == text(status, "/name"));
        statuses.filter(counts).filter_map(|status| {
            let code = number(status, "/state/terminated/exitCode")?;
            Some((text(status, "/state/terminated/finishedAt"), code))
        })
    };
    let codes = |pod| ended(pod).map(|(_, code)| code).filter(|code| *code != 0).collect();
    let failed = pods.filter(|pod| ended(pod).any(|(_, code)| code != 0));
    failed.max_by_key(|pod| ended(pod).map(|(at, _)| at).max()).map(codes).unwrap_or_default()
}

/// The code that was declared a success, if a rule ended the Job because of it.
fn translated(job: &Value, reason: &str, codes: &[i64], successes: &[i64]) -> Option<i64> {
    let is_one = number(job, "/spec/completions").unwrap_or(1) == 1;
    let all_are = codes.iter().all(|code| successes.contains(code));
    let by_rule = reason == "PodFailurePolicy" && is_one && all_are;
    codes.first().copied().filter(|_| by_rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(completions: i64, conditions: &Value) -> Value {
        json!({"spec": {"completions": completions}, "status": {"conditions": conditions}})
    }

    #[test]
    fn a_job_ends_complete_or_failed_and_not_before() {
        let condition = |name: &str, status: &str| json!([{"type": name, "status": status, "reason": "R", "message": "w"}]);
        let failed = End::Failed { reason: "R".to_owned(), words: "w".to_owned() };
        for (name, status, expected) in [
            ("Complete", "True", Some(End::Complete)),
            ("Complete", "False", None),
            ("Failed", "True", Some(failed)),
            ("FailureTarget", "True", None),
            ("SuccessCriteriaMet", "True", None),
            ("Suspended", "True", None),
        ] {
            assert_eq!(end(&job(1, &condition(name, status))), expected, "{name}");
        }
        assert_eq!(end(&json!({})), None);
    }

    #[test]
    fn the_code_of_the_last_pod_and_of_the_container_that_counts_is_judged() {
        let pod = |at: &str, codes: [i64; 2]| {
            let status = |name: &str, code: i64| {
                let at = format!("2026-01-01T00:00:{at}Z");
                json!({"name": name, "state": {"terminated": {"exitCode": code, "finishedAt": at}}})
            };
            let [app, side] = codes;
            json!({"status": {"containerStatuses": [status("app", app), status("side", side)]}})
        };
        let judged = |pods: &[Value], container| last_codes(pods.iter(), container);
        let evicted = pod("01", [137, 137]);
        let last = pod("02", [3, 143]);
        assert_eq!(judged(&[last.clone(), evicted.clone()], Some("app")), [3]);
        assert_eq!(judged(&[evicted.clone(), last], None), [3, 143]);
        assert_eq!(judged(&[evicted, pod("02", [0, 143])], Some("app")), [137]);
        let runs =
            json!({"status": {"containerStatuses": [{"name": "app", "state": {"running": {}}}]}});
        assert_eq!(judged(&[runs], None), [0; 0]);
    }

    #[test]
    fn a_code_is_a_success_only_where_a_rule_ended_the_only_completion_for_it() {
        for (completions, reason, codes, expected) in [
            (1, "PodFailurePolicy", &[3][..], Some(3)),
            (1, "PodFailurePolicy", &[4], None),
            (1, "PodFailurePolicy", &[3, 4], None),
            (1, "PodFailurePolicy", &[], None),
            (2, "PodFailurePolicy", &[3], None),
            (1, "BackoffLimitExceeded", &[3], None),
            (1, "DeadlineExceeded", &[3], None),
        ] {
            let job = job(completions, &json!([]));
            assert_eq!(translated(&job, reason, codes, &[0, 3]), expected, "{reason} {codes:?}");
        }
    }
}
