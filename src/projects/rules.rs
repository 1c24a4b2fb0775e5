//! All deploy rules of a project at once.

use diesel_async::AsyncPgConnection;

use crate::db::acting::Acting;
use crate::db::lock::RepositoryLock;
use crate::db::models::deploy_rule;
use crate::db::models::environment::Environment;
use crate::db::models::project::Project;
use crate::db::pool::Db;
use crate::domain::audit::Deed;
use crate::domain::deploy_rule::{DeployRule, Protection, RefPattern};
use crate::domain::digest::Digest;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::ProjectId;
use crate::projects::ProjectError;

/// What becomes of the refs of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Refs it speaks of.
    pub pattern: RefPattern,
    /// Where they deploy to.
    pub environment: EnvironmentName,
    /// Higher wins.
    pub priority: i32,
    /// Whether forced updates are accepted.
    pub protection: Protection,
}

/// The enabled rules of a project, by pattern.
///
/// # Errors
///
/// When the database does not answer.
pub async fn rules_of(db: &Db, project: &Project) -> Result<Vec<Rule>, ProjectError> {
    let id = project.id;
    db.run(async move |connection| read(connection, id).await).await
}

async fn read(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> Result<Vec<Rule>, ProjectError> {
    let environments = Environment::of_project(connection, project).await?;
    let named = |rule: DeployRule| {
        let environment = environments.iter().find(|row| row.id == rule.environment)?;
        let environment = environment.name.clone();
        let DeployRule { pattern, priority, protection, .. } = rule;
        Some(Rule { pattern, environment, priority, protection })
    };
    let rules = deploy_rule::of_project(connection, project).await?;
    Ok(rules.into_iter().filter_map(named).collect())
}

/// What tells one state of a project's rules from another.
pub fn version_of(rules: &[Rule]) -> String {
    let mut text = String::new();
    for Rule { pattern, environment, priority, protection } in rules {
        text.push_str(&format!("{pattern} {environment} {priority} {protection:?}\n"));
    }
    Digest::of(text.as_bytes()).hex().to_owned()
}

/// Makes these the rules of a project; `unchanged` is the state that they are made from.
///
/// # Errors
///
/// When the rules changed meanwhile, two have one pattern, or the database does not answer.
pub async fn replace_rules(
    by: &Acting,
    project: &Project,
    rules: Vec<Rule>,
    unchanged: Option<String>,
) -> Result<(), ProjectError> {
    for (place, rule) in rules.iter().enumerate() {
        if rules.iter().take(place).any(|other| other.pattern == rule.pattern) {
            return Err(ProjectError::RuleTwice(rule.pattern.to_string()));
        }
    }
    let (id, name) = (project.id, project.name().to_string());
    // One entry for each rule that is set or goes; a repeat finds the first.
    let first = by.entry(Deed::SetRule, &name);
    let by = by.clone();
    by.db
        .clone()
        .transaction(async move |connection| {
            // Two that replace them come one after the other.
            let _lock = RepositoryLock::take(connection, id).await?;
            if first.is_noted(connection).await? {
                return Ok(());
            }
            let before = read(connection, id).await?;
            if unchanged.as_ref().is_some_and(|known| *known != version_of(&before)) {
                return Err(ProjectError::Changed(format!("the rules of {name}")));
            }
            for gone in before
                .iter()
                .filter(|rule| !rules.iter().any(|other| other.pattern == rule.pattern))
            {
                deploy_rule::delete(connection, id, &gone.pattern).await?;
                let entry = by.entry(Deed::DeleteRule, &name);
                let entry = entry.with("pattern", gone.pattern.to_string());
                entry.insert(connection).await?;
            }
            let mut entry = Some(first);
            for rule in rules.iter().filter(|rule| !before.contains(rule)) {
                let environment = Environment::ensure(connection, id, &rule.environment).await?.id;
                let Rule { pattern, priority, protection, .. } = rule.clone();
                let row = DeployRule { pattern, environment, priority, protection };
                deploy_rule::set(connection, id, &row).await?;
                let entry = entry.take().unwrap_or_else(|| by.entry(Deed::SetRule, &name));
                entry
                    .with("pattern", rule.pattern.to_string())
                    .with("environment", rule.environment.to_string())
                    .with("priority", rule.priority)
                    .with("protected", rule.protection == Protection::Protected)
                    .insert(connection)
                    .await?;
            }
            Ok(())
        })
        .await
}
