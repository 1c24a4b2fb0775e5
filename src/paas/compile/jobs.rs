//! Jobs (paas-yaml.md §10.7).

use std::collections::BTreeMap;

use crate::paas::compile::cron;
use crate::paas::compile::pods::{Compiler, Pods, int, word};
use crate::paas::compiled::{
    Completions, ImageRef, Job, Mode, Planning, Resource, SuccessCondition,
};
use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Seconds for which a job is kept when the file does not say.
const SHELF_LIFE: u32 = 3_600;

/// The section `jobs`.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    jobs: Vec<(Job, Pods)>,
    has_gaps: bool,
}

impl Jobs {
    pub(super) fn compile(
        section: Result<Vec<Named<'_>>, Poisoned>,
        compiler: &mut Compiler<'_>,
    ) -> Self {
        let mut jobs = Self::default();
        let Ok(section) = section else { return Self { has_gaps: true, ..jobs } };
        for named in section {
            match job(&named, compiler) {
                Ok((job, pods)) => {
                    jobs.has_gaps |= pods.has_gaps();
                    jobs.jobs.push((job, pods));
                }
                Err(Poisoned) => jobs.has_gaps = true,
            }
        }
        jobs
    }

    pub(super) fn has_gaps(&self) -> bool {
        self.has_gaps
    }

    pub(super) fn images(&self) -> impl Iterator<Item = &ImageRef> {
        self.jobs.iter().flat_map(|(_, pods)| pods.images())
    }

    pub(super) fn shared_volumes(&self) -> impl Iterator<Item = &str> {
        self.jobs.iter().flat_map(|(_, pods)| pods.shared_volumes())
    }

    pub(super) fn into_model(
        self,
        shares: &[Resource],
        write_many: &BTreeMap<String, bool>,
    ) -> Vec<Job> {
        let jobs = self.jobs.into_iter();
        jobs.map(|(job, pods)| Job { pods: pods.into_model(shares, write_many), ..job }).collect()
    }
}

fn job(named: &Named<'_>, compiler: &mut Compiler<'_>) -> Result<(Job, Pods), Poisoned> {
    let Named { name, value: view } = named;
    if view.is_poisoned() {
        return Err(Poisoned);
    }
    let pods = compiler.pods(view.names("pods"), Some(&name.value));
    let reports = &mut *compiler.reports;
    if pods.is_empty() {
        let message = format!("job `{}` has no pod", shown(&name.value));
        reports.add(view.key_fault(Code::EmptyJob, message));
    }
    let schedule = schedule(view, reports);
    let planning = planning(&name.value, view, &schedule, reports);
    let success_condition = success_condition(view, &pods, reports);
    let completions = completions(view);
    let parallel =
        view.field("is-parallel").and_then(|field| field.map_or(Ok(false), |flag| flag.boolean()));
    let (completions, time_limit, shelf_life) = completions?;
    let job = Job {
        name: name.value.clone(),
        pods: Vec::new(),
        completions,
        parallel: parallel?,
        time_limit,
        shelf_life,
        success_condition: success_condition?,
        planning: planning?,
        schedule: schedule?,
    };
    Ok((job, pods))
}

fn schedule(view: &View<'_>, reports: &mut Reports) -> Result<Option<String>, Poisoned> {
    let Some(field) = view.field("schedule")? else { return Ok(None) };
    let text = field.text()?;
    let value = text.value.trim();
    match cron::problem(value) {
        None => Ok(Some(value.to_owned())),
        Some(problem) => {
            let message = format!("\"{}\" is no schedule: {problem}", shown(text.as_written()));
            let hint = "write minute, hour, day, month and weekday, such as 0 3 * * *".to_owned();
            Err(reports.add(field.fault(Code::BadSchedule, message).hint(hint)))
        }
    }
}

