//! Numbers as conditions compare them: decimal, of any size, without rounding.

use std::cmp::Ordering;

/// A decimal number; equal for equal numbers, however they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    is_negative: bool,
    /// Which power of ten the first digit counts; of zero the least there is.
    power: i64,
    /// Without zeros at either end; of zero none.
    digits: String,
}

impl Number {
    /// Reads a sign, digits, a fraction and an exponent, of which only the digits must be there.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (decimal, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((decimal, exponent)) => (decimal, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match decimal.split_once('.') {
            Some((whole, fraction)) => (whole, digits(fraction)?),
            None => (decimal, ""),
        };
        let all = format!("{}{fraction}", digits(whole)?);
        let significant = all.trim_start_matches('0');
        let power = length(whole).saturating_sub(length(&all).saturating_sub(length(significant)));
        let digits = significant.trim_end_matches('0').to_owned();
        Some(if digits.is_empty() {
            Self { is_negative: false, power: i64::MIN, digits }
        } else {
            Self { is_negative, power: power.saturating_add(exponent), digits }
        })
    }
}

/// The text, when it is nothing but digits.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// One that is too large for the machine is the largest it has.
fn read_exponent(text: &str) -> Option<i64> {
    let (limit, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (i64::MIN / 2, unsigned),
        None => (i64::MAX / 2, text.strip_prefix('+').unwrap_or(text)),
    };
    digits(unsigned)?;
    let exponent: i64 = text.parse().unwrap_or(limit);
    Some(exponent.clamp(i64::MIN / 2, i64::MAX / 2))
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = || self.power.cmp(&other.power).then_with(|| self.digits.cmp(&other.digits));
        match (self.is_negative, other.is_negative) {
            (false, false) => size(),
            (true, true) => size().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        Number::read(text).unwrap()
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for (a, b) in [
            ("10", "1e1"),
            ("10", "10.0"),
            ("+0.10", "1E-1"),
            ("0", "-0.00e7"),
            ("007", "7"),
            ("1200e-2", "12"),
            ("0.0012", "12e-4"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn numbers_are_in_order_without_rounding() {
        let ascending = [
            "-1e99999999999999999999",
            "-10",
            "-9.5",
            "-0.1",
            "0",
            "1e-99999999999999999999",
            "0.09",
            "0.1",
            "8.10",
            "8.3",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "1e400",
            "1e401",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in
            ["", "-", "+", ".", ".5", "5.", "1e", "1e+", "e1", "1_0", " 1", "1 ", "0x1", "1.2.3"]
        {
            assert_eq!(Number::read(text), None, "{text:?}");
        }
        for text in ["inf", "NaN", "--1", "+-1", "1e--1", "1e1.0", "١"] {
            assert_eq!(Number::read(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn small_numbers_are_in_the_order_of_the_machine(a in -999_i32..999, b in -999_i32..999) {
            prop_assert_eq!(number(&a.to_string()).cmp(&number(&b.to_string())), a.cmp(&b));
            let (tenth, hundredth) = (format!("{a}e-1"), format!("{b}0.00e-2"));
            prop_assert_eq!(number(&tenth).cmp(&number(&hundredth)), a.cmp(&b));
        }
    }
}
