//! Build hooks: what they make becomes part of the files that images are built from.

use std::path::Path;

use crate::caging::tree::{self, Size};
use crate::deploy::Deployment;
use crate::deploy::failure::{Cause, Failure};
use crate::domain::history::Step;
use crate::hooks::{HookFault, HookUse};
use crate::paas::{HookCall, compiled};
use crate::stack::Labels;
use crate::tasks::blocking;

/// Most characters of a hook's name and words in a line.
const LONGEST_NAME: usize = 60;

impl Deployment<'_> {
    /// Runs the hooks of a deployment in their order; the first that fails ends it.
    pub(super) async fn hooks(
        &mut self,
        model: &compiled::Deployment,
        root: &Path,
    ) -> Result<(), Failure> {
        if model.hooks.is_empty() {
            return Ok(());
        }
        self.begin(Step::Hooks);
        let hooks = self.settings().hooks.clone();
        let fails = |hook: &str| {
            let hook = hook.to_owned();
            move |source| Cause::Hook { hook, source }
        };
        let first = model.hooks.first().map_or("hooks", |hook| hook.hook.as_str());
        // Of a run that was lost with its worker.
        let cleared = hooks.clear(self.run.job().id).await;
        cleared.map_err(|error| fails(first)(error.into()))?;
        for (place, hook) in (1..).zip(&model.hooks) {
            let watch = self.begin(Step::Hooks);
            let rule = self.settings().platform.hooks.get(&hook.hook);
            let call = rule.and_then(|rule| rule.call(&hook.options));
            let call = call.ok_or_else(|| fails(&hook.hook)(HookFault::Unknown))?;
            let name = name(&hook.hook, &call);
            self.recorder.step(Step::Hooks, name.clone()).await;
            let asked = self.hook_use((place, &hook.hook), call, root);
            // From here on whatever ends the deployment ends the hook first.
            let running = self.hook.insert(hooks.start(asked));
            while let Some(line) = running.line().await {
                self.recorder.line(Step::Hooks, line).await;
            }
            let result = running.result().await;
            self.hook = None;
            result.map_err(fails(&name))?;
            self.recorder.result(Step::Hooks, name, watch).await;
        }
        let root = root.to_owned();
        let all = Size { bytes: u64::MAX, files: u64::MAX, depth: usize::MAX };
        let size = blocking(move || tree::measure(&root, all)).await.map_err(Cause::Workspace)?;
        self.files = self.files.max(size.bytes);
        Ok(())
    }

    fn hook_use(&self, (place, hook): (usize, &str), call: HookCall, root: &Path) -> HookUse {
        let labels = Labels::new(&self.settings().docker.label_domain);
        let is_secret = |name: &str| self.opened.secrets.iter().any(|(secret, _)| secret == name);
        let variables = self.opened.variables.iter().filter(|(name, _)| !is_secret(name));
        HookUse {
            hook: hook.to_owned(),
            call,
            place,
            folder: root.parent().unwrap_or(root).to_owned(),
            checkout: root.to_owned(),
            project: self.run.project(),
            job: self.run.job().id,
            labels: labels.of(&self.owner()),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            uses_cache: !self.run.job().snapshot.without_cache,
            redactor: self.redactor.clone(),
        }
    }

    /// Ends the hook that runs, if one does, and everything that it started.
    pub(in crate::deploy) async fn end_hook(&mut self) {
        if let Some(hook) = self.hook.take() {
            hook.end().await;
        }
    }
}

/// What is said of a use: `npm-22 ci --no-audit`.
fn name(hook: &str, call: &HookCall) -> String {
    let words = call.words.iter().map(String::as_str);
    let all = [hook].into_iter().chain(words).collect::<Vec<_>>().join(" ");
    let mut chars = all.chars();
    let mut name: String = chars.by_ref().take(LONGEST_NAME).collect();
    if chars.next().is_some() {
        name.push('…');
    }
    name
}
