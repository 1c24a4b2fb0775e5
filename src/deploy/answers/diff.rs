//! What differs between two releases, by what they have stored.

use std::collections::BTreeMap;

use crate::db::models::environment::Environment;
use crate::db::models::release::Release;
use crate::deploy::Deployer;
use crate::deploy::answers::{Unanswered, names};
use crate::domain::difference::{Entry, summary};
use crate::domain::ids::{ClusterId, ReleaseNumber};
use crate::domain::question::Told;
use crate::domain::redact::{Redactor, Secrets};
use crate::manifests::{self, OfWork};
use crate::questions::Asked;
use crate::stack::{self, Stack};
use crate::tasks::blocking;

impl Deployer {
    pub(super) async fn tell_difference(
        &self,
        asked: &Asked,
        numbers: [ReleaseNumber; 2],
    ) -> Result<(), Unanswered> {
        let environment = asked.environment;
        let found = self.jobs.db().run(async move |connection| {
            let project = Environment::find(connection, environment).await?.project_id;
            let [from, to] = numbers;
            let from = Release::by_number(connection, environment, from).await?;
            let to = Release::by_number(connection, environment, to).await?;
            Ok::<_, diesel::result::Error>((project, from, to))
        });
        let (project, from, to) = found.await?;
        let mut secrets = Secrets::default();
        let from = from.ok_or(Unanswered::NoRelease(numbers[0]))?;
        let from = self.opened(from, project, &mut secrets).await?;
        let to = to.ok_or(Unanswered::NoRelease(numbers[1]))?;
        let to = self.opened(to, project, &mut secrets).await?;
        let redactor = blocking(move || Redactor::new(&secrets)).await;
        let clusters = from.job.snapshot.clusters.iter().chain(&to.job.snapshot.clusters);
        let names = names(clusters);
        let is_again = from.release.source.is_some() || to.release.source.is_some();
        let of_work = if is_again { OfWork::LeftOut } else { OfWork::Compared };

        let mut entries: BTreeMap<ClusterId, Vec<Entry>> = BTreeMap::new();
        let [before, after] = [&from, &to].map(|opened| {
            let stacks = opened.objects.docker.iter();
            stacks.map(|on| (on.cluster, &on.placed.stack)).collect::<BTreeMap<_, _>>()
        });
        for (cluster, stack) in &after {
            let known = before.get(cluster).copied();
            entries.insert(*cluster, stack::entries(known, stack, &redactor));
        }
        for (cluster, stack) in before.iter().filter(|(cluster, _)| !after.contains_key(*cluster)) {
            let nothing = Stack::nothing(&stack.network);
            entries.insert(*cluster, stack::entries(Some(stack), &nothing, &redactor));
        }
        let [before, after] = [&from, &to].map(|opened| {
            let clusters = opened.objects.kubernetes.iter();
            let items = clusters.map(|on| (on.cluster, on.manifests.items.as_slice()));
            items.collect::<BTreeMap<_, _>>()
        });
        let settings = &self.settings.kubernetes;
        for cluster in before.keys().chain(after.keys()) {
            let [before, after] =
                [&before, &after].map(|items| items.get(cluster).copied().unwrap_or_default());
            let found = manifests::entries(before, after, of_work, (settings, &redactor));
            entries.insert(*cluster, found);
        }

        let told = entries.into_iter().map(|(cluster, entries)| {
            let summary = match entries.is_empty() {
                true => "nothing differs".to_owned(),
                false => summary(&entries),
            };
            let lines = entries.iter().flat_map(Entry::lines);
            let lines = lines.map(|line| redactor.text(&line)).collect();
            let cluster = names.get(&cluster).cloned().unwrap_or_else(|| cluster.to_string());
            Told::Difference { cluster, summary, lines }
        });
        // Whoever does not hear it has gone.
        let _heard: bool = asked.tell(told.collect()).await;
        Ok(())
    }
}
