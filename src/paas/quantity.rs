//! Amounts of resources, exactly (paas-yaml.md §9.2).

use serde::{Deserialize, Serialize};

use crate::domain::words::words;

words! {
    /// What fixes the units of a resource.
    Category, "category of resources (compute, memory)" {
        /// Counted in thousandths.
        Compute = "compute",
        /// Counted in bytes.
        Memory = "memory",
    }
}

/// Most digits behind the point: with more, exact arithmetic would not fit 128 bits.
const MOST_DECIMALS: usize = 18;

/// An amount as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quantity {
    /// The number without its point.
    digits: u128,
    /// By what it is to be divided: a power of ten.
    divisor: u128,
    unit: Unit,
}

/// Behind the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    None,
    Percent,
    Milli,
    /// A number of bytes.
    Bytes(u128),
}

/// Why a quantity comes to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadQuantity {
    /// Its unit belongs to another category.
    Unit,
    /// It does not fit 64 bits.
    TooLarge,
    /// Over 100 %.
    Percentage,
    /// A percentage where there is nothing to take it of.
    Relative,
}

impl Quantity {
    /// Reads `^[0-9]+(\.[0-9]+)?(%|pc|m|K|M|…|Ki|Mi|…)?$`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(end)?;
        let (whole, decimals) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        let fits = !whole.is_empty() && !decimals.contains('.') && decimals.len() <= MOST_DECIMALS;
        let digits = fits.then(|| format!("{whole}{decimals}").parse().ok())??;
        let divisor = 10_u128.pow(u32::try_from(decimals.len()).ok()?);
        Some(Self { digits, divisor, unit: Unit::parse(unit)? })
    }

    /// The amount in base units; a percentage is one of `whole`, which itself is in base units.
    pub(super) fn resolve(
        self,
        category: Category,
        whole: Option<u64>,
    ) -> Result<u64, BadQuantity> {
        let (factor, divisor) = match (self.unit, category, whole) {
            (Unit::Percent, _, None) => return Err(BadQuantity::Relative),
            (Unit::Percent, _, Some(whole)) => {
                if self.digits > 100 * self.divisor {
                    return Err(BadQuantity::Percentage);
                }
                (u128::from(whole), self.divisor * 100)
            }
            (Unit::None, Category::Compute, _) => (1_000, self.divisor),
            (Unit::Milli, Category::Compute, _) | (Unit::None, Category::Memory, _) => {
                (1, self.divisor)
            }
            (Unit::Bytes(bytes), Category::Memory, _) => (bytes, self.divisor),
            (Unit::Milli, Category::Memory, _) | (Unit::Bytes(_), Category::Compute, _) => {
                return Err(BadQuantity::Unit);
            }
        };
        let amount = self.digits.checked_mul(factor).ok_or(BadQuantity::TooLarge)? / divisor;
        u64::try_from(amount).or(Err(BadQuantity::TooLarge))
    }
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        let power = |base: u128, exponent| Some(Self::Bytes(base.pow(exponent)));
        match text {
            "" => Some(Self::None),
            "%" | "pc" => Some(Self::Percent),
            "m" => Some(Self::Milli),
            "K" => power(1_000, 1),
            "M" => power(1_000, 2),
            "G" => power(1_000, 3),
            "T" => power(1_000, 4),
            "P" => power(1_000, 5),
            "E" => power(1_000, 6),
            "Ki" => power(1_024, 1),
            "Mi" => power(1_024, 2),
            "Gi" => power(1_024, 3),
            "Ti" => power(1_024, 4),
            "Pi" => power(1_024, 5),
            "Ei" => power(1_024, 6),
            _ => None,
        }
    }
}

/// An amount for people; it may round up, so nothing is computed with it.
pub(super) fn display(category: Category, amount: u64) -> String {
    match category {
        Category::Compute if amount < 1_000 => format!("{amount}m"),
        Category::Compute => format!("{}.{:03}", amount / 1_000, amount % 1_000),
        Category::Memory => display_bytes(amount),
    }
}

fn display_bytes(amount: u64) -> String {
    const KI: u64 = 1_024;
    let (unit, name) = match amount {
        0..KI => return amount.to_string(),
        ..0x10_0000 => return format!("{}Ki", amount.div_ceil(KI)),
        ..0x4000_0000 => (0x10_0000, "Mi"),
        ..0x100_0000_0000 => (0x4000_0000, "Gi"),
        ..0x4_0000_0000_0000 => (0x100_0000_0000, "Ti"),
        ..0x1000_0000_0000_0000 => (0x4_0000_0000_0000, "Pi"),
        _ => return format!("{}Ei", amount.div_ceil(0x1000_0000_0000_0000)),
    };
    let thousandths = u128::from(amount) * 1_000 / unit;
    match (thousandths / 1_000, thousandths % 1_000) {
        (whole, 0) => format!("{whole}{name}"),
        (whole, rest) => format!("{whole}.{rest:03}{name}"),
    }
}

/// One row of the account's quotas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardQuota {
    /// The resource, such as `cpu`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Fixes the units.
    pub category: Category,
    /// Bound of all limits, in base units.
    pub capacity: u64,
    /// Bound of all that is guaranteed, in base units; at most the capacity.
    pub requires: u64,
}
