//! One look at a source, from its rows to what came of it.

use std::collections::HashMap;

use tracing::warn;

use crate::db::models::environment::Environment;
use crate::db::models::project::Project;
use crate::db::models::source::{self, Source};
use crate::db::models::source_check::Taken;
use crate::db::models::{deploy_rule, source_tip};
use crate::domain::deploy_rule::DeployRule;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{CheckId, EnvironmentId};
use crate::domain::oid::Oid;
use crate::domain::source::{Asker, CheckPurpose, Checked, Found, HostKeys, Transport, Tried};
use crate::git::remote::{HostKeyCheck, Remote, RemoteError, RemoteFolder};
use crate::sources::Sources;
use crate::sources::deploy::{Plan, Wanted, plan};
use crate::sources::fault::SourceFault;
use crate::sources::outlet::{Login, Outlet, host_key_check};
use crate::tasks::blocking;

/// What is known of a project when a look begins.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) project: Project,
    pub(super) source: Source,
    pub(super) pinned: HostKeys,
    pub(super) rules: Vec<DeployRule>,
    pub(super) environments: HashMap<EnvironmentId, Environment>,
    pub(super) tried: HashMap<RefName, Tried>,
}

/// A repository elsewhere, with all that it takes to read it.
struct Visit<'a> {
    sources: &'a Sources,
    subject: &'a Subject,
    login: &'a Login,
    folder: RemoteFolder,
    outlet: Outlet,
    /// The name under which the host's keys are known.
    name: String,
    address: String,
    unknown: HostKeyCheck,
}

impl Sources {
    /// Looks at the source of a project; why nothing came of it is told without what is secret.
    pub(super) async fn check(&self, taken: &Taken) -> Result<Checked, String> {
        let (subject, login) = match self.begin(taken).await {
            Ok(begun) => begun,
            Err(fault) => return Err(tell(&fault)),
        };
        let limit = self.settings.time_limit.duration();
        let looking = Box::pin(self.look(taken, &subject, &login));
        let looked = tokio::time::timeout(limit, looking).await;
        match looked.unwrap_or(Err(SourceFault::TooLong(limit))) {
            Ok(checked) => Ok(checked),
            Err(fault) => {
                let text = tell(&fault);
                Err(blocking(move || login.redactor().text(&text)).await)
            }
        }
    }

    async fn begin(&self, taken: &Taken) -> Result<(Subject, Login), SourceFault> {
        let id = taken.project_id;
        let rows = self.jobs.db().run(async move |connection| {
            let Some(source) = Source::of_project(connection, id).await? else { return Ok(None) };
            let project = Project::find(connection, id).await?;
            let rules = deploy_rule::of_project(connection, id).await?;
            let environments = Environment::of_project(connection, id).await?;
            let tried = source_tip::of_project(connection, id).await?;
            Ok::<_, diesel::result::Error>(Some((source, project, rules, environments, tried)))
        });
        let rows = rows.await?.ok_or(SourceFault::NoSource)?;
        let (source, project, rules, environments, tried) = rows;
        project.check_active()?;
        // What cannot be read pins nothing, and must not be taken for nothing pinned.
        let unread = |_no_keys| SourceFault::NoHostKey(source.url.site());
        let pinned = source.host_keys.parse::<HostKeys>().map_err(unread)?;
        let opener = self.opener.clone();
        let sealed = source.clone();
        let login = blocking(move || Login::open(&opener, id, &sealed)).await?;
        let environments = environments.into_iter().map(|row| (row.id, row)).collect();
        let tried = tried.into_iter().collect();
        Ok((Subject { project, source, pinned, rules, environments, tried }, login))
    }

    async fn look(
        &self,
        taken: &Taken,
        subject: &Subject,
        login: &Login,
    ) -> Result<Checked, SourceFault> {
        let mut visit = Visit::begin(self, (taken.id, subject), login).await?;
        let listed = visit.list().await?;
        let pinned = visit.pin().await?;
        let asker = match taken.purpose {
            CheckPurpose::Schedule => Asker::Schedule,
            CheckPurpose::Deploy | CheckPurpose::Test => Asker::Person,
        };
        let tips = self.tips(subject, &listed).await?;
        let most = self.settings.max_refs.get();
        let Plan { wanted, mut found, others } = plan(subject, (&listed, &tips), asker, most);
        if taken.purpose == CheckPurpose::Test {
            found.extend(wanted.iter().map(|wanted| wanted.would(subject)));
        } else {
            let fetched = visit.fetch(taken.id, &wanted).await;
            // First, since it may be why there is nothing: a deleted project's repository has gone.
            self.still(taken, subject).await?;
            let fetched = fetched?;
            for (wanted, commit) in wanted.iter().zip(fetched) {
                let fate = self.settle((taken, subject), wanted, commit).await?;
                found.push(Found { name: wanted.name.clone(), commit: Some(commit), fate });
            }
            found.extend(self.forget_gone(subject, &listed, most).await?);
        }
        Ok(Checked::new(pinned, found, others))
    }

