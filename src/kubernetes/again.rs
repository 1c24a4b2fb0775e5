//! Whether a cluster is asked again, and after how long.
//!
//! An API server is restarted, upgraded or overloaded while a deployment runs; what can be said
//! twice is said again until patience ends. What it refused is not.

use std::time::Duration;

/// First pause; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause that is not asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Tries of what a server failed at without being away: the same request may well be the cause.
const TRIES_OF_A_FAULT: u32 = 4;

/// Why a call did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setback {
    /// Nobody answered, or not in time.
    Away,
    /// It is overloaded, starting or stopping, and may have said for how long.
    Busy(Option<Duration>),
    /// Somebody else changed the object meanwhile.
    Crossed,
    /// It failed.
    Fault,
}

impl Setback {
    /// What an answer's status says; `None` if it is an answer.
    pub(super) fn of(status: u16, retry_after: Option<Duration>) -> Option<Self> {
        match status {
            429 | 502..=504 => Some(Self::Busy(retry_after)),
            500.. => Some(Self::Fault),
            _ => None,
        }
    }

    /// The pause before the next try, after so many, in what is left of patience.
    pub(super) fn pause(self, tries: u32, left: Duration) -> Option<Duration> {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let own = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        let pause = match self {
            Self::Busy(Some(asked)) => asked,
            Self::Away | Self::Busy(None) => own,
            Self::Crossed | Self::Fault if tries < TRIES_OF_A_FAULT => own,
            Self::Crossed | Self::Fault => return None,
        };
        (pause <= left).then_some(pause)
    }
}

/// How long `Retry-After` asks to wait.
pub(super) fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(90);

    fn pauses(setback: Setback, mut left: Duration) -> Vec<Duration> {
        let mut pauses = Vec::new();
        while let Some(pause) = setback.pause(u32::try_from(pauses.len()).unwrap() + 1, left) {
            left -= pause;
            pauses.push(pause);
        }
        pauses
    }

    #[test]
    fn an_absent_server_is_asked_until_patience_ends() {
        let pauses = pauses(Setback::Away, LONG);
        assert_eq!(pauses[..3], [250, 500, 1000].map(Duration::from_millis));
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE));
        let total: Duration = pauses.iter().sum();
        assert!(total > LONG - LONGEST_PAUSE && total <= LONG, "{total:?}");
    }

    #[test]
    fn an_overloaded_server_says_when_and_is_believed_within_patience() {
        let asked = |seconds| Setback::of(429, Some(Duration::from_secs(seconds))).unwrap();
        assert_eq!(asked(7).pause(9, LONG), Some(Duration::from_secs(7)));
        assert_eq!(asked(91).pause(1, LONG), None);
        assert_eq!(Setback::of(503, None), Some(Setback::Busy(None)));
        assert_eq!(retry_after(" 3 "), Some(Duration::from_secs(3)));
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }

    #[test]
    fn what_fails_is_tried_a_few_times_and_what_is_refused_not_at_all() {
        assert_eq!(pauses(Setback::of(500, None).unwrap(), LONG).len(), 3);
        for status in [200, 201, 400, 401, 403, 404, 409, 410, 422] {
            assert_eq!(Setback::of(status, None), None, "{status}");
        }
    }
}
