//! Warnings that an API server sends along with what it did.

/// The texts in a `Warning` header, such as `299 - "unknown field \"spec.a\""`.
pub(super) fn texts(header: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = header;
    while let Some((_, quoted)) = rest.split_once('"') {
        let (mut text, mut characters) = (String::new(), quoted.char_indices());
        rest = "";
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                '"' => {
                    rest = quoted.get(index + 1..).unwrap_or_default();
                    break;
                }
                _ => text.push(character),
            }
        }
        texts.push(text);
        // A date may follow, in quotes of its own; the next warning is behind a comma.
        rest = rest.split_once(',').map_or("", |(_date, next)| next);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_out_of_their_quotes() {
        assert_eq!(texts(r#"299 - "unknown field \"spec.a\"""#), [r#"unknown field "spec.a""#]);
        let two = r#"299 - "a, b", 299 - "policy/v1beta1 is \\ deprecated""#;
        assert_eq!(texts(two), ["a, b", r"policy/v1beta1 is \ deprecated"]);
        for damaged in ["", "299 -", r#"299 - "open"#, r#"299 - "x\"#] {
            assert!(texts(damaged).len() <= 1, "{damaged}");
        }
    }
}
