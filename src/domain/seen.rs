//! What somebody saw of a thing that they change.

use chrono::{DateTime, Utc};

/// What somebody saw of a thing that they change, so that nobody's change is lost unseen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// They did not look.
    #[default]
    Whatever,
    /// There was none.
    Nothing,
    /// It was changed last at this time.
    Of(DateTime<Utc>),
}

impl Seen {
    /// Whether that is still so, of something that was changed last at some time, or is not there.
    pub fn is_still(self, changed_at: Option<DateTime<Utc>>) -> bool {
        match self {
            Self::Whatever => true,
            Self::Nothing => changed_at.is_none(),
            Self::Of(seen) => changed_at == Some(seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_compared_with_what_is() {
        let (then, now) = (DateTime::UNIX_EPOCH, DateTime::from_timestamp_micros(1));
        for changed_at in [None, now, Some(then)] {
            assert!(Seen::Whatever.is_still(changed_at));
            assert_eq!(Seen::Nothing.is_still(changed_at), changed_at.is_none());
            assert_eq!(Seen::Of(then).is_still(changed_at), changed_at == Some(then));
        }
    }
}
