//! How a condition is written, and when it holds (paas-yaml.md §5.1, §5.2).

use std::cmp::Ordering;

use crate::paas::condition::number::Number;
use crate::paas::fault::{Code, Fault};
use crate::paas::node::Place;
use crate::paas::report::{Path, shown};

/// What a key must look like to be a condition.
const FORM: &str = "write `if{NAME op value}` with =, !=, <, <=, >, >=, is or isnot";

/// A condition: a variable and what must be true of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::paas) struct Condition<'a> {
    pub(super) variable: &'a str,
    test: Test<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test<'a> {
    Compare(Operator, Operand<'a>),
    Is(Criterion),
    IsNot(Criterion),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Criterion {
    Null,
    Empty,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operand<'a> {
    text: &'a str,
    /// When the text is one.
    number: Option<Number>,
}

/// Why a key that begins like a condition is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::paas) enum Unreadable {
    /// It has another form.
    Form,
    /// It compares with `==`.
    DoubleEqual,
    /// `is` or `isnot` with something that they do not know.
    Criterion,
}

/// Whether a key is a condition, if perhaps one that cannot be read.
pub(in crate::paas) fn is_condition(key: &str) -> bool {
    behind_opening(key).is_some()
}

fn behind_opening(key: &str) -> Option<&str> {
    let (opening, rest) = key.split_at_checked(3)?;
    opening.eq_ignore_ascii_case("if{").then_some(rest)
}

impl<'a> Condition<'a> {
    /// Reads a whole key.
    ///
    /// # Errors
    ///
    /// When it is no condition.
    pub(in crate::paas) fn read(key: &'a str) -> Result<Self, Unreadable> {
        let inner = behind_opening(key).and_then(|rest| rest.strip_suffix('}'));
        let inner = inner.ok_or(Unreadable::Form)?.trim_ascii();
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let end = inner.find(|c| !in_name(c)).unwrap_or(inner.len());
        let (variable, rest) = inner.split_at_checked(end).ok_or(Unreadable::Form)?;
        if !variable.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(Unreadable::Form);
        }
        Ok(Self { variable, test: Test::read(rest.trim_ascii_start())? })
    }

    /// Whether it holds for the variable's value, which an undefined one has not.
    pub(super) fn holds(&self, value: Option<&Operand<'_>>) -> bool {
        match &self.test {
            Test::Compare(operator, expected) => match value {
                Some(value) => operator.holds(value.order(expected)),
                None => operator.holds_for_undefined(expected),
            },
            Test::Is(criterion) => criterion.holds(value),
            Test::IsNot(criterion) => !criterion.holds(value),
        }
    }
}

impl<'a> Test<'a> {
    /// Reads what stands behind the variable.
    fn read(text: &'a str) -> Result<Self, Unreadable> {
        if text.starts_with("==") {
            return Err(Unreadable::DoubleEqual);
        }
        for (symbol, operator) in Operator::SYMBOLS {
            if let Some(value) = text.strip_prefix(symbol) {
                return Ok(Self::Compare(operator, Operand::new(unquoted(value))));
            }
        }
        let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
        let (word, value) = text.split_at_checked(end).ok_or(Unreadable::Form)?;
        let test = if word.eq_ignore_ascii_case("is") {
            Self::Is
        } else if word.eq_ignore_ascii_case("isnot") {
            Self::IsNot
        } else {
            return Err(Unreadable::Form);
        };
        match unquoted(value) {
            "null" => Ok(test(Criterion::Null)),
            "empty" => Ok(test(Criterion::Empty)),
            _ => Err(Unreadable::Criterion),
        }
    }
}

