//! An environment: its releases and how they differ, what runs of them and what that prints.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use crate::db::models::environment::Environment;
use crate::domain::access::Verb;
use crate::domain::ids::ReleaseNumber;
use crate::domain::question::{LINES, Question, Speaker, Told};
use crate::projects::{environments, find_releases, live_targets, may, releases};
use crate::web::admin::project::ReleaseRow;
use crate::web::admin::visit::{Frame, Visit, html};
use crate::web::admin::words::Moment;
use crate::web::page_error::PageError;

/// Releases on one page.
const RELEASES: i64 = 25;

/// Where an environment's pages are, and what it is called there.
struct Place {
    /// `acme/shop`.
    project: String,
    environment: String,
}

impl Place {
    fn new(visit: &Visit, environment: &Environment) -> Result<Self, PageError> {
        let project = visit.project()?.name().to_string();
        Ok(Self { project, environment: environment.name.to_string() })
    }

    /// The address of the first of them.
    fn address(&self) -> String {
        format!("/admin/projects/{}/environments/{}", self.project, self.environment)
    }
}

/// The environment of the address.
async fn environment(visit: &Visit) -> Result<Environment, PageError> {
    let (db, project) = (visit.db(), visit.project()?.clone());
    let name: String = visit.segment("environment")?;
    let all = visit.run(async move { environments(&db, &project).await }).await?;
    let found = all.into_iter().find(|environment| environment.name.as_str() == name);
    found.ok_or(PageError::NotFound)
}

/// Where the list of releases goes on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "admin/environment.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    place: Place,
    may_roll_back: bool,
    is_live: bool,
    releases: Vec<ReleaseRow>,
    /// The number of the last of these, if there are older ones.
    older: Option<String>,
}

/// `GET /admin/projects/{account}/{project}/environments/{environment}`
pub(super) async fn page(visit: Visit, part: Query<Part>) -> Result<HttpResponse, PageError> {
    let environment = environment(&visit).await?;
    let place = Place::new(&visit, &environment)?;
    let (db, who, project) = (visit.db(), visit.who(), visit.project()?.clone());
    let is_live = environment.live_release.is_some();
    let before = part.before.parse().ok();
    let read = async move {
        let may_deploy = may(&db, &who, &project, Verb::Deploy).await?;
        let rows = releases(&db, &environment, before, RELEASES + 1).await?;
        Ok::<_, PageError>((may_deploy && !project.is_suspended(), rows))
    };
    let (may_roll_back, mut rows) = visit.run(read).await?;
    let most = usize::try_from(RELEASES).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    let releases: Vec<_> = rows.into_iter().map(ReleaseRow::new).collect();
    let older = releases.last().filter(|_| has_more).map(|last| last.number.clone());
    html(&Page { frame: visit.frame("projects"), place, may_roll_back, is_live, releases, older })
}

/// Which releases are compared.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Pair {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// What differs on a target.
struct Difference {
    cluster: String,
    summary: String,
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/diff.html", config = ".askama.toml")]
struct Diff {
    frame: Frame,
    place: Place,
    from: ReleaseRow,
    to: ReleaseRow,
    targets: Vec<Difference>,
}

/// `GET /admin/projects/{account}/{project}/environments/{environment}/diff`
pub(super) async fn diff(visit: Visit, pair: Query<Pair>) -> Result<HttpResponse, PageError> {
    let environment = environment(&visit).await?;
    let place = Place::new(&visit, &environment)?;
    let read = |text: &str| {
        let number: Result<ReleaseNumber, _> = text.parse();
        number.map_err(|bad| PageError::Refused(bad.to_string()))
    };
    let to = if pair.to.is_empty() { None } else { Some(read(&pair.to)?) };
    let wanted = (read(&pair.from)?, to);
    let (db, of) = (visit.db(), environment.clone());
    let [from, to] = visit.run(async move { find_releases(&db, &of, wanted).await }).await?;
    let question = Question::Diff { from: from.number, to: to.number };
    let told = ask(&visit, environment, question).await?;
    let difference = |told| match told {
        Told::Difference { cluster, summary, lines } => {
            Some(Difference { cluster, summary, lines })
        }
        Told::Container { .. } | Told::Line { .. } | Told::Tried { .. } | Told::End { .. } => None,
    };
    html(&Diff {
        frame: visit.frame("projects"),
        place,
        from: ReleaseRow::new(from),
        to: ReleaseRow::new(to),
        targets: told.into_iter().filter_map(difference).collect(),
    })
}

/// A container that serves.
struct Container {
    of: Speaker,
    state: String,
    is_ready: bool,
    restarts: i64,
    since: Option<Moment>,
}

#[derive(Template)]
#[template(path = "admin/containers.html", config = ".askama.toml")]
struct Containers {
    frame: Frame,
    place: Place,
    containers: Vec<Container>,
}

/// `GET /admin/projects/{account}/{project}/environments/{environment}/containers`
pub(super) async fn containers(visit: Visit) -> Result<HttpResponse, PageError> {
    let environment = environment(&visit).await?;
    let place = Place::new(&visit, &environment)?;
    let told = ask_what_serves(&visit, environment, Question::Ps).await?;
    let container = |told| match told {
        Told::Container { of, state, ready, restarts, since } => {
            let since = since.map(Moment);
            Some(Container { of, state, is_ready: ready, restarts, since })
        }
        Told::Difference { .. } | Told::Line { .. } | Told::Tried { .. } | Told::End { .. } => None,
    };
    let containers = told.into_iter().filter_map(container).collect();
    html(&Containers { frame: visit.frame("projects"), place, containers })
}

/// Whose lines.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Lines {
    #[serde(default)]
    pod: String,
}

#[derive(Template)]
#[template(path = "admin/output.html", config = ".askama.toml")]
struct Output {
    frame: Frame,
    place: Place,
    /// Only of this pod, if it is named.
    pod: String,
    /// Most lines of each container.
    last: u32,
    lines: Vec<(Speaker, String)>,
}

/// `GET /admin/projects/{account}/{project}/environments/{environment}/output`
pub(super) async fn output(visit: Visit, lines: Query<Lines>) -> Result<HttpResponse, PageError> {
    let environment = environment(&visit).await?;
    let place = Place::new(&visit, &environment)?;
    let pod: String = lines.pod.trim().chars().filter(|c| !c.is_control()).collect();
    let only = Some(pod.clone()).filter(|pod| !pod.is_empty());
    let question = Question::Tail { pod: only, last: LINES, follow: false };
    let told = ask_what_serves(&visit, environment, question).await?;
    let line = |told| match told {
        Told::Line { of, text } => Some((of, text)),
        Told::Difference { .. }
        | Told::Container { .. }
        | Told::Tried { .. }
        | Told::End { .. } => None,
    };
    let lines = told.into_iter().filter_map(line).collect();
    html(&Output { frame: visit.frame("projects"), place, pod, last: LINES, lines })
}

/// Asks about an environment in which something has to serve.
async fn ask_what_serves(
    visit: &Visit,
    environment: Environment,
    question: Question,
) -> Result<Vec<Told>, PageError> {
    let (db, of) = (visit.db(), environment.clone());
    visit.run(async move { live_targets(&db, &of).await }).await?;
    ask(visit, environment, question).await
}

async fn ask(
    visit: &Visit,
    environment: Environment,
    question: Question,
) -> Result<Vec<Told>, PageError> {
    let questions = visit.site.questions();
    let asking = async move { questions.ask_for_all(environment.id, question).await };
    Ok(visit.run(asking).await?)
}
