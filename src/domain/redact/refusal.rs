//! Which values can be hidden without making other text unreadable.

/// Fewest characters that are seen of a value.
pub(super) const FEWEST: usize = 6;

/// Fewest letters of a value of letters.
const FEWEST_LETTERS: usize = 12;

/// Fewest digits of a number.
const FEWEST_DIGITS: usize = 10;

/// Most secrets of one job.
pub(super) const MOST: usize = 10_000;

/// Signs that stand inside words, numbers, paths and addresses.
const SIGNS: [char; 9] = [' ', '.', ',', ':', ';', '-', '_', '/', '='];

/// Why a value cannot be hidden. The value is never part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unhidable {
    /// It is in many words by accident.
    #[error(
        "the value is too short to be hidden in output: make it at least {FEWEST} characters, \
         spaces not counted"
    )]
    TooShort,
    /// It is a word, perhaps with a number behind it.
    #[error(
        "the value reads like an ordinary word, which would be hidden wherever it stands in \
         output: make it at least {FEWEST_LETTERS} letters, or mix letters and digits"
    )]
    Word,
    /// It is a short number, an address or a version.
    #[error(
        "the value is a number, which would be hidden wherever it stands in output: make it at \
         least {FEWEST_DIGITS} digits, or add letters"
    )]
    Number,
    /// It is one character again and again, as lines and bars are.
    #[error(
        "the value repeats one character, as lines in output do: make it of several different ones"
    )]
    Repeats,
    /// Looking for it would take too much memory.
    #[error("there are {MOST} secrets already, and no more can be hidden in output")]
    TooMany,
}

/// Makes sure that hiding a value hides nothing else.
///
/// # Errors
///
/// When it is too short, or is something that ordinary output has.
pub fn check(value: &str) -> Result<(), Unhidable> {
    let seen: Vec<char> = value.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    if seen.iter().collect::<String>().len() < FEWEST {
        return Err(Unhidable::TooShort);
    }
    if seen.iter().all(|c| Some(c) == seen.first()) {
        return Err(Unhidable::Repeats);
    }
    let (digits, others): (Vec<char>, Vec<char>) =
        seen.iter().filter(|c| !SIGNS.contains(c)).partition(|c| c.is_ascii_digit());
    if others.is_empty() && digits.len() < FEWEST_DIGITS {
        return Err(Unhidable::Number);
    }
    let is_number_last = seen.iter().rev().skip_while(|c| c.is_ascii_digit() || SIGNS.contains(c));
    let is_word = others.iter().all(|c| c.is_alphabetic())
        && is_number_last.filter(|c| c.is_ascii_digit()).count() == 0;
    if is_word && others.len() < FEWEST_LETTERS && digits.len() < FEWEST_DIGITS {
        return Err(Unhidable::Word);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ordinary_output_has_is_refused() {
        for (value, why) in [
            ("", Unhidable::TooShort),
            ("a1b2c", Unhidable::TooShort),
            ("a 1 b 2", Unhidable::TooShort),
            ("admin1", Unhidable::Word),
            ("postgres", Unhidable::Word),
            ("Production", Unhidable::Word),
            ("my-app-db", Unhidable::Word),
            ("postgres-14.2", Unhidable::Word),
            ("/usr/bin", Unhidable::Word),
            ("127.0.0.1", Unhidable::Number),
            ("20251125", Unhidable::Number),
            ("--------", Unhidable::Repeats),
            ("////////////", Unhidable::Repeats),
        ] {
            assert_eq!(check(value), Err(why), "{value}");
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_not() {
        for value in [
            "s3cr3t",
            "hunter2hunter2",
            "correct horse battery",
            "4111111111111111",
            "p@ssword",
            "aB3$xY",
            "ünïcödé-pässwörd",
            "deadbeefdeadbeef",
        ] {
            assert_eq!(check(value), Ok(()), "{value}");
        }
    }
}
