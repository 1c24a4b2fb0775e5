//! Which refs of a push deploy.

use crate::domain::deploy_rule::{DeployRule, choose};
use crate::domain::oid::Oid;
use crate::push::Update;

/// What is to be done about one ref.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice<'a> {
    /// Store or delete it; nothing is deployed.
    Change,
    /// Deploy it.
    Deploy {
        /// Where.
        rule: &'a DeployRule,
        /// What.
        new: Oid,
    },
    /// Leave it: another ref of this push deploys to the same environment.
    Outranked {
        /// The rule it would have deployed by.
        rule: &'a DeployRule,
        /// The ref that deploys.
        by: &'a Update,
    },
}

/// Chooses for every update, in their order.
///
/// Of several refs that map to one environment the best-ranked rule's deploys; ties are decided by
/// the refs' names (push.md §1).
pub(super) fn choices<'a>(rules: &'a [DeployRule], updates: &'a [Update]) -> Vec<Choice<'a>> {
    let candidate = |update: &'a Update| Some((update, choose(rules, &update.name)?, update.new?));
    let candidates: Vec<_> = updates.iter().filter_map(candidate).collect();
    let best_for = |rule: &DeployRule| {
        let rivals =
            candidates.iter().filter(|(_, other, _)| other.environment == rule.environment);
        rivals.reduce(|best, other| {
            let better = other.1.precedes(&other.0.name, best.1, &best.0.name);
            if better { other } else { best }
        })
    };
    updates
        .iter()
        .map(|update| match candidate(update) {
            None => Choice::Change,
            Some((_, rule, new)) => match best_for(rule) {
                Some((by, ..)) if by.name != update.name => Choice::Outranked { rule, by },
                Some(_) | None => Choice::Deploy { rule, new },
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::deploy_rule::Protection;

    fn rule(pattern: &str, environment: u128) -> DeployRule {
        DeployRule {
            pattern: pattern.parse().unwrap(),
            environment: Uuid::from_u128(environment).into(),
            priority: 0,
            protection: Protection::Open,
        }
    }

    fn update(name: &str) -> Update {
        let new = Some(Oid::from_bytes([1; 20]));
        Update { name: format!("refs/heads/{name}").parse().unwrap(), old: None, new }
    }

    fn words(rules: &[DeployRule], updates: &[Update]) -> Vec<String> {
        let word = |choice| match choice {
            Choice::Change => "change".to_owned(),
            Choice::Deploy { .. } => "deploy".to_owned(),
            Choice::Outranked { by, .. } => format!("outranked by {}", by.name.short()),
        };
        choices(rules, updates).into_iter().map(word).collect()
    }

    #[test]
    fn an_exact_rule_outranks_a_pattern_and_names_decide_ties() {
        let rules =
            [rule("refs/heads/main", 1), rule("refs/heads/rel*", 1), rule("refs/heads/dev", 2)];
        let updates = ["rel-b", "main", "dev", "rel-a", "topic"].map(update);
        assert_eq!(
            words(&rules, &updates),
            ["outranked by main", "deploy", "deploy", "outranked by main", "change"]
        );
        let updates = ["rel-b", "rel-a"].map(update);
        assert_eq!(words(&rules, &updates), ["outranked by rel-a", "deploy"]);
    }

    #[test]
    fn a_deletion_deploys_nothing() {
        let rules = [rule("refs/heads/main", 1)];
        let deleted = Update { new: None, ..update("main") };
        assert_eq!(words(&rules, &[deleted]), ["change"]);
    }
}
