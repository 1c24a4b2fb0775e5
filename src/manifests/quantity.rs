//! Amounts in the words of Kubernetes.

/// Units of bytes, the largest first.
const BINARY: [(u64, &str); 6] = [
    (1 << 60, "Ei"),
    (1 << 50, "Pi"),
    (1 << 40, "Ti"),
    (1 << 30, "Gi"),
    (1 << 20, "Mi"),
    (1 << 10, "Ki"),
];

/// What a resource is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Thousandths, of which there may be any number.
    Milli,
    /// Bytes.
    Bytes,
    /// Whole things, in thousandths in the model.
    Whole,
}

impl Unit {
    /// The unit of a resource; none of what is no resource.
    pub(super) fn of(resource: &str) -> Option<Self> {
        match resource {
            "cpu" => Some(Self::Milli),
            "memory" | "ephemeral-storage" => Some(Self::Bytes),
            other if other.starts_with("hugepages-") => Some(Self::Bytes),
            // What nodes were given, such as nvidia.com/gpu.
            other if other.contains('/') => Some(Self::Whole),
            _ => None,
        }
    }

    /// An amount as text; none of a part of what is whole.
    pub(super) fn text(self, amount: u64) -> Option<String> {
        match self {
            Self::Milli => Some(thousandths(amount)),
            Self::Bytes => Some(bytes(amount)),
            Self::Whole => amount.is_multiple_of(1_000).then(|| thousandths(amount)),
        }
    }
}

fn thousandths(amount: u64) -> String {
    if amount.is_multiple_of(1_000) { (amount / 1_000).to_string() } else { format!("{amount}m") }
}

/// Whole bytes, in the largest unit that leaves no rest.
fn bytes(amount: u64) -> String {
    let unit = BINARY.iter().find(|(unit, _)| amount > 0 && amount.is_multiple_of(*unit));
    unit.map_or_else(|| amount.to_string(), |(unit, name)| format!("{}{name}", amount / unit))
}

/// The size of a disk as a file writes it, in the words of Kubernetes, which has another thousand.
pub(super) fn size(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_something = number.bytes().any(|b| matches!(b, b'1'..=b'9'));
    let unit = match unit {
        "K" => "k",
        "" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" => unit,
        _ => return None,
    };
    (is_number(whole) && is_number(decimals) && is_something).then(|| format!("{number}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let cpu = |amount| Unit::Milli.text(amount).unwrap();
        assert_eq!([cpu(0), cpu(250), cpu(1_600), cpu(2_000)], ["0", "250m", "1600m", "2"]);
        let memory = |amount| Unit::Bytes.text(amount).unwrap();
        assert_eq!([memory(0), memory(10_066_329), memory(80 << 20)], ["0", "10066329", "80Mi"]);
        assert_eq!([memory(3 << 29), memory(u64::MAX)], ["1536Mi", "18446744073709551615"]);
        assert_eq!((Unit::Whole.text(2_000), Unit::Whole.text(500)), (Some("2".into()), None));
    }

    #[test]
    fn resources_have_their_units() {
        assert_eq!(Unit::of("hugepages-2Mi"), Some(Unit::Bytes));
        assert_eq!(Unit::of("nvidia.com/gpu"), Some(Unit::Whole));
        assert_eq!(Unit::of("gpu"), None);
    }

    #[test]
    fn sizes_are_those_of_kubernetes() {
        let kept = ["5Gi", "1.5Gi", "20G", "7"].map(|text| (size(text), text));
        assert!(kept.iter().all(|(size, text)| size.as_deref() == Some(text)));
        assert_eq!(size("500K").as_deref(), Some("500k"));
        for text in ["", "Gi", "0Gi", "0.0", "1.Gi", ".5Gi", "5 Gi", "5m", "5%", "1.2.3", "-1"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
