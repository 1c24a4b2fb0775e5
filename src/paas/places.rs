//! Where the things of a file stand in its text, for whoever speaks of them later.

use std::collections::BTreeMap;

use crate::paas::node::{Content, Node};

/// Deepest things that are remembered: `jobs.a.pods.b.containers.c.healthcheck.probe`.
const DEEPEST: usize = 8;

/// Lines of the text, by paths such as `pods.web.containers.app`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Paths as they are written and their lines, by themselves without capital letters.
    things: BTreeMap<String, (String, usize)>,
}

impl Places {
    /// Of everything in a file that has parts.
    pub(super) fn of(root: &Node) -> Self {
        let mut places = Self::default();
        places.add(root, "", 1);
        places
    }

    fn add(&mut self, node: &Node, above: &str, depth: usize) {
        let Content::Mapping(entries) = &node.content else { return };
        for entry in entries {
            if matches!(entry.value.content, Content::Scalar(_) | Content::Poisoned) {
                continue;
            }
            let dot = if above.is_empty() { "" } else { "." };
            let path = format!("{above}{dot}{}", entry.key.text.value);
            // What is not in the file is where that is from which it comes.
            if entry.key.place.line > 0 {
                let thing = (path.clone(), entry.key.place.line);
                self.things.insert(path.to_ascii_lowercase(), thing);
            }
            if depth < DEEPEST {
                self.add(&entry.value, &path, depth + 1);
            }
        }
    }

    /// The line of a thing, or of the nearest one around it that is in the file, and its path as it
    /// is written there.
    ///
    /// Targets write names without capital letters.
    pub fn find(&self, path: &str) -> Option<(usize, String)> {
        let sought = path.to_ascii_lowercase();
        let mut around = sought.as_str();
        loop {
            if let Some((written, line)) = self.things.get(around) {
                let below = path.get(around.len()..).unwrap_or_default();
                return Some((*line, format!("{written}{below}")));
            }
            (around, _) = around.rsplit_once('.')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::paas::{Context, compile};

    #[test]
    fn a_thing_is_at_its_key_or_at_that_of_the_nearest_thing_around_it() {
        let text = "paas: {version: v1.1}
pods:
  if{A=b}:
    web:
      containers:
        App:
          image: busybox
          healthcheck: &check
            initial-delay-seconds: 0
            period-seconds: 1
            probe: {tcp: {port: 80}}
  api: {containers: {app: {image: busybox, healthcheck: *check}}}
";
        let variables = serde_json::from_value(serde_json::json!({"A": "b"})).unwrap();
        let context = Context { variables, ..Context::default() };
        let places = compile(text.as_bytes(), &context).unwrap().places;
        for (path, line, written) in [
            ("pods.web", 4, "pods.web"),
            ("pods.web.containers.app", 6, "pods.web.containers.App"),
            ("pods.web.containers.app.healthcheck", 8, "pods.web.containers.App.healthcheck"),
            ("pods.web.containers.app.image", 6, "pods.web.containers.App.image"),
            ("pods.api.containers.app.healthcheck", 12, "pods.api.containers.app.healthcheck"),
            ("pods.gone.containers.app", 2, "pods.gone.containers.app"),
        ] {
            assert_eq!(places.find(path), Some((line, written.to_owned())), "{path}");
        }
        assert_eq!(places.find("services.web"), None);
        assert_eq!(places.find(""), None);
    }
}
