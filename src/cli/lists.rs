//! `pierhead admin list …` and `audit`.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::cli::admin_error::AdminError;
use crate::cli::{jobs, quotas, variables};
use crate::db::models::audit::{self, Entry, Wanted};
use crate::db::models::release_list::Listed;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::deploy_rule::Protection;
use crate::domain::environment::EnvironmentName;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::domain::source::{Every, HostKeys, Schedule};
use crate::people;
use crate::projects;

/// Entries of the audit log that are shown, if nobody says.
const ENTRIES: u32 = 50;

/// Releases that are shown.
const RELEASES: i64 = 20;

/// How it is said.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Form {
    /// One JSON object a line.
    #[arg(long, global = true)]
    json: bool,
}

/// What can be listed.
#[derive(Debug, Subcommand)]
pub(super) enum List {
    /// Everybody.
    Users,
    /// The keys of a person, or of everybody.
    Keys {
        /// Their e-mail address.
        email: Option<String>,
    },
    /// The tokens of a person, or of everybody.
    Tokens {
        /// Their e-mail address.
        email: Option<String>,
    },
    /// Every account, with its quotas.
    Accounts,
    /// The quotas of an account, and how much of each is used.
    Quotas {
        /// The account.
        account: AccountSlug,
    },
    /// The members of an account.
    Members {
        /// The account.
        account: AccountSlug,
    },
    /// Every project.
    Projects,
    /// The targets of a project.
    Clusters {
        /// The project, as `account/project`.
        project: ProjectName,
    },
    /// The newest releases of an environment.
    Releases {
        /// The project, as `account/project`.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
    },
    /// The newest jobs of a project, or of all of them.
    Jobs {
        /// The project, as `account/project`.
        project: Option<ProjectName>,
    },
    /// The variables of a project; of secrets, their names.
    Variables {
        /// The project, as `account/project`.
        project: ProjectName,
    },
    /// The registry of a project.
    Registry {
        /// The project, as `account/project`.
        project: ProjectName,
    },
    /// Every source of a project, and how the last look at it went.
    Sources,
    /// The deploy rules of a project.
    Rules {
        /// The project, as `account/project`.
        project: ProjectName,
    },
}

/// Which entries of the audit log.
#[derive(Debug, Args)]
pub(super) struct Entries {
    /// How many, newest first.
    #[arg(long, default_value_t = ENTRIES)]
    most: u32,
    /// Only what this person did: an e-mail address, or a name on the server.
    #[arg(long)]
    who: Option<String>,
    /// Only this, such as delete-project.
    #[arg(long, value_name = "DEED")]
    what: Option<Deed>,
    /// Only what was done to what begins with this, such as acme/.
    #[arg(long, value_name = "SUBJECT")]
    of: Option<String>,
    /// Only what was done since, such as 2026-01-31.
    #[arg(long, value_name = "DATE")]
    since: Option<Since>,
}

/// A day, or a time.
#[derive(Debug, Clone, Copy)]
struct Since(DateTime<Utc>);

/// The text is no day and no time.
#[derive(Debug, thiserror::Error)]
#[error("write 2026-01-31 or 2026-01-31T12:00:00Z")]
struct BadSince;

impl FromStr for Since {
    type Err = BadSince;

    fn from_str(text: &str) -> Result<Self, BadSince> {
        if let Ok(day) = text.parse::<NaiveDate>() {
            return Ok(Self(day.and_time(chrono::NaiveTime::MIN).and_utc()));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.to_utc()))
            .map_err(|_no_time| BadSince)
    }
}

/// Rows about to be shown: cells for a person, an object for a program.
#[derive(Default)]
pub(super) struct Table(Vec<(Vec<String>, Value)>);

impl Table {
    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = String>, value: Value) {
        self.0.push((cells.into_iter().collect(), value));
    }

    /// One row a line: columns of one width each, or JSON.
    fn text(&self, form: Form) -> String {
        let mut lines = Vec::new();
        let columns = self.0.iter().map(|(cells, _)| cells.len()).max().unwrap_or_default();
        let cell = |row: &[String], at: usize| row.get(at).map_or(0, |cell| cell.chars().count());
        let widths: Vec<usize> = (0..columns)
            .map(|at| self.0.iter().map(|(row, _)| cell(row, at)).max().unwrap_or_default())
            .collect();
        for (row, value) in &self.0 {
            if form.json {
                lines.push(value.to_string());
            } else {
                let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
                lines.push(padded.collect::<Vec<_>>().join("  ").trim_end().to_owned());
            }
        }
        lines.join("\n")
    }
}

