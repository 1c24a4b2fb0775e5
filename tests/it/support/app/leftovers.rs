//! What a test has left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pierhead::db::models::environment::Environment;
use pierhead::db::models::job::Job;
use pierhead::db::models::release::Release;
use pierhead::db::models::run as runs;

use crate::support::app::{App, PATIENCE};

impl App {
    /// Waits until nothing is left but what is live.
    pub(crate) async fn until_swept(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !self.workspaces().is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "workspaces are left");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.assert_nothing_left().await;
    }

    fn workspaces(&self) -> Vec<PathBuf> {
        let workspaces = fs::read_dir(self.state().join("workspaces")).unwrap();
        workspaces.map(|entry| entry.unwrap().path()).collect()
    }

    /// Asserts that every job has ended and nothing is left: no run, no workspace, no lock file,
    /// and on the engine nothing but what is live.
    pub(crate) async fn assert_nothing_left(&self) {
        let open = self.db.run(async move |c| runs::open_jobs(c).await).await.unwrap();
        assert!(open.is_empty(), "runs are open: {open:?}");
        let environments = self.db.run(async move |c| Environment::all(c).await).await.unwrap();
        for environment in &environments {
            let id = environment.id;
            let jobs = self.db.run(async move |c| Job::open_of_environment(c, id).await).await;
            let jobs = jobs.unwrap();
            assert!(jobs.is_empty(), "jobs are open: {jobs:?}");
            let live = self.db.run(async move |c| Release::live(c, id).await).await.unwrap();
            assert_eq!(live.as_ref().map(|live| live.id), environment.live_release);
            let live = live.map(|live| live.fence.to_string());
            for (name, fence) in self.objects_of(&id.to_string()).await {
                assert_eq!(Some(&fence), live.as_ref(), "{name} was left on the engine");
            }
        }
        let left = self.workspaces();
        assert!(left.is_empty(), "workspaces are left: {left:?}");
        let locks = files_ending(&self.state().join("repositories"), ".lock");
        assert!(locks.is_empty(), "locks are left: {locks:?}");
        let quarantines = files_ending(&self.state().join("repositories"), "incoming");
        assert!(quarantines.is_empty(), "quarantines are left: {quarantines:?}");
    }
}

fn files_ending(folder: &Path, what: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().contains(what) {
            found.push(path.clone());
        }
        if path.is_dir() {
            found.extend(files_ending(&path, what));
        }
    }
    found
}
