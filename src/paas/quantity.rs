//! Amounts of resources, exactly (paas-yaml.md §9.2).

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
    const UNITS: [(u64, &str); 4] =
        [(1 << 20, "Mi"), (1 << 30, "Gi"), (1 << 40, "Ti"), (1 << 50, "Pi")];
    const EI: u64 = 1 << 60;
    if amount < 1 << 10 {
        return amount.to_string();
    }
    if amount >= EI {
        return format!("{}Ei", amount.div_ceil(EI));
    }
    let Some((unit, name)) = UNITS.iter().rev().find(|(unit, _)| amount >= *unit) else {
        return format!("{}Ki", amount.div_ceil(1 << 10));
    };
    let unit = u128::from(*unit);
    let thousandths = (u128::from(amount) * 1_000 + unit / 2) / unit;
    match (thousandths / 1_000, thousandths % 1_000) {
        (whole, 0) => format!("{whole}{name}"),
        (whole, rest) => format!("{whole}.{rest:03}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str, category: Category) -> Result<u64, BadQuantity> {
        Quantity::parse(text).unwrap().resolve(category, Some(1 << 30))
    }

    #[test]
    fn units_are_exact() {
        let compute = |text| amount(text, Category::Compute).unwrap();
        assert_eq!((compute("2"), compute("0.25"), compute("1.0009")), (2_000, 250, 1_000));
        assert_eq!((compute("500m"), compute("1.5m")), (500, 1));
        let memory = |text| amount(text, Category::Memory).unwrap();
        assert_eq!((memory("7"), memory("1.5Gi"), memory("0.5Ki")), (7, 3 << 29, 512));
        assert_eq!((memory("2K"), memory("1E"), memory("15Ei")), (2_000, 10_u64.pow(18), 15 << 60));
        assert_eq!((memory("33%"), memory("33pc")), (354_334_801, 354_334_801));
        assert_eq!(memory("33.9%"), 363_998_478);
        assert_eq!(memory("100%"), 1 << 30);
    }

    #[test]
    fn what_belongs_to_another_category_or_is_too_much_is_refused() {
        assert_eq!(amount("100m", Category::Memory), Err(BadQuantity::Unit));
        assert_eq!(amount("2K", Category::Compute), Err(BadQuantity::Unit));
        assert_eq!(amount("16Ei", Category::Memory), Err(BadQuantity::TooLarge));
        assert_eq!(amount(&"9".repeat(38), Category::Compute), Err(BadQuantity::TooLarge));
        assert_eq!(amount("100.1%", Category::Memory), Err(BadQuantity::Percentage));
        let relative = Quantity::parse("5%").unwrap().resolve(Category::Memory, None);
        assert_eq!(relative, Err(BadQuantity::Relative));
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        let long = format!("0.{}", "1".repeat(19));
        for text in ["", "Gi", "1 Gi", "1..5", "1.", ".5", "-1", "1e3", "1gi", "1%%", "1٣", &long]
        {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn people_read_rounded_amounts() {
        let compute = |amount| display(Category::Compute, amount);
        assert_eq!([compute(0), compute(999), compute(1_500)], ["0m", "999m", "1.500"]);
        let memory = |amount| display(Category::Memory, amount);
        assert_eq!([memory(1_023), memory(1_025), memory(64 << 20)], ["1023", "2Ki", "64Mi"]);
        assert_eq!(
            [memory(171_798_691), memory(1_500 << 20), memory(1_000_000_000)],
            ["163.840Mi", "1.465Gi", "953.674Mi"]
        );
        assert_eq!([memory((1 << 60) + 1), memory(3 << 50)], ["2Ei", "3Pi"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,12}", whole: u64) {
            if let Some(quantity) = Quantity::parse(&text) {
                for category in Category::ALL {
                    // Only that it answers.
                    drop(quantity.resolve(*category, Some(whole)).map(|n| display(*category, n)));
                }
            }
        }

        #[test]
        fn a_percentage_is_never_more_than_the_whole(percent in 0_u64..=100, whole: u64) {
            let quantity = Quantity::parse(&format!("{percent}%")).unwrap();
            let part = quantity.resolve(Category::Memory, Some(whole)).unwrap();
            prop_assert!(part <= whole);
            prop_assert_eq!(percent == 100 && part != whole, false);
        }
    }
}