fn planning(
    name: &str,
    view: &View<'_>,
    schedule: &Result<Option<String>, Poisoned>,
    reports: &mut Reports,
) -> Result<Planning, Poisoned> {
    // One with faults is a schedule all the same.
    let is_scheduled = !matches!(schedule, Ok(None));
    match (word(view, "planning")?, is_scheduled) {
        (None, true) => Ok(Planning::Scheduled),
        (None, false) => Ok(Planning::DuringDeployment),
        (Some(Planning::Scheduled), false) => {
            let message = format!("job `{}` is scheduled but has no `schedule`", shown(name));
            let field = view.required("planning")?;
            Err(reports.add(field.fault(Code::NoSchedule, message)))
        }
        (Some(planning @ (Planning::DuringDeployment | Planning::BeforeDeployment)), true) => {
            let message = format!("a job with `planning: {planning}` has no schedule");
            let field = view.field("schedule").ok().flatten().unwrap_or_else(|| view.clone());
            Err(reports.add(field.key_fault(Code::NeedlessSchedule, message)))
        }
        (Some(planning), _) => Ok(planning),
    }
}

/// How often it must succeed, its time limit and its shelf life.
type Ending = (Completions, Option<u32>, Option<u32>);

fn completions(view: &View<'_>) -> Result<Ending, Poisoned> {
    let Some(view) = view.field("completions")? else {
        return Ok((Completions { count: 1, mode: Mode::Common }, None, Some(SHELF_LIFE)));
    };
    let completions = Completions {
        count: int(&view, "count", 1)?,
        mode: word(&view, "mode")?.unwrap_or(Mode::Common),
    };
    let time_limit = view.field("time-limit")?.map(|limit| limit.int()).transpose()?;
    let shelf_life = match view.field("shelf-life")? {
        None => Some(SHELF_LIFE),
        Some(field) if field.is_null() || field.text()?.value == "null" => None,
        Some(field) => Some(field.int()?),
    };
    Ok((completions, time_limit, shelf_life))
}

fn success_condition(
    view: &View<'_>,
    pods: &Pods,
    reports: &mut Reports,
) -> Result<Option<SuccessCondition>, Poisoned> {
    let Some(view) = view.field("completions")? else { return Ok(None) };
    let codes = |key: &str| -> Result<Option<Vec<i32>>, Poisoned> {
        let is_given = view.field(key)?.is_some();
        let codes: Vec<i32> =
            view.items(key)?.iter().map(View::int).collect::<Result<_, Poisoned>>()?;
        Ok(is_given.then_some(codes))
    };
    let (success, failure) = (codes("success-on"), codes("fail-on"));
    let container = limit_on(&view, pods, reports);
    let (success, failure) = (success?, failure?);
    if success.is_none() && failure.is_none() {
        if container?.is_some() {
            let field = view.required("limit-on")?;
            let message = "without `success-on` or `fail-on` this says nothing";
            reports.add(field.key_fault(Code::IdleLimitOn, message));
        }
        return Ok(None);
    }
    let (success, failure) =
        (success.unwrap_or_else(|| vec![0]), failure.unwrap_or_else(|| vec![1]));
    if let Some(code) = failure.iter().find(|code| success.contains(code)) {
        let message = format!("exit code {code} cannot mean both success and failure");
        return Err(reports.add(view.key_fault(Code::ContradictoryExitCode, message)));
    }
    Ok(Some(SuccessCondition {
        success_exit_codes: success,
        failure_exit_codes: failure,
        container: container?,
    }))
}

/// The container whose exit code counts.
fn limit_on(
    completions: &View<'_>,
    pods: &Pods,
    reports: &mut Reports,
) -> Result<Option<String>, Poisoned> {
    let Some(name) = completions.filled("limit-on")? else { return Ok(None) };
    if pods.lacks_container(name) {
        let field = completions.required("limit-on")?;
        let text = field.text()?;
        let message = format!("no container of this job is named `{}`", shown(text.as_written()));
        let is_plain = text.written.is_none();
        let names = pods.container_names();
        let hint = is_plain.then(|| reports.did_you_mean(name, names)).flatten();
        return Err(reports.add(field.fault(Code::NoSuchContainer, message).hint(hint)));
    }
    Ok(Some(name.to_owned()))
}
