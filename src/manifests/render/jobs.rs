//! Work that ends, once or again and again (deployment.md §4.8).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::batch::v1::{
    CronJob, CronJobSpec, Job, JobSpec, JobTemplateSpec, PodFailurePolicy,
    PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::manifests::fault::Cannot;
use crate::manifests::object::{Kind, Object};
use crate::manifests::render::Renderer;
use crate::manifests::render::pods::{Purpose, Site};
use crate::manifests::{Duty, Phase, Work};
use crate::paas::compiled::{self, Mode, Planning, Pod, RestartPolicy, SuccessCondition};

/// What exit codes mean, as far as they say more than 0 and not 0.
#[derive(Debug, Default)]
struct Codes {
    success: BTreeSet<u8>,
    failure: BTreeSet<u8>,
    container: Option<String>,
}

impl Codes {
    /// Those of a pod, which need not have the container that counts.
    fn of(condition: &SuccessCondition, pod: &Pod) -> Self {
        let codes = |codes: &[i32]| -> BTreeSet<u8> {
            codes.iter().filter_map(|code| u8::try_from(*code).ok().filter(|c| *c > 0)).collect()
        };
        let success = codes(&condition.success_exit_codes);
        let failure = &codes(&condition.failure_exit_codes) - &success;
        let name = condition.container.as_ref();
        let has = |name: &&String| pod.containers.iter().any(|container| container.name == **name);
        let container = name.filter(has).map(|name| name.to_ascii_lowercase());
        Self { success, failure, container }
    }

    /// Ends a job at the first code that decides. One of success does too: the cluster has no other
    /// way to end it, and [`Work`] tells who waits for it to take it for one.
    fn policy(&self) -> Option<PodFailurePolicy> {
        let deciding = [&self.failure, &self.success].into_iter().filter(|codes| !codes.is_empty());
        let mut rules: Vec<_> = deciding.map(|codes| self.end_at(codes)).collect();
        if rules.is_empty() {
            return None;
        }
        // A node that is drained is nobody's failure.
        rules.insert(
            0,
            PodFailurePolicyRule {
                action: "Ignore".to_owned(),
                on_pod_conditions: Some(vec![PodFailurePolicyOnPodConditionsPattern {
                    type_: "DisruptionTarget".to_owned(),
                    status: "True".to_owned(),
                }]),
                on_exit_codes: None,
            },
        );
        Some(PodFailurePolicy { rules })
    }

    fn end_at(&self, codes: &BTreeSet<u8>) -> PodFailurePolicyRule {
        PodFailurePolicyRule {
            action: "FailJob".to_owned(),
            on_exit_codes: Some(PodFailurePolicyOnExitCodesRequirement {
                container_name: self.container.clone(),
                operator: "In".to_owned(),
                values: codes.iter().map(|code| i32::from(*code)).collect(),
            }),
            on_pod_conditions: None,
        }
    }
}

impl<'a> Renderer<'a> {
    /// Every pod of every job.
    pub(super) fn jobs(&mut self) {
        let deployment = self.deployment;
        for job in &deployment.jobs {
            for pod in &job.pods {
                let at = format!("jobs.{}.pods.{}", job.name, pod.name);
                let site = Site { at, pod, purpose: Purpose::of(job) };
                match job.planning {
                    Planning::DuringDeployment => self.job(Phase::Jobs, job, &site),
                    Planning::BeforeDeployment => self.job(Phase::Before, job, &site),
                    Planning::Scheduled => self.cron_job(job, &site),
                }
            }
        }
    }

