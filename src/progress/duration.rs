//! Lengths of time in words.

/// So many seconds as people say them: `40 s`, `3 min`, `2 h`.
pub fn spoken(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

/// A measured time to a tenth of a second: `11.4 s`.
pub(super) fn measured(ms: u64) -> String {
    let tenths = ms.saturating_add(50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_what_is_worth_saying() {
        assert_eq!(
            [spoken(0), spoken(99), spoken(100), spoken(7_000)],
            ["0 s", "99 s", "2 min", "2 h"]
        );
        assert_eq!(
            [measured(0), measured(49), measured(50), measured(11_360)],
            ["0.0 s", "0.0 s", "0.1 s", "11.4 s"]
        );
    }
}
