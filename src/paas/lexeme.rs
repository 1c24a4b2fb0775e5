//! What single values may look like (paas-yaml.md §4.1).

use crate::paas::quantity::Quantity;

/// A type of single values.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lexeme {
    /// A name that the file gives to something.
    Token,
    /// The name of a cluster, which may have blanks.
    ClusterToken,
    /// Any text.
    Text,
    /// A whole number from one bound to the other.
    Int(i64, i64),
    /// Yes or no.
    Bool,
    /// An amount with its unit, or a percentage.
    Quantity,
    /// A whole number between two bounds, or nothing, which may be the word `null` too.
    IntOrNull(i64, i64),
    /// One of some words.
    Word(Words),
}

/// Words of the language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// All of them.
    pub(super) all: &'static [&'static str],
    /// Those that v1 does not have.
    pub(super) newer: &'static [&'static str],
}

impl Lexeme {
    /// What is expected, for a person.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Token | Self::ClusterToken => "a name".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Int(..) => "a whole number".to_owned(),
            Self::IntOrNull(..) => "a whole number, or null".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Quantity => "a quantity such as 500m, 2, 1.5Gi or 25%".to_owned(),
            Self::Word(words) => {
                let words: Vec<_> = words.all.iter().map(|word| format!("`{word}`")).collect();
                match words.split_last() {
                    Some((last, rest)) if !rest.is_empty() => {
                        format!("{} or {last}", rest.join(", "))
                    }
                    _ => words.concat(),
                }
            }
        }
    }

    /// Why a text is not of this type, if it is not.
    pub(super) fn problem(self, text: &str) -> Option<String> {
        match self {
            Self::Text => None,
            Self::Token => (!is_token(text)).then(|| {
                "is not a valid name: letters, digits and `-`, at least two, a letter first"
                    .to_owned()
            }),
            Self::ClusterToken => (!is_cluster_token(text)).then(|| {
                "is not a name of a cluster: letters, digits, `-` and blanks, at least two, a \
                 letter first"
                    .to_owned()
            }),
            Self::IntOrNull(..) if text == "null" => None,
            Self::Int(least, most) | Self::IntOrNull(least, most) => match int(text) {
                None => Some("is not a whole number".to_owned()),
                Some(n) if n < least => Some(format!("is less than {least}")),
                Some(n) if n > most => Some(format!("is more than {most}")),
                Some(_) => None,
            },
            Self::Bool => boolean(text).is_none().then(|| format!("is not {}", self.expected())),
            Self::Quantity => {
                Quantity::parse(text).is_none().then(|| format!("is not {}", self.expected()))
            }
            Self::Word(words) => {
                (!words.all.contains(&text)).then(|| format!("is not {}", self.expected()))
            }
        }
    }
}

/// Whether a text is a name, blanks around it taken away.
fn is_token(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a text is the name of a cluster, blanks around it taken away.
fn is_cluster_token(text: &str) -> bool {
    is_token(&text.replace(' ', "-"))
}

/// Reads a signed 32-bit number in decimal digits.
pub(super) fn int(text: &str) -> Option<i64> {
    text.parse::<i32>().ok().map(i64::from)
}

/// Reads a boolean.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_the_grammar_says() {
        let fits = |lexeme: Lexeme, text| lexeme.problem(text).is_none();
        for text in ["ab", "A1", "a-", "web-2"] {
            assert!(fits(Lexeme::Token, text), "{text}");
        }
        for text in ["", "a", "1a", "-a", "a_b", "a.b", "a b", "éa"] {
            assert!(!fits(Lexeme::Token, text), "{text}");
        }
        assert!(fits(Lexeme::ClusterToken, "my cluster"));
        assert!(["my_cluster", "", "1 a", "a"].iter().all(|x| !fits(Lexeme::ClusterToken, x)));
        assert!(["0", "null", "3600"].iter().all(|x| fits(Lexeme::IntOrNull(0, 9_999), x)));
        assert!(["-1", "~", "x"].iter().all(|x| !fits(Lexeme::IntOrNull(0, 9_999), x)));
        for text in ["0", "007", "+5", "2147483647"] {
            assert!(fits(Lexeme::Int(0, 2_147_483_647), text), "{text}");
        }
        for text in ["", "-1", "1.0", "0x1F", "1e3", " 1", "2147483648", "99999999999999999999"] {
            assert!(!fits(Lexeme::Int(0, 2_147_483_647), text), "{text}");
        }
        assert!(["true", "false", "1", "0"].iter().all(|text| fits(Lexeme::Bool, text)));
        assert!(!["True", "yes", "on", ""].iter().any(|text| fits(Lexeme::Bool, text)));
    }

    #[test]
    fn a_choice_of_words_reads_as_a_sentence() {
        const WORDS: Words = Words { all: &["a", "b", "c"], newer: &["c"] };
        assert_eq!(Lexeme::Word(WORDS).expected(), "`a`, `b` or `c`");
    }
}
