//! Asks a registry again that is overloaded, or stumbled.
//!
//! An engine sends and gets layers again by itself, up to five times within 50 seconds, when a
//! registry answers 5xx; at 429 it gives up, at most after a second try at once. It asks but once
//! for a manifest and how to sign in, and sends a configuration but once. How long it
//! should wait the registry may say, but the engine does not pass it on.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::building::send;

/// Pauses before a registry is asked again.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What may come of asking once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope<'w> {
    /// The registry did as it was told, and somebody else was faster.
    AtOnce,
    /// It is overloaded, or stumbled, in these words.
    Later(&'w str),
    /// It refused in these words; or it stumbled when it was to say how to sign in, so that nobody
    /// did.
    OnceMore(&'w str),
    /// It refused.
    None,
}

impl<'w> Hope<'w> {
    /// What may come of it after a refusal in these words.
    pub(super) fn after(words: &'w str) -> Self {
        let lower = words.to_ascii_lowercase();
        let is_status = |word: &str| {
            let digits = word.trim_end_matches([':', ',', '.']);
            let is_number = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
            is_number && (digits == "429" || digits.starts_with('5'))
        };
        let overload = ["toomanyrequests", "too many requests"];
        let is_overload = overload.iter().any(|text| lower.contains(text));
        if is_overload || lower.split_whitespace().any(is_status) {
            Self::Later(words)
        } else if lower.contains("unauthorized: authentication required") {
            Self::OnceMore(words)
        } else {
            Self::None
        }
    }
}

/// Why a registry did not give or take something.
pub(super) trait Refusal {
    /// What may come of asking once more.
    fn hope(&self) -> Hope<'_>;
}

/// Asks a registry for an image or to take it, and a few times again, with pauses that grow, while
/// there is hope.
pub(super) async fn ask<T, E, F>(
    reference: &str,
    once: impl Fn() -> F,
    lines: &mpsc::Sender<String>,
) -> Result<T, E>
where
    E: Refusal,
    F: Future<Output = Result<T, E>>,
{
    for (turn, pause) in PAUSES.into_iter().enumerate() {
        let error = match once().await {
            Err(error) => error,
            done => return done,
        };
        match error.hope() {
            Hope::None => return Err(error),
            Hope::OnceMore(_) if turn > 0 => return Err(error),
            Hope::AtOnce => {}
            Hope::OnceMore(words) | Hope::Later(words) => {
                // A terminal cuts long lines: the name comes last.
                let pause_seconds = pause.as_secs();
                let line = format!("trying again in {pause_seconds} s: {words} ({reference})");
                send([line], lines).await;
                tokio::time::sleep(pause).await;
            }
        }
    }
    once().await
}

/// Pauses of the engine, which counts their seconds down, for every layer. Each is longer than the
/// one before.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    /// The longest so far.
    longest: u64,
}

impl Countdown {
    /// Whether the engine says that it is going to ask again.
    pub(super) fn counts(status: &str) -> bool {
        seconds(status).is_some()
    }

    /// Whether it says so with a pause that was told, or with what is left of one.
    pub(super) fn goes_on(&mut self, status: &str) -> bool {
        let Some(seconds) = seconds(status) else { return false };
        let goes_on = seconds <= self.longest;
        self.longest = self.longest.max(seconds);
        goes_on
    }
}

/// How long the engine pauses before it asks again.
fn seconds(status: &str) -> Option<u64> {
    status.strip_prefix("Retrying in ")?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_stumbled_is_asked_again_and_one_that_refused_is_not() {
        for words in [
            "received unexpected HTTP status: 503 Service Unavailable",
            "unexpected status from HEAD request to http://r/v2/a/manifests/1: 500 Internal Server Error",
            "unexpected status code [manifests 1]: 502",
            "error parsing HTTP 429 response body: unexpected end of JSON input: \"\"",
            "toomanyrequests: slow down",
        ] {
            assert_eq!(Hope::after(words), Hope::Later(words), "{words}");
        }
        let nobody = "unauthorized: authentication required";
        assert_eq!(Hope::after(nobody), Hope::OnceMore(nobody));
        for words in ["denied: requested access", "dial tcp 10.0.0.1:5000: connection refused"] {
            assert_eq!(Hope::after(words), Hope::None, "{words}");
        }
    }

    #[test]
    fn pauses_of_the_engine_are_told_where_they_begin() {
        let mut countdown = Countdown::default();
        let told: Vec<_> = [5, 5, 4, 3, 2, 1, 10, 9, 10, 1]
            .map(|seconds| format!("Retrying in {seconds} seconds"))
            .into_iter()
            .filter(|status| !countdown.goes_on(status))
            .collect();
        assert_eq!(told, ["Retrying in 5 seconds", "Retrying in 10 seconds"]);
        assert!(!countdown.goes_on("Pull complete"));
        assert!(!Countdown::counts("Pull complete"));
    }
}
