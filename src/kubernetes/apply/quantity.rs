//! Amounts of bytes as Kubernetes writes them.

/// Units and what they stand for.
const UNITS: [(&str, u128); 13] = [
    ("", 1),
    ("k", 1000),
    ("M", 1000_u128.pow(2)),
    ("G", 1000_u128.pow(3)),
    ("T", 1000_u128.pow(4)),
    ("P", 1000_u128.pow(5)),
    ("E", 1000_u128.pow(6)),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
];

/// Most digits before and behind the point that fit the arithmetic.
const MOST_DIGITS: usize = 15;

/// The bytes in `1.5Gi`; `None` for what is not understood.
pub(super) fn bytes(text: &str) -> Option<u128> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{decimals}");
    if digits.len() > MOST_DIGITS {
        return None;
    }
    let scale = match unit.strip_prefix(['e', 'E']) {
        Some(power) if !power.is_empty() && power != "i" => {
            10_u128.checked_pow(power.parse().ok()?)?
        }
        _ => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    let divisor = 10_u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let amount = digits.parse::<u128>().ok()?.checked_mul(scale)?;
    Some(amount.div_ceil(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_in_every_form() {
        for (text, expected) in [
            ("1073741824", Some(1 << 30)),
            ("1Gi", Some(1 << 30)),
            ("1024Mi", Some(1 << 30)),
            ("1.5Ki", Some(1536)),
            ("2G", Some(2_000_000_000)),
            ("1e3", Some(1000)),
            ("1E3", Some(1000)),
            ("1E", Some(1000_u128.pow(6))),
            ("1Ei", Some(1 << 60)),
            ("0.5", Some(1)),
            ("", None),
            ("x", None),
            ("1Zi", None),
            ("99999999999999999", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
