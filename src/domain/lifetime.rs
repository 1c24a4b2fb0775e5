//! How long a key lasts, as people write it.

use std::str::FromStr;
use std::time::Duration;

/// Longest lifetime in days: ten years.
const LONGEST: u64 = 3_660;

/// A number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(u64);

/// The text is no lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a number of days, such as 90d, or of weeks, such as 12w; at most {LONGEST} days")]
pub struct BadLifetime;

impl Lifetime {
    /// Its length.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 * 86_400)
    }
}

impl FromStr for Lifetime {
    type Err = BadLifetime;

    fn from_str(text: &str) -> Result<Self, BadLifetime> {
        let (digits, factor) = match (text.strip_suffix('d'), text.strip_suffix('w')) {
            (Some(digits), _) => (digits, 1),
            (None, Some(digits)) => (digits, 7),
            (None, None) => return Err(BadLifetime),
        };
        let number: u64 = digits.parse().map_err(|_no_number| BadLifetime)?;
        let days = number.checked_mul(factor).filter(|days| (1..=LONGEST).contains(days));
        days.map(Self).ok_or(BadLifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_are_read() {
        assert_eq!("90d".parse(), Ok(Lifetime(90)));
        assert_eq!("2w".parse(), Ok(Lifetime(14)));
        for text in ["", "90", "0d", "-1d", "1.5d", "3661d", "99999999999999999999w", "d"] {
            assert_eq!(text.parse::<Lifetime>(), Err(BadLifetime), "{text:?}");
        }
    }
}
