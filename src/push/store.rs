//! Refs that are stored or deleted without a deployment.

use crate::domain::deploy_rule::{DeployRule, choose};
use crate::domain::push_ref::Decision;
use crate::jobs::{JobsError, RefChange};
use crate::push::handle::Handling;
use crate::push::{Answer, Update};

impl Handling<'_> {
    /// Stores or deletes a ref, and says which refs would have deployed.
    pub(super) async fn change(&self, update: &Update) -> Result<Answer, JobsError> {
        let (name, project) = (update.name.clone(), self.project.id);
        let change = self.pushes.jobs.change_ref(project, name, update.old, update.new).await?;
        let short = update.name.short();
        let answer = match change {
            RefChange::Done => Answer::Ok,
            RefChange::Elsewhere(Some(tip)) => {
                Answer::rejected(format!("{short} is at {}: fetch first", tip.short()))
            }
            RefChange::Elsewhere(None) => Answer::rejected(format!("{short} is gone: fetch first")),
            RefChange::Deploying(job) => Answer::rejected(format!("job {job} is deploying it")),
            RefChange::Refused(why) => Answer::rejected(why),
        };
        if answer == Answer::Ok {
            let (verb, text) = self.stored(update);
            self.say(update, verb, &text).await;
            let decision = if update.new.is_some() { Decision::Stored } else { Decision::Deleted };
            self.record(update, decision, None, &answer).await?;
        }
        Ok(answer)
    }

    /// Leaves a ref as it is, and says what would have become of it.
    pub(super) async fn leave(&self, update: &Update) -> Answer {
        let (verb, text) = self.stored(update);
        self.say(update, "plan", &format!("would be {verb}: {text}")).await;
        Answer::plan_only()
    }

    fn stored(&self, update: &Update) -> (&'static str, String) {
        let short = update.name.short();
        match (update.new, choose(&self.rules, &update.name)) {
            (None, Some(_)) => ("deleted", format!("{short}; what is live keeps serving")),
            (None, None) => ("deleted", short.to_owned()),
            (Some(_), Some(_)) => ("stored", format!("{short}, not deployed: -o skip")),
            (Some(_), None) if self.rules.is_empty() => {
                ("stored", format!("{short}, not deployed: nothing of this project deploys yet"))
            }
            (Some(_), None) => {
                let rules: Vec<String> =
                    self.rules.iter().map(|rule| self.say_rule(rule)).collect();
                ("stored", format!("{short}, not deployed: {}", rules.join(", ")))
            }
        }
    }

    fn say_rule(&self, rule: &DeployRule) -> String {
        let pattern = rule.pattern.as_str();
        let short = pattern.strip_prefix("refs/heads/").or(pattern.strip_prefix("refs/"));
        let environment = self.environment_name(rule.environment);
        format!("{} deploys to {environment}", short.unwrap_or(pattern))
    }
}
