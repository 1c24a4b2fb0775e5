//! A failure in one line: what, why, and what to do.

use std::fmt;

use crate::kubernetes::digest::{Digest, Why};
use crate::kubernetes::rollout::trouble::{Cause, Trouble};

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.object)?;
        match &self.why {
            Why::Gone => {
                f.write_str("was deleted by somebody while it was waited for; deploy again")
            }
            Why::Refused { words } => refused(words, f),
            Why::Trouble(trouble) => write!(f, "{trouble}"),
            Why::Job { reason, words } => self.job(reason, words, f),
            Why::Late { seconds } => {
                let Self { ready, wanted, .. } = self;
                match self.troubles.first() {
                    Some(trouble) => {
                        write!(f, "{ready} of {wanted} ready after {seconds} s: {trouble}")
                    }
                    None => write!(
                        f,
                        "{ready} of {wanted} ready after {seconds} s: nothing tells why; see the last \
                         events, or give it more time"
                    ),
                }
            }
        }
    }
}

impl Digest {
    fn job(&self, reason: &str, words: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.exit_code();
        match (reason, code) {
            ("DeadlineExceeded", _) => {
                f.write_str("ran longer than its time limit; raise it, or make the job shorter")
            }
            ("PodFailurePolicy", Some(code)) => write!(
                f,
                "ended with code {code}, which counts as a failure; its last lines say why"
            ),
            (_, Some(code)) => match self.troubles.first() {
                Some(
                    trouble @ Trouble { cause: Cause::Memory { .. } | Cause::Start { .. }, .. },
                ) => write!(f, "{trouble}"),
                _ => write!(f, "ended with code {code}; its last lines say why"),
            },
            (reason, None) => {
                write!(f, "failed ({reason}): {words}; see its last events")
            }
        }
    }
}

fn refused(words: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some((_, counts)) = words.split_once("exceeded quota: ") {
        return write!(
            f,
            "its pods do not fit the quota of the namespace ({counts}); ask for less, or raise it"
        );
    }
    if let Some((_, needs)) = words.split_once("failed quota: ") {
        return write!(f, "its pods are refused by a quota ({needs}); declare these resources");
    }
    write!(
        f,
        "the cluster does not create its pods: {words}; correct it, or ask who runs the cluster"
    )
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pod, words, .. } = self;
        let container = self.container.as_deref().unwrap_or_default();
        let image = self.image.as_deref().unwrap_or_default();
        match &self.cause {
            Cause::ImageName => write!(f, "`{image}` is not the name of an image; correct it"),
            Cause::Image { is_refused: true, .. } => write!(
                f,
                "the image `{image}` cannot be pulled: {}; push it, correct its name, or store the \
                 registry's password",
                tail(words)
            ),
            Cause::Image { is_refused: false, .. } => write!(
                f,
                "the image `{image}` does not come: {}; see that the cluster reaches its registry",
                tail(words)
            ),
            Cause::Config => {
                write!(
                    f,
                    "container `{container}` lacks something: {words}; declare it, or create it"
                )
            }
            Cause::Start { .. } => write!(
                f,
                "container `{container}` cannot be started: {}; correct its command",
                tail(words)
            ),
            Cause::Memory { restarts } => write!(
                f,
                "container `{container}` needs more memory than its limit{}; raise it",
                times(*restarts)
            ),
            Cause::Crash { code, restarts } => write!(
                f,
                "container `{container}` ends with code {code}{}; its last lines say why",
                times(*restarts)
            ),
            Cause::Killed { restarts } => write!(
                f,
                "container `{container}` is ended for its healthcheck{}: {words}; correct the \
                 healthcheck or what it asks",
                times(*restarts - 1)
            ),
            Cause::Mount => write!(
                f,
                "a volume of pod {pod} does not come: {}; declare what it names, or see its storage",
                tail(words)
            ),
            Cause::Unschedulable if is_about_claims(words) => {
                write!(
                    f,
                    "pod {pod} waits for its volume: {words}; see the claim and its storage class"
                )
            }
            Cause::Unschedulable => {
                write!(f, "no node takes pod {pod}: {words}; ask for less, or add nodes")
            }
            Cause::Probe => write!(
                f,
                "container `{container}` runs and is not ready: {words}; correct the healthcheck or \
                 what it asks"
            ),
            Cause::Evicted => {
                write!(f, "pod {pod} was evicted: {words}; ask for what it really needs")
            }
            Cause::Sandbox => {
                write!(f, "the node cannot make pod {pod}: {words}; ask who runs the cluster")
            }
        }
    }
}

fn is_about_claims(words: &str) -> bool {
    ["persistentvolumeclaim", "PersistentVolumeClaim", "volume"].iter().any(|it| words.contains(it))
}

fn times(restarts: i64) -> String {
    if restarts > 0 { format!(" ({} times)", restarts + 1) } else { String::new() }
}

/// Runtimes wrap their words many times; the last of them are about the matter.
fn tail(words: &str) -> &str {
    const MOST: usize = 200;
    const MARKS: [&str; 2] = ["desc = ", "ErrImagePull: "];
    let mut rest = words;
    for mark in MARKS {
        rest = rest.rsplit_once(mark).map_or(rest, |(_, tail)| tail);
    }
    while rest.len() > MOST {
        let Some((_, tail)) = rest.split_once(": ") else { break };
        rest = tail;
    }
    rest
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::kubernetes::object::ObjectRef;

    fn told(why: Why) -> String {
        let mut digest = Digest::new(ObjectRef::new("apps/v1", "Deployment", "web"), why);
        (digest.ready, digest.wanted) = (1, 3);
        digest.to_string()
    }

    #[test]
    fn each_failure_is_a_line_with_what_to_do() {
        assert_snapshot!(told(Why::Late { seconds: 600 }), @"Deployment web: 1 of 3 ready after 600 s: nothing tells why; see the last events, or give it more time");
        let refused = |words: &str| told(Why::Refused { words: words.to_owned() });
        assert_snapshot!(refused("pods \"web-1\" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2"), @"Deployment web: its pods do not fit the quota of the namespace (few, requested: pods=1, used: pods=2, limited: pods=2); ask for less, or raise it");
        assert_snapshot!(refused("pods \"web-1\" is forbidden: failed quota: few: must specify limits.cpu for: app"), @"Deployment web: its pods are refused by a quota (few: must specify limits.cpu for: app); declare these resources");
        assert_snapshot!(refused("violates PodSecurity \"restricted:latest\""), @r#"Deployment web: the cluster does not create its pods: violates PodSecurity "restricted:latest"; correct it, or ask who runs the cluster"#);
        let job = Why::Job {
            reason: "BackoffLimitExceeded".to_owned(),
            words: "Job has reached the specified backoff limit".to_owned(),
        };
        assert_snapshot!(told(job), @"Deployment web: failed (BackoffLimitExceeded): Job has reached the specified backoff limit; see its last events");
    }

    #[test]
    fn runtimes_that_wrap_their_words_are_cut_to_the_matter() {
        let words = "Back-off pulling image \"r/a:1\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"r/a:1\": failed to resolve reference \"r/a:1\": r/a:1: not found";
        assert_eq!(tail(words), words.rsplit_once("desc = ").unwrap().1);
        let long = format!("{}: {}: not found", "a".repeat(150), "b".repeat(150));
        assert_eq!(tail(&long), long.split_once(": ").unwrap().1);
    }
}
