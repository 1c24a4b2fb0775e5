//! Which refs of a project deploy where.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::deploy_rule::Protection;
use crate::domain::environment::EnvironmentName;
use crate::projects::{self, replace_rules, rules_of, version_of};
use crate::web::api::answer::{Answered, List, ok_at};
use crate::web::api::call::{Call, Expected};
use crate::web::api::problem::Problem;

/// Which refs deploy where.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeployRule {
    /// A full ref name such as refs/heads/main, `*` within a segment.
    pattern: String,
    /// Where they deploy to; made if it is not there.
    environment: EnvironmentName,
    /// Higher wins among patterns for the same ref.
    #[serde(default)]
    priority: i32,
    /// Whether pushes that drop commits are refused.
    #[serde(default)]
    protected: bool,
}

/// All rules of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeployRules {
    #[schema(max_items = 100)]
    items: Vec<DeployRule>,
}

/// Most rules of a project.
const MOST: usize = 100;

impl DeployRule {
    fn new(rule: projects::Rule) -> Self {
        Self {
            pattern: rule.pattern.to_string(),
            environment: rule.environment,
            priority: rule.priority,
            protected: rule.protection == Protection::Protected,
        }
    }

    fn read(self, place: usize) -> Result<projects::Rule, Problem> {
        let pattern = self
            .pattern
            .parse()
            .map_err(|error| Problem::invalid(format!("/items/{place}/pattern"), error))?;
        let protection = if self.protected { Protection::Protected } else { Protection::Open };
        let (environment, priority) = (self.environment, self.priority);
        Ok(projects::Rule { pattern, environment, priority, protection })
    }
}

/// List the deploy rules of a project.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/deploy-rules", tag = "projects",
    operation_id = "list_deploy_rules", responses((status = 200, body = List<DeployRule>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    shown(&call).await
}

/// Replace the deploy rules of a project: pushes from now on follow them.
#[utoipa::path(
    put, path = "/projects/{account}/{project}/deploy-rules", tag = "projects",
    operation_id = "replace_deploy_rules", request_body = DeployRules,
    responses((status = 200, body = List<DeployRule>)),
)]
pub(super) async fn replace(mut call: Call) -> Answered {
    let unchanged = match call.expected()? {
        Expected::Any => None,
        Expected::Tag(tag) => Some(tag),
    };
    let DeployRules { items } = call.body().await?;
    if items.len() > MOST {
        return Err(Problem::invalid("/items", format!("a project has at most {MOST} rules")));
    }
    let rules = items.into_iter().enumerate().map(|(place, rule)| rule.read(place));
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    let (by, project) = (call.acting(), call.project()?.clone());
    call.run(async move { replace_rules(&by, &project, rules, unchanged).await }).await?;
    shown(&call).await
}

async fn shown(call: &Call) -> Answered {
    let (db, project) = (call.db(), call.project()?.clone());
    let rules = call.run(async move { rules_of(&db, &project).await }).await?;
    let version = version_of(&rules);
    let items = rules.into_iter().map(DeployRule::new).collect();
    Ok(ok_at(&List { items, next: None }, &version))
}
