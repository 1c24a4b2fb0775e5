//! Values for what pods and volumes leave out.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Two levels of values (paas-yaml.md §8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// For every target.
    pub global: IndexMap<String, Option<String>>,
    /// What single targets have instead, by their names.
    pub clusters: IndexMap<String, IndexMap<String, String>>,
}

impl Defaults {
    /// The value of a key for a target.
    pub fn resolve(&self, cluster: &str, key: &str) -> Option<&str> {
        let own = self.clusters.get(cluster).and_then(|values| values.get(key));
        own.or_else(|| self.global.get(key)?.as_ref()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_its_own_values_before_those_of_all() {
        let text = r#"{"global":{"a":"1","b":"2","c":null},"clusters":{"eu":{"a":"3"}}}"#;
        let defaults: Defaults = serde_json::from_str(text).unwrap();
        assert_eq!(defaults.resolve("eu", "a"), Some("3"));
        assert_eq!(defaults.resolve("eu", "b"), Some("2"));
        assert_eq!(defaults.resolve("us", "a"), Some("1"));
        assert_eq!((defaults.resolve("eu", "c"), defaults.resolve("eu", "d")), (None, None));
    }
}
