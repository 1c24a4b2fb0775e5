//! Names that people choose freely and others read.

use crate::domain::output::is_unsafe;

/// Longest name in characters.
pub const LONGEST: usize = 64;

/// The text cannot be shown as a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a name: give 1 to {LONGEST} letters, digits, signs and spaces that can be seen"
)]
pub struct BadLabel(pub String);

/// Whether a character is one that nobody sees: two names that differ in it look alike.
fn is_invisible(c: char) -> bool {
    is_unsafe(c)
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// Checks a name, and takes blanks around it away.
///
/// # Errors
///
/// When it is empty, too long, or holds what cannot be seen.
pub fn label(text: &str) -> Result<&str, BadLabel> {
    let trimmed = text.trim();
    let fits = !trimmed.is_empty() && trimmed.chars().count() <= LONGEST;
    if fits && !trimmed.contains(is_invisible) {
        Ok(trimmed)
    } else {
        Err(BadLabel(text.chars().take(LONGEST).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_seen() {
        assert_eq!(label(" Ana Álvarez (ops) "), Ok("Ana Álvarez (ops)"));
        let long = "a".repeat(LONGEST + 1);
        let texts = ["", "  ", "\u{1b}[2J", "ana\u{202e}x", "an\u{200b}a", "a\nb", long.as_str()];
        for text in texts {
            assert!(label(text).is_err(), "{text:?}");
        }
    }
}
