//! Which ref deploys where.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db::schema::deploy_rules;
use crate::domain::deploy_rule::{DeployRule, Protection, RefPattern};
use crate::domain::ids::{EnvironmentId, ProjectId};

/// The enabled rules of a project, by pattern.
///
/// # Errors
///
/// When the database does not answer.
pub async fn of_project(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
) -> QueryResult<Vec<DeployRule>> {
    let rows: Vec<(RefPattern, EnvironmentId, i32, bool)> = deploy_rules::table
        .filter(deploy_rules::project_id.eq(project))
        .filter(deploy_rules::enabled)
        .order(deploy_rules::ref_pattern)
        .select((
            deploy_rules::ref_pattern,
            deploy_rules::environment_id,
            deploy_rules::priority,
            deploy_rules::protected,
        ))
        .load(connection)
        .await?;
    let rule = |(pattern, environment, priority, protected)| DeployRule {
        pattern,
        environment,
        priority,
        protection: if protected { Protection::Protected } else { Protection::Open },
    };
    Ok(rows.into_iter().map(rule).collect())
}

/// Whether a project has any rule, enabled or not.
///
/// # Errors
///
/// When the database does not answer.
pub async fn exist(connection: &mut AsyncPgConnection, project: ProjectId) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(
        deploy_rules::table.filter(deploy_rules::project_id.eq(project)),
    ))
    .get_result(connection)
    .await
}

/// Adds a rule, or changes the one for the same pattern.
///
/// # Errors
///
/// When the database does not answer.
pub async fn set(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    rule: &DeployRule,
) -> QueryResult<()> {
    let values = (
        deploy_rules::environment_id.eq(rule.environment),
        deploy_rules::priority.eq(rule.priority),
        deploy_rules::protected.eq(rule.protection == Protection::Protected),
    );
    diesel::insert_into(deploy_rules::table)
        .values((
            deploy_rules::id.eq(Uuid::now_v7()),
            deploy_rules::project_id.eq(project),
            deploy_rules::ref_pattern.eq(&rule.pattern),
            values,
        ))
        .on_conflict((deploy_rules::project_id, deploy_rules::ref_pattern))
        .do_update()
        .set(values)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes a rule away; whether it was there.
///
/// # Errors
///
/// When the database does not answer.
pub async fn delete(
    connection: &mut AsyncPgConnection,
    project: ProjectId,
    pattern: &RefPattern,
) -> QueryResult<bool> {
    diesel::delete(deploy_rules::table)
        .filter(deploy_rules::project_id.eq(project))
        .filter(deploy_rules::ref_pattern.eq(pattern))
        .execute(connection)
        .await
        .map(|rows| rows > 0)
}