/// A value without blanks around it, and without its quotes.
fn unquoted(text: &str) -> &str {
    let text = text.trim_ascii();
    let within = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

impl Operator {
    /// Those before that begin like others.
    const SYMBOLS: [(&'static str, Self); 6] = [
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// An undefined variable equals nothing but the empty text, and has no order.
    fn holds_for_undefined(self, expected: &Operand<'_>) -> bool {
        match self {
            Self::Equal => expected.text.is_empty(),
            Self::NotEqual => !expected.text.is_empty(),
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => false,
        }
    }
}

impl Criterion {
    fn holds(self, value: Option<&Operand<'_>>) -> bool {
        match self {
            Self::Null => value.is_none(),
            Self::Empty => value.is_none_or(|value| value.text.is_empty()),
        }
    }
}

impl<'a> Operand<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, number: Number::read(text) }
    }

    /// Of two numbers their order, of other texts that of their bytes.
    fn order(&self, other: &Operand<'_>) -> Ordering {
        match (&self.number, &other.number) {
            (Some(number), Some(other)) => number.cmp(other),
            (Some(_) | None, _) => self.text.cmp(other.text),
        }
    }
}

impl Unreadable {
    /// What is wrong with a key, for a person.
    pub(in crate::paas) fn message(self, key: &str) -> String {
        match self {
            Self::Form | Self::DoubleEqual => format!("cannot read condition \"{}\"", shown(key)),
            Self::Criterion => {
                format!("condition \"{}\": `is` accepts only `null` or `empty`", shown(key))
            }
        }
    }

    /// The fault of a key at this place.
    pub(super) fn fault(self, key: &str, path: &Path, place: Place) -> Fault {
        let (code, hint) = match self {
            Self::Form => (Code::BadCondition, FORM),
            Self::DoubleEqual => (Code::BadCondition, "compare with one `=`"),
            Self::Criterion => (Code::BadCriterion, "compare with a value by `=` or `!=`"),
        };
        Fault::new(code, path, place, self.message(key)).hint(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether a condition holds with the variables of paas-yaml.md §15.
    fn holds(key: &str) -> bool {
        let condition = Condition::read(key).unwrap();
        let value = match condition.variable {
            "ENV" => Some("prod"),
            "N" => Some("10"),
            "Z" => Some("0"),
            "S" => Some("abc"),
            "NONE" => Some(""),
            _ => None,
        };
        condition.holds(value.map(Operand::new).as_ref())
    }

    #[test]
    fn conditions_that_hold() {
        for key in [
            "if{ENV=prod}",
            "if{ENV=\"prod\"}",
            "if{ENV!=dev}",
            "if{N>9}",
            "if{N=1e1}",
            "if{N<=10.0}",
            "if{U is null}",
            "if{U=}",
            "if{U is empty}",
            "if{Z isnot empty}",
            "if{S>9}",
            "IF{ENV='prod'}",
            "If{ \t ENV  =  prod  }",
            "if{N!=11}",
            "if{N>=10}",
            "if{N<1e400}",
            "if{S!=ABC}",
            "if{S>=abc}",
            "if{U!=x}",
            "if{U Is null}",
            "if{ENV ISNOT null}",
            "if{NONE is empty}",
            "if{NONE isnot null}",
            "if{NONE=}",
            "if{NONE=''}",
            "if{NONE<=a}",
            "if{U is 'null'}",
            "if{E-N!=x}",
        ] {
            assert!(holds(key), "{key}");
        }
    }

    #[test]
    fn conditions_that_do_not_hold() {
        for key in [
            "if{ENV=PROD}",
            "if{U<5}",
            "if{U>=5}",
            "if{ENV is empty}",
            "if{N<9}",
            "if{env=prod}",
            "if{U!=}",
            "if{U<=}",
            "if{U=x}",
            "if{U isnot null}",
            "if{Z is empty}",
            "if{N=' 10'}",
            "if{ENV=\"prod'}",
            "if{ENV=${ENV}}",
            "if{ENV= =prod}",
            "if{N>10}",
        ] {
            assert!(!holds(key), "{key}");
        }
    }

    #[test]
    fn a_value_goes_up_to_the_last_brace_and_loses_one_pair_of_quotes() {
        let value = |key| match Condition::read(key).unwrap().test {
            Test::Compare(_, operand) => operand.text,
            Test::Is(_) | Test::IsNot(_) => panic!("a comparison"),
        };
        assert_eq!(value("if{A=x}y}"), "x}y");
        assert_eq!(value("if{A=}}"), "}");
        assert_eq!(value("if{A=\" x \"}"), " x ");
        assert_eq!(value("if{A=''x''}"), "'x'");
        assert_eq!(value("if{A=\"}"), "\"");
        assert_eq!(value("if{A='x\"}"), "'x\"");
        assert_eq!(value("if{A=>5}"), ">5");
        assert_eq!(value("if{A= a b }"), "a b");
    }

    #[test]
    fn keys_that_only_begin_like_conditions_are_unreadable() {
        for key in [
            "if{ENV}",
            "if{",
            "if{}",
            "if{=x}",
            "if{1A=x}",
            "if{_A=x}",
            "if{A=x} ",
            "if{A=x",
            "if{A ~ x}",
            "if{A isx null}",
            "if{É=x}",
            "if{A B=x}",
            "if{A is\"null\"}",
        ] {
            assert_eq!(Condition::read(key), Err(Unreadable::Form), "{key}");
            assert!(is_condition(key), "{key}");
        }
        assert_eq!(Condition::read("if{A==x}"), Err(Unreadable::DoubleEqual));
        for key in
            ["if{A is foo}", "if{A is}", "if{A isnot }", "if{A is not null}", "if{A is NULL}"]
        {
            assert_eq!(Condition::read(key), Err(Unreadable::Criterion), "{key}");
        }
        for key in ["", "if", "i{", "if {A=x}", " if{A=x}", "iff{A=x}", "ïf{A=x}", "é"] {
            assert!(!is_condition(key), "{key}");
        }
    }

    proptest! {
        #[test]
        fn any_key_is_read_or_refused(
            key in "(if\\{)?\\PC{0,20}\\}?",
            near in "if\\{ ?[A-Z]?[A-Z_-]?( |\t)?(=|==|!=|<|<=|>|>=|is|isnot|IS)? ?[a-z0-9.'\"}]{0,4}\\}",
            value in "\\PC{0,5}",
        ) {
            for key in [key, near] {
                if let Ok(condition) = Condition::read(&key) {
                    prop_assert!(is_condition(&key));
                    condition.holds(None);
                    condition.holds(Some(&Operand::new(&value)));
                }
            }
        }

        #[test]
        fn of_each_pair_of_opposites_one_holds(value in "[0-9a-c.]{0,3}", expected in "[0-9a-c.]{0,3}") {
            let holds = |operator: &str| {
                let key = format!("if{{A{operator}\"{expected}\"}}");
                Condition::read(&key).unwrap().holds(Some(&Operand::new(&value)))
            };
            for (one, other) in [("=", "!="), ("<", ">="), (">", "<=")] {
                prop_assert_ne!(holds(one), holds(other));
            }
        }
    }
}
