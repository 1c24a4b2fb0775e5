//! The deployment file, compiled once more: the job may have waited, or be a redeploy.

use crate::deploy::Deployment;
use crate::deploy::failure::Failure;
use crate::domain::history::Step;
use crate::paas::compiled;
use crate::paas_file::{Launch, compile_at};
use crate::stack::notes;
use crate::tasks::blocking;

impl Deployment<'_> {
    /// Compiles the commit's deployment file, with the values of secrets in it.
    pub(super) async fn compile(&mut self) -> Result<compiled::Deployment, Failure> {
        let watch = self.begin(Step::Check);
        let (commit, project) = (self.commit(), self.run.project());
        let repositories = self.jobs().repositories().clone();
        let file = self.settings().paas_file.clone();
        let (snapshot, variables) =
            (self.run.job().snapshot.clone(), self.opened.variables.clone());
        let platform = self.settings().platform.clone();
        let max_files = self.settings().git.max_files;
        let compiled = blocking(move || {
            let repository = repositories.open(project)?;
            let (snapshot, variables, platform) = (&snapshot, &variables, &platform);
            let launch = Launch { file: &file, snapshot, variables, platform, max_files };
            compile_at(&repository, commit, &launch)
        })
        .await?;
        let model = compiled.compiled.model;
        self.opened.add_secrets_of(&model);
        let text = format!("{}: {}", self.settings().paas_file, model.summary());
        self.recorder.result(Step::Check, text, watch).await;
        for line in compiled.warnings.into_iter().chain(notes(&model)) {
            self.recorder.line(Step::Check, line).await;
        }
        Ok(model)
    }
}
