//! Where the commits of a project come from, when nobody pushes them. What signs in there goes in and
//! never comes out.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::models::source;
use crate::domain::ids::JobNumber;
use crate::domain::source::{self as domain, CheckPurpose, Every, Fate, HostKeys, Schedule};
use crate::projects::{source_of, unset_source};
use crate::sources::Asking;
use crate::web::api::answer::{Answered, done, ok};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;
use crate::web::source::{LoginSaid, SourceSaid, check, set};

/// Where commits come from, and how the last look there went.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Source {
    url: String,
    /// Who signs in.
    username: String,
    /// Whether a key or a token signs in.
    signs_in: bool,
    /// The public half of the SSH key that signs in.
    public_key: Option<String>,
    /// Fingerprints of the keys that its host may show; those of the first look, while there are none.
    host_keys: Vec<String>,
    /// How often it is looked at, such as `5m` or `never`.
    check_every: String,
    checked_at: Option<DateTime<Utc>>,
    next_check_at: Option<DateTime<Utc>>,
    /// How many looks in a row have failed.
    failures: i32,
    /// Why the last one did.
    fault: Option<String>,
}

impl Source {
    fn new(row: source::Source) -> Self {
        let every = row.check_every.and_then(|seconds| Every::try_from(seconds).ok());
        let keys: HostKeys = row.host_keys.parse().unwrap_or_default();
        Self {
            url: row.url.to_string(),
            username: row.username,
            signs_in: row.secret.is_some(),
            public_key: row.public_key,
            host_keys: keys.fingerprints(),
            check_every: every.map_or(Schedule::Never, Schedule::Every).to_string(),
            checked_at: row.checked_at,
            next_check_at: row.next_check_at,
            failures: row.failures,
            fault: row.fault,
        }
    }
}

/// Where commits are to come from. What is not said stays as long as the address does.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceChange {
    /// `https://host/path`, `ssh://user@host/path` or `user@host:path`
    url: String,
    /// Who signs in; whoever the address names, and `git` else.
    username: Option<String>,
    /// A token, by HTTPS.
    #[schema(value_type = Option<String>)]
    token: Option<SecretString>,
    /// An SSH private key as OpenSSH writes it, without a passphrase.
    #[schema(value_type = Option<String>)]
    key: Option<SecretString>,
    /// Whether an SSH key is made, whose public half is in the answer.
    #[serde(default)]
    new_key: bool,
    /// The keys that the host may show, as `ssh-keyscan` prints them.
    host_keys: Option<String>,
    /// How often it is looked at: 5m, 1h, 1d, or `never`.
    check_every: Option<String>,
}

impl SourceChange {
    fn read(self) -> Result<SourceSaid, Problem> {
        let login = match (self.token, self.key, self.new_key) {
            (None, None, false) => LoginSaid::Nothing,
            (Some(token), None, false) => LoginSaid::Token(token),
            (None, Some(key), false) => LoginSaid::Key(key),
            (None, None, true) => LoginSaid::NewKey,
            _ => return Err(Problem::invalid("/key", "give one of token, key and new_key")),
        };
        let Self { url, username, host_keys, check_every, .. } = self;
        Ok(SourceSaid { url, username, login, host_keys, check_every })
    }
}

/// Show where the commits of a project come from.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/source", tag = "sources",
    operation_id = "show_source", responses((status = 200, body = Source)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let (db, project) = (call.db(), call.project()?.id);
    let found = call.run(async move { source_of(&db, project).await }).await?;
    let found = found.ok_or_else(|| Problem::not_found("a source of this project is"))?;
    Ok(ok(&Source::new(found)))
}

/// Say where the commits of a project come from. It takes no pushes from then on.
#[utoipa::path(
    put, path = "/projects/{account}/{project}/source", tag = "sources",
    operation_id = "set_source", request_body = SourceChange,
    responses((status = 200, body = Source)),
)]
pub(super) async fn change(mut call: Call) -> Answered {
    let said = call.body::<SourceChange>().await?.read()?;
    let (by, project) = (call.acting(), call.project()?.name());
    set(call.site(), by, project, said).await?;
    show(call).await
}

/// Have a project take pushes again. What came from its source stays.
#[utoipa::path(
    delete, path = "/projects/{account}/{project}/source", tag = "sources",
    operation_id = "unset_source", responses((status = 204, description = "It is pushed to")),
)]
pub(super) async fn unset(call: Call) -> Answered {
    let (by, name) = (call.acting(), call.project()?.name());
    call.run(async move { unset_source(&by, name).await }).await?;
    Ok(done())
}

/// What a source is looked at for.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Purpose {
    /// What is new is deployed.
    #[default]
    Deploy,
    /// Nothing is stored or deployed.
    Test,
}

/// A look at a source.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCheck {
    #[serde(default)]
    purpose: Purpose,
}

/// What a look came to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceCheck {
    /// Fingerprints of host keys that were pinned by it.
    pinned: Vec<String>,
    refs: Vec<CheckedRef>,
    /// How many refs there are that no rule speaks of.
    others: usize,
    /// How many refs there are besides, of which there is nothing to do now.
    quiet: usize,
}

/// What became of a ref.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckedRef {
    /// Its name.
    #[serde(rename = "ref")]
    name: String,
    /// Where it is; null when it is gone.
    commit: Option<String>,
    /// The job that deploys it.
    job: Option<JobNumber>,
    /// All of it in words.
    says: String,
}

impl CheckedRef {
    fn new(found: &domain::Found) -> Self {
        let job = match &found.fate {
            Fate::Deploys { job, .. } | Fate::UnderWay { job } => Some(*job),
            Fate::Tried { job } => *job,
            Fate::WouldDeploy { .. }
            | Fate::UpToDate
            | Fate::Stored { .. }
            | Fate::Protected
            | Fate::NoRule
            | Fate::NotACommit
            | Fate::Deleted
            | Fate::Kept { .. }
            | Fate::Later
            | Fate::Refused { .. } => None,
        };
        let says = found.fate.to_string();
        let commit = found.commit.map(|commit| commit.to_string());
        Self { name: found.name.to_string(), commit, job, says }
    }
}

/// Have a worker look at the source of a project, and deploy what is new. It is answered when all of it
/// came and its jobs wait, which may take minutes. What failed before is tried again.
#[utoipa::path(
    post, path = "/projects/{account}/{project}/source/checks", tag = "sources",
    operation_id = "check_source", request_body = Option<NewCheck>,
    responses(
        (status = 200, body = SourceCheck),
        (status = 409, description = "It cannot be fetched from, or nothing may be deployed"),
    ),
)]
pub(super) async fn check_now(mut call: Call) -> Answered {
    let NewCheck { purpose } = call.body_if_any().await?;
    let purpose = match purpose {
        Purpose::Deploy => CheckPurpose::Deploy,
        Purpose::Test => CheckPurpose::Test,
    };
    let bearer = call.bearer();
    let asking = Asking {
        user: Some(bearer.user.id),
        name: bearer.user.name.clone(),
        fingerprint: bearer.key(),
    };
    let what = (call.project()?.clone(), purpose);
    let came_to = check(call.site(), call.acting(), what, asking).await?;
    Ok(ok(&SourceCheck {
        pinned: came_to.pinned,
        refs: came_to.refs.iter().map(CheckedRef::new).collect(),
        others: came_to.others,
        quiet: came_to.quiet,
    }))
}
