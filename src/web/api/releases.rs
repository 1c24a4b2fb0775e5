//! Releases in people's hands: compared, and made to serve again; what runs of them, and what it prints.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::models::environment::Environment;
use crate::domain::audit::Deed;
use crate::domain::ids::ReleaseNumber;
use crate::domain::question::{LINES, Question, Told};
use crate::projects::{find_releases, live_targets};
use crate::web::api::answer::{Answered, List, ok, whole};
use crate::web::api::call::Call;
use crate::web::api::jobs::{Job, accepted};
use crate::web::api::problem::Problem;

/// Most lines of one container in an answer.
const MOST_LINES: u32 = 1_000;

/// Which release is to serve again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRollback {
    /// Its number; without one, what served before what serves now.
    #[schema(minimum = 1)]
    release: Option<i32>,
}

/// Make a release serve again, with the images and variables that it had, without a build.
///
/// It comes before all that waits. Targets, credentials and quotas are today's.
#[utoipa::path(
    post, path = "/projects/{account}/{project}/environments/{environment}/rollbacks", tag = "jobs",
    operation_id = "roll_back", request_body = Option<NewRollback>,
    responses((status = 202, body = Job, description = "It waits for a worker",
        headers(("Location" = String, description = "The job")))),
)]
pub(super) async fn roll_back(mut call: Call) -> Answered {
    let NewRollback { release } = call.body_if_any().await?;
    let project = call.project()?.clone();
    project.check_active()?;
    let environment = call.environment().await?;
    let entry = call.acting().entry(Deed::Rollback, &project.name());
    let entry = entry.with("environment", environment.name.to_string());
    let (jobs, user, key) = (call.site().jobs(), call.bearer().user.clone(), call.bearer().key());
    let release = release.map(ReleaseNumber);
    let roll_back =
        async move { jobs.roll_back(&project, &environment, release, (&user, &key)).await };
    let created = call.run(roll_back).await?;
    let job = created.job();
    let entry = entry.with("release", job.source.map(|source| source.to_string()));
    call.note(entry.with("job", job.number.0)).await?;
    Ok(accepted(job))
}

/// Which releases are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Pair {
    /// Number of the first.
    #[param(minimum = 1)]
    from: i32,
    /// Number of the other; without one, that which serves.
    #[param(minimum = 1)]
    to: Option<i32>,
}

/// How two releases differ.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Diff {
    from: i32,
    to: i32,
    /// What differs on each target.
    targets: Vec<Difference>,
}

/// How they differ on a target. Values of variables and secrets are not told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Difference {
    /// The target, by its name.
    cluster: String,
    /// All of it in a few words.
    summary: String,
    lines: Vec<String>,
}

/// Compare two releases of an environment.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/environments/{environment}/diff", tag = "projects",
    operation_id = "diff_releases", params(Pair), responses((status = 200, body = Diff)),
)]
pub(super) async fn diff(call: Call) -> Answered {
    let Pair { from, to } = call.query()?;
    let environment = call.environment().await?;
    let (db, wanted) = (call.db(), (ReleaseNumber(from), to.map(ReleaseNumber)));
    let of = environment.clone();
    let [from, to] = call.run(async move { find_releases(&db, &of, wanted).await }).await?;
    let (from, to) = (from.number, to.number);
    let told = ask(&call, environment, Question::Diff { from, to }).await?;
    let difference = |told| match told {
        Told::Difference { cluster, summary, lines } => {
            Some(Difference { cluster, summary, lines })
        }
        Told::Container { .. } | Told::Line { .. } | Told::Tried { .. } | Told::End { .. } => None,
    };
    let targets = told.into_iter().filter_map(difference).collect();
    Ok(ok(&Diff { from: from.0, to: to.0, targets }))
}

/// A container that serves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Container {
    /// The target that it is on, by its name.
    cluster: String,
    /// Its pod, as the file calls it.
    pod: String,
    /// Which replica of it.
    replica: String,
    /// As the file calls it.
    container: String,
    /// What it does, such as `running`.
    state: String,
    /// Whether it serves.
    ready: bool,
    /// How often it was started again.
    restarts: i64,
    /// When it was last started.
    since: Option<DateTime<Utc>>,
}

/// List the containers that serve.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/environments/{environment}/containers",
    tag = "projects", operation_id = "list_containers",
    responses((status = 200, body = List<Container>)),
)]
pub(super) async fn containers(call: Call) -> Answered {
    let told = ask_what_serves(&call, Question::Ps).await?;
    let container = |told| match told {
        Told::Container { of, state, ready, restarts, since } => Some(Container {
            cluster: of.cluster,
            pod: of.pod,
            replica: of.replica,
            container: of.container,
            state,
            ready,
            restarts,
            since,
        }),
        Told::Difference { .. } | Told::Line { .. } | Told::Tried { .. } | Told::End { .. } => None,
    };
    Ok(whole(told.into_iter().filter_map(container).collect()))
}

/// Whose lines, and how many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Lines {
    /// Only those of this pod, as the file calls it.
    pod: Option<String>,
    /// Most lines of each container; 100 if nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    last: Option<u32>,
}

/// A line that a container has printed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OutputLine {
    /// The target that it is on, by its name.
    cluster: String,
    /// Its pod, as the file calls it.
    pod: String,
    /// Which replica of it.
    replica: String,
    /// As the file calls it.
    container: String,
    /// The line; secrets of the releases stand there as `[secret NAME]`.
    text: String,
}

/// List the last lines that containers have printed.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/environments/{environment}/output",
    tag = "projects", operation_id = "list_output", params(Lines),
    responses((status = 200, body = List<OutputLine>)),
)]
pub(super) async fn output(call: Call) -> Answered {
    let Lines { pod, last } = call.query()?;
    let last = last.unwrap_or(LINES);
    if !(1..=MOST_LINES).contains(&last) {
        return Err(Problem::parameter("last", format!("give a number from 1 to {MOST_LINES}")));
    }
    let told = ask_what_serves(&call, Question::Tail { pod, last, follow: false }).await?;
    let line = |told| match told {
        Told::Line { of, text } => Some(OutputLine {
            cluster: of.cluster,
            pod: of.pod,
            replica: of.replica,
            container: of.container,
            text,
        }),
        Told::Difference { .. }
        | Told::Container { .. }
        | Told::Tried { .. }
        | Told::End { .. } => None,
    };
    Ok(whole(told.into_iter().filter_map(line).collect()))
}

/// Asks about an environment in which something has to serve.
async fn ask_what_serves(call: &Call, question: Question) -> Result<Vec<Told>, Problem> {
    let environment = call.environment().await?;
    let (db, of) = (call.db(), environment.clone());
    call.run(async move { live_targets(&db, &of).await }).await?;
    ask(call, environment, question).await
}

async fn ask(
    call: &Call,
    environment: Environment,
    question: Question,
) -> Result<Vec<Told>, Problem> {
    let questions = call.site().questions();
    call.run(async move { questions.ask_for_all(environment.id, question).await }).await
}
