//! Whose the objects of a deployment are.

use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::kubernetes::Owner;
use crate::manifests::{Object, Settings};

/// Says of every object of this product that it is one.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Whose nearly all of them are.
pub(super) fn of_environment(
    settings: &Settings,
    (project, environment): (ProjectId, EnvironmentId),
) -> Owner {
    let labels = [
        (settings.key("project"), project.to_string()),
        (settings.key("environment"), environment.to_string()),
    ];
    Owner { labels }
}

/// Whose a quota is: the account's that it names, which may have more in the namespace than one
/// environment (deployment.md §4.0.9).
pub(super) fn of_account(settings: &Settings, quota: &Object) -> Owner {
    let known = quota.labels();
    let labels = [settings.key("account"), MANAGED_BY.to_owned()].map(|name| {
        let value = known.get(name.as_str()).copied().unwrap_or_default().to_owned();
        (name, value)
    });
    Owner { labels }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn quota(labels: &Value) -> Value {
        let metadata = json!({"name": "paas-quota", "namespace": "shops", "labels": labels});
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata})
    }

    #[test]
    fn a_quota_is_its_account_s_whichever_environment_applies_it() {
        let of = |account: &str| json!({"pierhead.dev/account": account, MANAGED_BY: "pierhead"});
        let own = quota(&of("acme"));
        let object: Object = serde_json::from_value(own.clone()).unwrap();
        let settings = Settings::default();
        let account = of_account(&settings, &object);
        assert!(account.owns(&own));
        let by_hand = json!({"pierhead.dev/account": "acme"});
        for other in [of("other"), by_hand, json!({})] {
            assert!(!account.owns(&quota(&other)), "{other}");
        }
        let nobody = (Uuid::nil().into(), Uuid::nil().into());
        assert!(!of_environment(&settings, nobody).owns(&own));
    }
}
