//! A project: where to push, what serves, what deploys where, what happened.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use crate::db::models::job_list;
use crate::db::models::release_list::Listed;
use crate::db::models::source::Source;
use crate::domain::access::Verb;
use crate::domain::cluster::Cluster;
use crate::domain::deploy_rule::Protection;
use crate::projects::{
    JobsWanted, Rule, Target, environments, jobs_seen, may, releases, rules_of, serving, source_of,
    targets, variables,
};
use crate::web::admin::source::SourceRow;
use crate::web::admin::variables::VariableRow;
use crate::web::admin::visit::{Frame, Visit, shown};
use crate::web::admin::words::{Done, JobRow, Moment, serves};
use crate::web::page_error::PageError;

/// Jobs that are shown.
const JOBS: i64 = 20;

/// Releases of an environment that are shown.
const RELEASES: i64 = 5;

/// An environment.
struct Place {
    name: String,
    serves: Option<String>,
    /// Targets, by name and kind.
    targets: Vec<String>,
    releases: Vec<ReleaseRow>,
}

/// A release in a list.
pub(super) struct ReleaseRow {
    pub(super) number: String,
    pub(super) state: String,
    pub(super) commit: String,
    pub(super) subject: String,
    pub(super) pusher: String,
    pub(super) job: i64,
    pub(super) date: Moment,
    /// The release of which it is one more.
    pub(super) source: Option<String>,
}

impl ReleaseRow {
    pub(super) fn new(release: Listed) -> Self {
        Self {
            number: release.number.to_string(),
            state: release.state.as_str().to_owned(),
            commit: release.commit_oid.short(),
            date: Moment(release.live_at.unwrap_or(release.created_at)),
            subject: release.subject,
            pusher: release.pusher,
            job: release.job.0,
            source: release.source.map(|source| source.to_string()),
        }
    }
}

pub(super) struct RuleRow {
    pub(super) pattern: String,
    pub(super) environment: String,
    pub(super) priority: i32,
    pub(super) is_protected: bool,
}

impl RuleRow {
    pub(super) fn new(rule: &Rule) -> Self {
        Self {
            pattern: rule.pattern.to_string(),
            environment: rule.environment.to_string(),
            priority: rule.priority,
            is_protected: rule.protection == Protection::Protected,
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks each of them")]
#[derive(Template)]
#[template(path = "admin/project.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    account: String,
    slug: String,
    url: String,
    default_branch: String,
    prefix: String,
    is_suspended: bool,
    may_deploy: bool,
    places: Vec<Place>,
    rules: Vec<RuleRow>,
    variables: Vec<VariableRow>,
    jobs: Vec<JobRow>,
    shows_project: bool,
    source: Option<SourceRow>,
    may_change: bool,
    refusal: Option<String>,
}

/// What is read for the page.
struct Rows {
    /// Whether they may deploy it, and change it.
    rights: [bool; 2],
    places: Vec<Place>,
    rules: Vec<RuleRow>,
    variables: Vec<VariableRow>,
    jobs: Vec<job_list::Listed>,
    source: Option<Source>,
}

async fn read(visit: &Visit) -> Result<Rows, PageError> {
    let (db, who, project) = (visit.db(), visit.who(), visit.project()?.clone());
    let read = async move {
        let rights = [
            may(&db, &who, &project, Verb::Deploy).await?,
            may(&db, &who, &project, Verb::ChangeProject).await?,
        ];
        let source = source_of(&db, project.id).await?;
        let known = environments(&db, &project).await?;
        let targets = targets(&db, &project).await?;
        let mut places = Vec::new();
        for (environment, place) in known.iter().zip(serving(&db, &project).await?) {
            let own = targets.iter().filter(|target| target.environment == environment.name);
            let newest = releases(&db, environment, None, RELEASES).await?;
            places.push(Place {
                serves: place.live.map(|live| serves((live.number, live.commit_oid))),
                targets: own.map(|Target { cluster, .. }| named(cluster)).collect(),
                releases: newest.into_iter().map(ReleaseRow::new).collect(),
                name: environment.name.to_string(),
            });
        }
        let rules = rules_of(&db, &project).await?.iter().map(RuleRow::new).collect();
        let all = variables(&db, &project).await?;
        let variables = all.into_iter().map(|one| VariableRow::new(one, &known)).collect();
        let wanted = JobsWanted { project: Some(project.id), ..JobsWanted::default() };
        let jobs = jobs_seen(&db, &who, wanted, JOBS).await?;
        Ok::<_, PageError>(Rows { rights, places, rules, variables, jobs, source })
    };
    visit.run(read).await
}

fn named(cluster: &Cluster) -> String {
    format!("{} ({})", cluster.name, cluster.kind)
}

/// A project's page, with why a form of it was not taken.
pub(super) async fn show(
    visit: &Visit,
    done: Option<&'static str>,
    refusal: Option<String>,
) -> Result<HttpResponse, PageError> {
    let Rows { rights: [may_deploy, may_change], places, rules, variables, jobs, source } =
        read(visit).await?;
    let project = visit.project()?;
    let ssh = &visit.site.parts().ssh;
    let (user, host, port) = (&ssh.user, &ssh.host, ssh.port);
    let page = Page {
        frame: visit.frame("projects"),
        done,
        account: project.account.to_string(),
        slug: project.slug.to_string(),
        url: format!("ssh://{user}@{host}:{port}/{}", project.name()),
        default_branch: project.default_branch().to_owned(),
        prefix: project.prefix.clone(),
        is_suspended: project.is_suspended(),
        may_deploy,
        places,
        rules,
        variables,
        jobs: jobs.into_iter().map(JobRow::new).collect(),
        shows_project: false,
        source: source.map(SourceRow::new),
        may_change,
        refusal,
    };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/projects/{account}/{project}`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, done.words(), None).await
}
