//! What becomes of each target on the way back, told and stored with the release that failed.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::models::release::Release;
use crate::deploy::failure::Cause;
use crate::deploy::stored::{self, Objects};
use crate::deploy::{Deployment, Replaced};
use crate::domain::cluster::Cluster;
use crate::domain::history::Step;
use crate::domain::ids::ClusterId;
use crate::domain::undone::{Undone, UndoneTargets};
use crate::jobs::RunError;
use crate::manifests::Object;

/// What a run knows of the targets that it may have changed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    touched: BTreeSet<ClusterId>,
    /// How the latest try of putting back ended, where there was one.
    ended: BTreeMap<ClusterId, Result<(), String>>,
    /// Disks that were emptied.
    lost: BTreeMap<ClusterId, BTreeSet<String>>,
}

impl Ledger {
    /// Notes that a target is about to be changed.
    pub(super) fn touch(&mut self, target: ClusterId) {
        self.touched.insert(target);
    }

    /// Notes how putting a target back ended.
    pub(super) fn end(&mut self, target: &Cluster, ended: Result<(), &Cause>) {
        let led = format!("cluster {}: ", target.name);
        let words = |cause: &Cause| {
            let words = cause.to_string();
            words.strip_prefix(&led).map(str::to_owned).unwrap_or(words)
        };
        self.ended.insert(target.id, ended.map_err(words));
    }

    /// Notes disks of a target whose data is lost.
    pub(super) fn lose(&mut self, target: ClusterId, disks: Vec<String>) {
        self.lost.entry(target).or_default().extend(disks);
    }

    fn state(&self, target: ClusterId, unreached: Option<&str>) -> Undone {
        let lost = self.lost.get(&target).into_iter().flatten().cloned().collect();
        match (self.ended.get(&target), unreached) {
            (Some(Ok(())), _) | (None, None) => Undone::PutBack { lost },
            (Some(Err(reason)), _) => Undone::NotPutBack { reason: reason.clone(), lost },
            (None, Some(reason)) => Undone::NotPutBack { reason: reason.to_owned(), lost },
        }
    }
}

impl Deployment<'_> {
    /// Whether a target is certainly what it was before the run.
    pub(super) fn is_untouched(&self, target: ClusterId) -> bool {
        !matches!(self.replaced, Replaced::Unknown) && !self.ledger.touched.contains(&target)
    }

    /// What the run, or the one before it whose job this is, was about to put on its targets.
    pub(super) async fn own_objects(&self) -> Result<Option<Objects>, Cause> {
        let id = self.run.job().id;
        let release =
            self.jobs().db().run(async move |connection| Release::of_job(connection, id).await);
        let Some(release) = release.await.map_err(RunError::from)? else { return Ok(None) };
        Ok(Some(stored::objects(&self.settings().keyring.opener, &release).await?))
    }

    /// What others have made in a cluster, and releases since the live one took over and could not
    /// give back: by now it looks like the environment's own.
    pub(super) async fn owed(
        &self,
        live: Option<&Release>,
        cluster: &Cluster,
    ) -> Result<Vec<Object>, Cause> {
        let (environment, number) =
            (self.run.job().environment_id, live.map(|release| release.number));
        let releases = self
            .jobs()
            .db()
            .run(async move |connection| Release::after(connection, environment, number).await);
        for release in releases.await.map_err(RunError::from)? {
            let stored = release.undone.clone().map(serde_json::from_value::<UndoneTargets>);
            let mut states = stored.transpose().map_err(stored::Unreadable::from)?;
            match states.as_mut().and_then(|states| states.remove(&cluster.name)) {
                // Those before it are paid off with it.
                Some(Undone::PutBack { .. }) => break,
                Some(Undone::Untouched) => continue,
                Some(Undone::NotPutBack { .. }) | None => {}
            }
            if release.job_id == self.run.job().id {
                continue;
            }
            let objects = stored::objects(&self.settings().keyring.opener, &release).await?;
            if let Some(on) = objects.in_cluster(cluster.id) {
                // Each has carried on what was owed before it.
                return Ok(on.others.clone());
            }
        }
        Ok(Vec::new())
    }

    /// Tells and stores what became of each target; what was not reached is so for a reason.
    pub(super) async fn tell_undone(&mut self, unreached: Option<&str>) -> Result<(), RunError> {
        let clusters = self.run.job().snapshot.clusters.clone();
        let state = |cluster: &Cluster| {
            if self.is_untouched(cluster.id) {
                return Undone::Untouched;
            }
            match self.ledger.state(cluster.id, unreached) {
                Undone::NotPutBack { reason, lost } => {
                    // It may hold what tools said.
                    Undone::NotPutBack { reason: self.redactor.text(&reason), lost }
                }
                state @ (Undone::Untouched | Undone::PutBack { .. }) => state,
            }
        };
        let undone: UndoneTargets =
            clusters.iter().map(|cluster| (cluster.name.clone(), state(cluster))).collect();
        let are_several = undone.len() > 1;
        for (name, state) in &undone {
            let led = if are_several { format!("{name}: ") } else { String::new() };
            if are_several {
                self.recorder.line(Step::Undone, format!("{led}{state}")).await;
            }
            for disk in state.lost() {
                let line = format!("{led}disk {disk} was reset and is lost");
                self.recorder.line(Step::Undone, line).await;
            }
        }
        let stored = serde_json::to_value(&undone).expect("names and words are JSON");
        self.run.store_undone(stored).await
    }
}
