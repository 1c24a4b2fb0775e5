//! The deployment file, compiled once more: the job may have waited, or be a redeploy.

use crate::deploy::Deployment;
use crate::deploy::failure::Failure;
use crate::deploy::secrets::add_secrets_of;
use crate::domain::history::Step;
use crate::domain::redact::Redactor;
use crate::paas::compiled;
use crate::paas_file::{Broken, Launch, compile_at};
use crate::stack::notes;
use crate::tasks::blocking;

impl Deployment<'_> {
    /// Compiles the commit's deployment file, with the values of secrets in it, and hides those from
    /// then on.
    pub(super) async fn compile(&mut self) -> Result<compiled::Deployment, Failure> {
        let watch = self.begin(Step::Check);
        let (commit, project) = (self.commit(), self.run.project());
        let repositories = self.jobs().repositories().clone();
        let file = self.settings().paas_file.clone();
        let job = self.run.job();
        let (snapshot, launched) = (job.snapshot.clone(), job.variables.clone());
        let variables = self.opened.variables.clone();
        let platform = self.settings().platform.clone();
        let max_files = self.settings().git.max_files;
        let (mut secrets, mut bare) = self.opened.hidden();
        let (compiled, redactor, bare) = blocking(move || {
            let repository = repositories.open(project)?;
            let (snapshot, launched) = (&snapshot, &launched);
            let (variables, platform) = (&variables, &platform);
            let launch = Launch { file: &file, snapshot, launched, variables, platform, max_files };
            let compiled = compile_at(&repository, commit, &launch)?;
            bare.extend(add_secrets_of(&compiled.compiled.model, &mut secrets));
            Ok::<_, Broken>((compiled, Redactor::new(&secrets), bare))
        })
        .await?;
        self.hide(redactor);
        let model = compiled.compiled.model;
        self.places = compiled.compiled.places;
        let text = format!("{}: {}", self.settings().paas_file, model.summary());
        self.recorder.result(Step::Check, text, watch).await;
        let bare = (!bare.is_empty()).then(|| not_hidden(&bare));
        for line in compiled.warnings.into_iter().chain(notes(&model)).chain(bare) {
            self.recorder.line(Step::Check, line).await;
        }
        Ok(model)
    }
}

fn not_hidden(names: &[String]) -> String {
    let names = names.join(", ");
    format!("not hidden in output, being short, ordinary or too many: {names}")
}
