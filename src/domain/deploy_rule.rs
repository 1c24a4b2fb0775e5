//! Which pushed ref deploys to which environment.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use crate::domain::git_ref::RefName;
use crate::domain::ids::EnvironmentId;

/// A full ref name in which `*` stands for any run of characters within one segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefPattern(String);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ref pattern: write a full name such as refs/heads/main or refs/tags/v*")]
pub struct BadRefPattern(String);

impl RefPattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the ref matches.
    pub fn matches(&self, name: &RefName) -> bool {
        let mut names = name.as_str().split('/');
        let mut patterns = self.0.split('/');
        loop {
            match (patterns.next(), names.next()) {
                (None, None) => return true,
                (Some(pattern), Some(segment)) if segment_matches(pattern, segment) => {}
                _ => return false,
            }
        }
    }

    fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }
}

/// Matches one segment: the parts between the stars must follow each other.
fn segment_matches(pattern: &str, segment: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == segment;
    };
    let Some(mut remaining) = segment.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let Some(last) = parts.pop() else {
        return false;
    };
    for part in parts {
        match remaining.split_once(part) {
            Some((_, after)) => remaining = after,
            None => return false,
        }
    }
    remaining.ends_with(last)
}

impl FromStr for RefPattern {
    type Err = BadRefPattern;

    fn from_str(text: &str) -> Result<Self, BadRefPattern> {
        // A pattern is a ref name once each star is replaced by an ordinary letter.
        match text.replace('*', "x").parse::<RefName>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(BadRefPattern(text.chars().filter(|c| !c.is_control()).collect())),
        }
    }
}

impl fmt::Display for RefPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether a rule accepts updates that drop commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Forced updates are rejected with the whole push.
    Protected,
    /// Forced updates deploy the older tip.
    Open,
}

/// "This ref deploys there."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRule {
    /// Refs it speaks of.
    pub pattern: RefPattern,
    /// Where they are deployed.
    pub environment: EnvironmentId,
    /// Higher wins among patterns that match the same ref.
    pub priority: i32,
    /// Whether forced updates are accepted.
    pub protection: Protection,
}

/// The rank of a matching rule, best first: exact, then priority, then longer, then text order.
type Rank<'a> = (bool, Reverse<i32>, Reverse<usize>, &'a RefPattern);

impl DeployRule {
    fn rank(&self) -> Rank<'_> {
        let length = Reverse(self.pattern.0.len());
        (!self.pattern.is_exact(), Reverse(self.priority), length, &self.pattern)
    }

    /// Orders rules for the case that several refs of one push deploy to one environment.
    ///
    /// The best-ranked rule deploys; ties are decided by the refs' names.
    pub fn precedes(&self, name: &RefName, other: &Self, other_name: &RefName) -> bool {
        (self.rank(), name) < (other.rank(), other_name)
    }
}

/// The rule that decides for a ref, if any matches.
pub fn choose<'a>(rules: &'a [DeployRule], name: &RefName) -> Option<&'a DeployRule> {
    rules.iter().filter(|rule| rule.pattern.matches(name)).min_by_key(|rule| rule.rank())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn rule(pattern: &str, priority: i32) -> DeployRule {
        DeployRule {
            pattern: pattern.parse().unwrap(),
            environment: EnvironmentId::from(Uuid::from_u128(1)),
            priority,
            protection: Protection::Open,
        }
    }

    fn chosen<'a>(rules: &'a [DeployRule], name: &str) -> Option<&'a str> {
        choose(rules, &name.parse().unwrap()).map(|rule| rule.pattern.as_str())
    }

    #[test]
    fn an_exact_rule_beats_priority_which_beats_length() {
        let rules = [
            rule("refs/heads/*", 9),
            rule("refs/heads/rel*", 1),
            rule("refs/heads/release", 0),
            rule("refs/heads/r*", 1),
        ];
        assert_eq!(chosen(&rules, "refs/heads/release"), Some("refs/heads/release"));
        assert_eq!(chosen(&rules, "refs/heads/rel2"), Some("refs/heads/*"));
        assert_eq!(chosen(&rules[1..], "refs/heads/rel2"), Some("refs/heads/rel*"));
    }

    #[test]
    fn a_star_stays_within_its_segment() {
        let rules = [rule("refs/heads/release/*", 0), rule("refs/tags/v*.*", 0)];
        assert_eq!(chosen(&rules, "refs/heads/release/1"), Some("refs/heads/release/*"));
        assert_eq!(chosen(&rules, "refs/heads/release/1/2"), None);
        assert_eq!(chosen(&rules, "refs/heads/release"), None);
        assert_eq!(chosen(&rules, "refs/tags/v1.2"), Some("refs/tags/v*.*"));
        assert_eq!(chosen(&rules, "refs/tags/v12"), None);
    }

    #[test]
    fn a_pattern_is_a_full_name() {
        for text in ["main", "*", "refs/remotes/*", "refs/heads/a b", ""] {
            assert!(text.parse::<RefPattern>().is_err(), "{text:?}");
        }
    }
}