    /// Where refs are here that are also there.
    async fn tips(
        &self,
        subject: &Subject,
        listed: &[(RefName, Oid)],
    ) -> Result<HashMap<RefName, Oid>, SourceFault> {
        let repositories = self.jobs.repositories().clone();
        let (project, branch) = (subject.project.id, subject.project.default_branch().to_owned());
        let names: Vec<RefName> = listed.iter().map(|(name, _)| name.clone()).collect();
        let tips = blocking(move || {
            repositories.ensure(project, &branch)?;
            let repository = repositories.open(project)?;
            let mut tips = HashMap::new();
            for name in names {
                if let Some(tip) = repository.tip(&name)? {
                    tips.insert(name, tip);
                }
            }
            Ok::<_, SourceFault>(tips)
        });
        tips.await
    }
}

impl<'a> Visit<'a> {
    async fn begin(
        sources: &'a Sources,
        (check, subject): (CheckId, &'a Subject),
        login: &'a Login,
    ) -> Result<Self, SourceFault> {
        let source = &subject.source;
        let name = source.url.host().to_string();
        let (root, key) = (sources.workspaces.clone(), login.key.clone());
        let known = subject.pinned.known_hosts(&name);
        let folder = blocking(move || {
            let folder = RemoteFolder::make(&root, check)?;
            if let Some(key) = &key {
                folder.write_key(key)?;
            }
            folder.write_known_hosts(&known)?;
            Ok::<_, std::io::Error>(folder)
        });
        let unknown = host_key_check(&subject.pinned, sources.settings.first_host_key);
        Ok(Self {
            sources,
            subject,
            login,
            folder: folder.await?,
            outlet: Outlet::open(&source.url, &sources.settings).await?,
            name,
            address: source.url.for_git(&source.username),
            unknown,
        })
    }

    fn remote(&self) -> Remote<'_> {
        let ca_file = &self.sources.settings.ca_file;
        let way = self.outlet.way(self.login, (&self.name, self.unknown), ca_file);
        Remote { git: &self.sources.git, folder: &self.folder, address: &self.address, way }
    }

    async fn list(&mut self) -> Result<Vec<(RefName, Oid)>, SourceFault> {
        let remote = self.remote();
        let listed = self.outlet.bounded(self.sources.settings.max_bytes, remote.list()).await?;
        listed.map_err(|error| self.fault(error))
    }

    /// Pins the key that the host has shown, where none was pinned; gives what is pinned by it.
    async fn pin(&mut self) -> Result<Vec<String>, SourceFault> {
        let url = self.subject.source.url.clone();
        if self.unknown != HostKeyCheck::Note || url.transport() != Transport::Ssh {
            return Ok(Vec::new());
        }
        let shown = self.folder.read_known_hosts()?;
        let unread = |_no_keys| SourceFault::NoHostKey(url.site());
        let shown = HostKeys::read(&shown, &self.name).map_err(unread)?;
        let (project, lines, to) = (self.subject.project.id, shown.to_string(), url.clone());
        let pinned = self
            .sources
            .jobs
            .db()
            .run(async move |connection| source::pin(connection, project, &to, &lines).await);
        let pinned: diesel::QueryResult<bool> = pinned.await;
        // Somebody has pinned another one meanwhile, or named another host.
        if pinned? { Ok(shown.fingerprints()) } else { Err(SourceFault::Changed) }
    }

    /// Fetches and stores what is wanted, and gives where each is. No ref is there yet.
    async fn fetch(
        &mut self,
        check: CheckId,
        wanted: &[Wanted<'_>],
    ) -> Result<Vec<Oid>, SourceFault> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let repositories = self.sources.jobs.repositories().clone();
        let project = self.subject.project.id;
        let incoming = blocking(move || repositories.incoming(project, check)).await?;
        let names: Vec<RefName> = wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let remote = self.remote();
        let fetching = remote.fetch(&incoming, &names);
        let fetched = self.outlet.bounded(self.sources.settings.max_bytes, fetching).await?;
        fetched.map_err(|error| self.fault(error))?;
        blocking(move || {
            // Before any of them is read.
            if let Some(large) = incoming.oversized()? {
                return Err(large.into());
            }
            incoming.store()?;
            let tips = (0..names.len()).map(|index| incoming.tip(index));
            Ok(tips.collect::<Result<Vec<_>, _>>()?)
        })
        .await
    }

    fn fault(&mut self, error: RemoteError) -> SourceFault {
        if let Some(refused) = self.outlet.refusal() {
            return SourceFault::Network(refused.to_string());
        }
        let Source { url, username, .. } = &self.subject.source;
        SourceFault::of(error, url, (username, &self.subject.pinned.fingerprints()))
    }
}

/// What is told of a fault; whoever runs the server reads more in its log.
fn tell(fault: &SourceFault) -> String {
    if fault.is_ours() {
        warn!("Could not check a source: {fault:?}");
    }
    fault.to_string()
}