fn day(date: DateTime<Utc>) -> String {
    date.format("%Y-%m-%d").to_string()
}

/// `disabled 2026-01-31`, or nothing.
fn since(word: &str, date: Option<DateTime<Utc>>) -> String {
    date.map(|date| format!("{word} {}", day(date))).unwrap_or_default()
}

impl List {
    /// The rows, one a line.
    pub(super) async fn run(self, db: &Db, form: Form) -> Result<String, AdminError> {
        let mut table = Table::default();
        match self {
            Self::Users => users(&mut table, db).await?,
            Self::Keys { email } => keys(&mut table, db, email).await?,
            Self::Tokens { email } => tokens(&mut table, db, email).await?,
            Self::Accounts => accounts(&mut table, db).await?,
            Self::Quotas { account } => quotas::list(&mut table, db, account).await?,
            Self::Members { account } => {
                for (user, role) in projects::members(db, account).await? {
                    let value = json!({"email": user.email, "name": user.name, "role": role});
                    let disabled = since("disabled", user.disabled_at);
                    table.push([user.email, role.to_string(), user.name, disabled], value);
                }
            }
            Self::Projects => {
                for project in projects::all(db).await? {
                    let name = project.name().to_string();
                    let state = match (project.is_deleted(), project.is_suspended()) {
                        (true, _) => "deleted",
                        (false, true) => "suspended",
                        (false, false) => "",
                    };
                    let value = json!({"id": project.id, "project": name, "prefix": project.prefix,
                        "default_branch": project.default_branch(), "state": state});
                    let branch = project.default_branch().to_owned();
                    table.push([name, branch, project.prefix, state.to_owned()], value);
                }
            }
            Self::Jobs { project } => jobs::list(&mut table, db, project).await?,
            Self::Variables { project } => variables::list(&mut table, db, project).await?,
            Self::Sources => sources(&mut table, db).await?,
            Self::Registry { project } => {
                let project = projects::named(db, project).await?;
                if let Some(registry) = projects::registry_of(db, &project).await? {
                    let username = registry.login.map(|login| login.username);
                    let address = registry.address.to_string();
                    let value = json!({"address": address, "username": username,
                        "plain_http": registry.plain_http});
                    table.push([address, username.unwrap_or_default()], value);
                }
            }
            Self::Clusters { project } => {
                for (cluster, environment) in projects::clusters(db, project).await? {
                    let value = json!({"name": cluster.name, "environment": environment,
                        "kind": cluster.kind, "address": cluster.address,
                        "namespace": cluster.namespace, "signs_in": cluster.credentials.is_some()});
                    let kind = cluster.kind.to_string();
                    let (name, environment) = (cluster.name, environment.to_string());
                    table
                        .push([name, environment, kind, cluster.address, cluster.namespace], value);
                }
            }
            Self::Releases { project, environment } => {
                let project = projects::named(db, project).await?;
                let environment = projects::find_environment(db, &project, environment).await?;
                for release in projects::releases(db, &environment, None, RELEASES).await? {
                    releases(&mut table, release);
                }
            }
            Self::Rules { project } => {
                for (rule, environment) in projects::rules(db, project).await? {
                    let protected = rule.protection == Protection::Protected;
                    let (pattern, priority) = (rule.pattern.to_string(), rule.priority);
                    let value = json!({"pattern": pattern, "environment": environment,
                        "priority": priority, "protected": protected});
                    let word = if protected { "protected" } else { "" }.to_owned();
                    let environment = environment.to_string();
                    table.push([pattern, environment, priority.to_string(), word], value);
                }
            }
        }
        Ok(table.text(form))
    }
}

fn releases(table: &mut Table, release: Listed) {
    let value = json!(release);
    let Listed { number, state, commit_oid, job, pusher, subject, source, .. } = release;
    let since = day(release.live_at.unwrap_or(release.created_at));
    let again = source.map(|source| format!("{source} again")).unwrap_or_default();
    let cells = [number.to_string(), state.to_string(), commit_oid.short(), since];
    table.push(cells.into_iter().chain([format!("job {job}"), pusher, again, subject]), value);
}

async fn users(table: &mut Table, db: &Db) -> Result<(), AdminError> {
    for user in people::users(db).await? {
        let standing = if user.administrator { "administrator" } else { "" }.to_owned();
        let state = match user.deleted_at {
            Some(_) => since("deleted", user.deleted_at),
            None => since("disabled", user.disabled_at),
        };
        let value = json!({"id": user.id, "email": user.email, "name": user.name,
            "administrator": user.administrator, "disabled_at": user.disabled_at,
            "deleted_at": user.deleted_at});
        table.push([user.email, user.name, standing, state], value);
    }
    Ok(())
}

