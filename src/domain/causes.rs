//! An error in one line, with what caused it.

use std::error::Error;

/// The error's text and those of its causes, outermost first, without repeating what was said.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not use the file")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("it says: {0}")]
    struct Middle(#[source] io::Error);

    #[test]
    fn causes_follow_and_are_not_repeated() {
        let error = Outer(Middle(io::Error::other("disk full")));
        assert_eq!(with_causes(&error), "could not use the file: it says: disk full");
    }
}