    fn job(&mut self, phase: Phase, job: &compiled::Job, site: &Site<'a>) {
        let (spec, codes) = self.job_spec(job, site);
        let digits = match job.completions.mode {
            Mode::Common => 0,
            Mode::Indexed => job.completions.count.saturating_sub(1).to_string().len(),
        };
        let name = self.names.job(&job.name, &site.pod.name, digits);
        let tries = self.inputs.settings.jobs.backoff_limit;
        let object = Job {
            metadata: self.versioned(name, self.names.label(&job.name)),
            spec: Some(JobSpec { backoff_limit: Some(self.int(&site.at, tries)), ..spec }),
            ..Job::default()
        };
        let work = Work {
            success_codes: codes.success.into_iter().collect(),
            container: codes.container,
            time_limit_s: job.time_limit.filter(|limit| *limit > 0),
            shelf_life_s: job.shelf_life,
        };
        self.add(phase, &site.at, Duty::Work(work), Object::new(Kind::Job, &object));
    }

    fn cron_job(&mut self, job: &compiled::Job, site: &Site<'a>) {
        let (spec, codes) = self.job_spec(job, site);
        if !codes.success.is_empty() {
            let codes: Vec<_> = codes.success.iter().map(u8::to_string).collect();
            let text = "the cluster shows a run that ends with";
            let text = format!("{text} {} as failed, and tries it no more", codes.join(" or "));
            self.note(&site.at, text);
        }
        let at = &site.at;
        let shelf_life = job.shelf_life.map(|seconds| self.int(at, seconds));
        let settings = &self.inputs.settings.cron_jobs;
        let name = self.names.cron_job(&job.name, &site.pod.name);
        let object = CronJob {
            metadata: self.versioned(name, self.names.label(&job.name)),
            spec: Some(CronJobSpec {
                schedule: job.schedule.clone().unwrap_or_default(),
                time_zone: settings.time_zone.clone(),
                concurrency_policy: Some(settings.concurrency.to_string()),
                starting_deadline_seconds: Some(settings.starting_deadline_s.into()),
                successful_jobs_history_limit: Some(self.int(at, settings.successful_kept)),
                failed_jobs_history_limit: Some(self.int(at, settings.failed_kept)),
                job_template: JobTemplateSpec {
                    metadata: None,
                    spec: Some(JobSpec { ttl_seconds_after_finished: shelf_life, ..spec }),
                },
                ..CronJobSpec::default()
            }),
            ..CronJob::default()
        };
        let object = Object::new(Kind::CronJob, &object);
        self.add(Phase::CronJobs, at, Duty::Plain, object);
    }

    /// What both kinds have.
    fn job_spec(&mut self, job: &compiled::Job, site: &Site<'a>) -> (JobSpec, Codes) {
        let at = &site.at;
        let condition = job.success_condition.as_ref();
        let codes = condition.map(|condition| Codes::of(condition, site.pod)).unwrap_or_default();
        if condition.is_some() && site.pod.restart_policy == Some(RestartPolicy::OnFailure) {
            self.fault(&format!("{at}.restart-policy"), Cannot::CodesOfRestarted);
        }
        if let Some(code) = codes.success.first().filter(|_| job.completions.count > 1) {
            let at = format!("jobs.{}.completions.success-on", job.name);
            self.fault(&at, Cannot::SuccessCode((*code).into()));
        }
        let count = self.int(at, job.completions.count);
        // Not the label by which Services find pods.
        let label = (self.inputs.settings.key("job"), self.names.label(&job.name));
        let metadata =
            ObjectMeta { labels: Some(BTreeMap::from([label])), ..ObjectMeta::default() };
        let mode = match job.completions.mode {
            Mode::Common => "NonIndexed",
            Mode::Indexed => "Indexed",
        };
        let limit = job.time_limit.filter(|limit| *limit > 0);
        let spec = JobSpec {
            completions: Some(count),
            completion_mode: Some(mode.to_owned()),
            parallelism: Some(if job.parallel { count } else { 1 }),
            active_deadline_seconds: limit.map(i64::from),
            pod_failure_policy: codes.policy(),
            template: PodTemplateSpec { metadata: Some(metadata), spec: Some(self.pod(site)) },
            ..JobSpec::default()
        };
        (spec, codes)
    }
}