async fn keys(table: &mut Table, db: &Db, email: Option<String>) -> Result<(), AdminError> {
    for (key, email, names) in people::keys(db, email).await? {
        let of = match (key.all_projects, names.is_empty()) {
            (true, _) => "all projects".to_owned(),
            (false, true) => "no project".to_owned(),
            (false, false) => names.join(", "),
        };
        let value = json!({"user": email, "key": key, "projects": names});
        let used =
            key.last_used_at.map_or_else(|| "never used".to_owned(), |at| since("used", Some(at)));
        let ends = match key.revoked_at {
            Some(_) => since("revoked", key.revoked_at),
            None => since("until", key.expires_at),
        };
        let access = key.access.to_string();
        table.push([email, key.fingerprint, key.name, access, of, used, ends], value);
    }
    Ok(())
}

async fn tokens(table: &mut Table, db: &Db, email: Option<String>) -> Result<(), AdminError> {
    for listed in people::tokens(db, email).await? {
        let (of, token) = (listed.of(), listed.token);
        let value = json!({"user": listed.email, "id": token.id, "name": token.name,
            "access": token.access, "account": listed.account,
            "project": listed.project.map(|name| name.to_string()),
            "created_at": token.created_at, "expires_at": token.expires_at,
            "last_used_at": token.last_used_at, "last_used_from": token.last_used_from});
        let used = token
            .last_used_at
            .map_or_else(|| "never used".to_owned(), |at| since("used", Some(at)));
        let (id, access) = (token.id.to_string(), token.access.to_string());
        let ends = since("until", Some(token.expires_at));
        table.push([listed.email, id, token.name, access, of, used, ends], value);
    }
    Ok(())
}

async fn sources(table: &mut Table, db: &Db) -> Result<(), AdminError> {
    for (project, source) in projects::sources(db).await? {
        let name = project.name().to_string();
        let every = source.check_every.and_then(|seconds| Every::try_from(seconds).ok());
        let schedule = every.map_or(Schedule::Never, Schedule::Every);
        let keys: HostKeys = source.host_keys.parse().unwrap_or_default();
        let value = json!({"project": name, "url": source.url, "username": source.username,
            "signs_in": source.secret.is_some(), "public_key": source.public_key,
            "host_keys": keys.fingerprints(), "check_every": schedule.to_string(),
            "checked_at": source.checked_at, "next_check_at": source.next_check_at,
            "failures": source.failures, "fault": source.fault});
        let every = match schedule {
            Schedule::Never => "when asked".to_owned(),
            Schedule::Every(every) => format!("every {every}"),
        };
        let at = |date: DateTime<Utc>| format!("checked {}", date.format("%Y-%m-%d %H:%M"));
        let checked = source.checked_at.map_or_else(|| "never checked".to_owned(), at);
        let fault = source.fault.map(|fault| format!("failed: {fault}")).unwrap_or_default();
        table.push([name, source.url.to_string(), every, checked, fault], value);
    }
    Ok(())
}

async fn accounts(table: &mut Table, db: &Db) -> Result<(), AdminError> {
    for (account, quotas) in projects::accounts(db).await? {
        let state = match account.deleted_at {
            Some(_) => since("deleted", account.deleted_at),
            None => since("suspended", account.suspended_at),
        };
        let rows: Vec<String> = quotas.iter().map(ToString::to_string).collect();
        let value = json!({"account": account, "quotas": quotas});
        let namespace = account.default_namespace();
        table.push(
            [account.slug.to_string(), account.name, namespace, rows.join(" "), state],
            value,
        );
    }
    Ok(())
}

impl Entries {
    /// The entries, one a line.
    pub(super) async fn run(self, db: &Db, form: Form) -> Result<String, AdminError> {
        let wanted = Wanted {
            who: self.who,
            deed: self.what,
            subject: self.of,
            since: self.since.map(|Since(time)| time),
            before: None,
        };
        let most = i64::from(self.most);
        let entries =
            db.run(async move |connection| audit::newest(connection, &wanted, most).await).await?;
        let mut table = Table::default();
        for entry in entries {
            let date = entry.date.format("%Y-%m-%d %H:%M:%S").to_string();
            let value = json!(entry);
            let Entry { who, origin, door, deed, subject, details, .. } = entry;
            let is_empty = details.as_object().is_some_and(Map::is_empty);
            let details = if is_empty { String::new() } else { details.to_string() };
            let from = format!("{door} from {origin}");
            table.push([date, who, from, deed.to_string(), subject, details], value);
        }
        Ok(table.text(form))
    }
}
