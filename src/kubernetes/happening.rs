//! What a cluster tells about its own work.

use serde_json::Value;

use crate::domain::output::clean;
use crate::kubernetes::json::{count, some_text, text};

/// Something that happened to an object, perhaps more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Kind of the object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// In a word, such as `FailedScheduling`.
    pub reason: String,
    /// What happened.
    pub words: String,
    /// How often.
    pub times: i64,
    /// When last, in RFC 3339.
    pub last: String,
    /// Whether it is something to worry about.
    pub is_warning: bool,
    pub(super) uid: String,
    /// The container of a pod it is about, if it is about one.
    pub(super) container: Option<String>,
}

impl std::fmt::Display for Happening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, name, reason, words, .. } = self;
        write!(f, "{kind} {name}: {reason}: {words}")?;
        if self.times > 1 { write!(f, " ({} times)", self.times) } else { Ok(()) }
    }
}

impl Happening {
    /// Reads an event.
    pub(super) fn of(event: &Value) -> Self {
        let times = [
            "/lastTimestamp",
            "/series/lastObservedTime",
            "/eventTime",
            "/metadata/creationTimestamp",
        ];
        let last = times.iter().filter_map(|path| some_text(event, path)).max();
        Self {
            kind: text(event, "/involvedObject/kind").to_owned(),
            name: text(event, "/involvedObject/name").to_owned(),
            uid: text(event, "/involvedObject/uid").to_owned(),
            container: container(text(event, "/involvedObject/fieldPath")),
            reason: text(event, "/reason").to_owned(),
            words: one_line(text(event, "/message")),
            times: count(event, "/count").max(count(event, "/series/count")).max(1),
            last: last.unwrap_or_default(),
            is_warning: text(event, "/type") == "Warning",
        }
    }
}

/// The container in a path such as `spec.initContainers{files}`.
fn container(path: &str) -> Option<String> {
    let (_, name) = path.strip_suffix('}')?.split_once('{')?;
    Some(name.to_owned())
}

/// Foreign words made one line that is safe to show.
pub(super) fn one_line(words: &str) -> String {
    clean(words.split_ascii_whitespace().collect::<Vec<_>>().join(" ").as_bytes())
}
