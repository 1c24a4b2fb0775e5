//! The commit's files, written to a folder of the run's own.

use std::path::PathBuf;

use crate::deploy::Deployment;
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::workspace::Workspace;
use crate::domain::history::Step;
use crate::domain::oid::Oid;
use crate::git::checkout::{Limits, Written, write};
use crate::tasks::blocking;

const MIB: u64 = 1024 * 1024;

impl Deployment<'_> {
    /// The commit that is deployed.
    pub(super) fn commit(&self) -> Oid {
        // A job is claimed only when it names one.
        self.run.job().new_oid.expect("a claimed job names a commit")
    }

    /// Writes the commit's files into a new workspace, and says where they are.
    pub(super) async fn check_out(&mut self) -> Result<PathBuf, Failure> {
        let watch = self.begin(Step::Checkout);
        let commit = self.commit();
        let (root, job, attempt) =
            (self.settings().workspaces.clone(), self.run.job().id, self.run.attempt());
        let limits = Limits {
            bytes: self.settings().git.max_checkout,
            files: self.settings().git.max_files,
        };
        let (repositories, project) = (self.jobs().repositories().clone(), self.run.project());
        let (workspace, written) = blocking(move || {
            let workspace = Workspace::make(&root, job, attempt).map_err(Cause::Workspace)?;
            let repository =
                repositories.open(project).map_err(crate::git::checkout::CheckoutError::from)?;
            let written = write(&repository, commit, &workspace.checkout(), limits)?;
            Ok::<_, Cause>((workspace, written))
        })
        .await?;
        self.recorder.result(Step::Checkout, text(commit, &written), watch).await;
        for line in warnings(&written) {
            self.recorder.line(Step::Checkout, line).await;
        }
        let root = workspace.checkout();
        self.workspace = Some(workspace);
        self.files = written.bytes;
        Ok(root)
    }
}

fn text(commit: Oid, written: &Written) -> String {
    let files = if written.files == 1 { "file" } else { "files" };
    let size = match written.bytes {
        0..MIB => format!("{} KiB", written.bytes.div_ceil(1024)),
        bytes => format!("{} MiB", bytes.div_ceil(MIB)),
    };
    format!("{}: {} {files}, {size}", commit.short(), written.files)
}

fn warnings(written: &Written) -> Vec<String> {
    let pointers = (written.lfs_pointers > 0).then(|| {
        format!(
            "{} Git LFS pointers are deployed as they are, without their content",
            written.lfs_pointers
        )
    });
    let submodules = (written.submodules > 0)
        .then(|| format!("{} submodules are left as empty folders", written.submodules));
    pointers.into_iter().chain(submodules).collect()
}
