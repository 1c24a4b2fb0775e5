//! How often a source is looked at.

use std::fmt;
use std::str::FromStr;

/// Shortest and longest pause between two looks, in seconds: a minute, and a week.
const BOUNDS: (u32, u32) = (60, 604_800);

/// A pause between two looks, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every(u32);

/// The text is no such pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write how often it is looked at: 5m, 1h or 1d, from a minute to a week; or `never`")]
pub struct BadEvery;

impl Every {
    /// The pause.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl TryFrom<i32> for Every {
    type Error = BadEvery;

    fn try_from(seconds: i32) -> Result<Self, BadEvery> {
        let seconds = u32::try_from(seconds).map_err(|_negative| BadEvery)?;
        let (shortest, longest) = BOUNDS;
        (shortest..=longest).contains(&seconds).then_some(Self(seconds)).ok_or(BadEvery)
    }
}

impl FromStr for Every {
    type Err = BadEvery;

    fn from_str(text: &str) -> Result<Self, BadEvery> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let factor = match text.strip_prefix(digits) {
            Some("s") => 1,
            Some("m") => 60,
            Some("h") => 3_600,
            Some("d") => 86_400,
            Some(_) | None => return Err(BadEvery),
        };
        let number: i32 = digits.parse().map_err(|_no_number| BadEvery)?;
        number.checked_mul(factor).ok_or(BadEvery)?.try_into()
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
        match units.iter().find(|(seconds, _)| self.0.is_multiple_of(*seconds)) {
            Some((seconds, unit)) => write!(f, "{}{unit}", self.0 / seconds),
            None => write!(f, "{}s", self.0),
        }
    }
}

/// What is said about looking by oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Only when somebody asks.
    Never,
    /// Again and again.
    Every(Every),
}

impl FromStr for Schedule {
    type Err = BadEvery;

    fn from_str(text: &str) -> Result<Self, BadEvery> {
        if text == "never" { Ok(Self::Never) } else { text.parse().map(Self::Every) }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Every(every) => every.fmt(f),
        }
    }
}

impl Schedule {
    /// As it is stored: seconds, if any.
    pub fn seconds(self) -> Option<i32> {
        match self {
            Self::Never => None,
            Self::Every(every) => i32::try_from(every.seconds()).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_reads_back_as_it_is_shown() {
        for text in ["never", "1m", "90s", "5m", "1h", "1d", "7d"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        assert_eq!("120s".parse::<Schedule>().unwrap().to_string(), "2m");
        assert_eq!("5m".parse::<Schedule>().unwrap().seconds(), Some(300));
        for text in ["", "5", "m", "0m", "59s", "8d", "-5m", "1.5h", "9999999999d", "3000000d"] {
            assert_eq!(text.parse::<Schedule>(), Err(BadEvery), "{text}");
        }
    }
}
