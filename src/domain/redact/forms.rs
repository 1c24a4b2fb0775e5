//! The forms in which a secret stands in output, as what is seen of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::domain::redact::base64::digits_at;
use crate::domain::redact::refusal::{FEWEST, check};
use crate::domain::redact::view::{View, all};

/// Fewest characters of a line that is hidden without the other lines of its secret.
const FEWEST_OF_LINE: usize = 16;

const NEVER_FAILS: &str = "writing to a String does not fail";

/// A form of a secret.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// A text, which is the secret only as a whole or from its beginning.
    Text(Vec<u8>),
    /// Base64, of which any longer part gives a part of the secret away.
    Base64(Vec<u8>),
}

impl Form {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(bytes) | Self::Base64(bytes) => bytes,
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(bytes) | Self::Base64(bytes) => bytes,
        }
    }
}

/// Every form of a value.
pub(super) fn forms(value: &[u8]) -> BTreeSet<Form> {
    let mut forms = BTreeSet::new();
    // With or without the line's end that files have and variables have not.
    let value = value.trim_ascii();
    texts(value, &mut forms);
    for line in lines(value) {
        texts(line, &mut forms);
    }
    let mut encoded = BTreeSet::from([value.to_owned()]);
    encoded.extend(escaped(value));
    if value.contains(&b'\n') {
        let text = String::from_utf8_lossy(value).replace("\r\n", "\n");
        encoded.insert(text.replace('\n', "\r\n").into_bytes());
        encoded.insert(text.into_bytes());
    }
    for bytes in &encoded {
        for before in 0..3 {
            let digits = all(View::Plain, &digits_at(before, bytes));
            forms.insert(Form::Base64(digits));
        }
    }
    forms.retain(|form| form.bytes().len() >= FEWEST);
    forms
}

/// Lines that are hidden each for itself: somebody may print a key without its first line.
fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_several = value.contains(&b'\n');
    let lines = value.split(|byte| *byte == b'\n').filter(move |_| is_several);
    lines.map(<[u8]>::trim_ascii).filter(|line| {
        // What armours a key says nothing of it.
        line.len() >= FEWEST_OF_LINE
            && !line.starts_with(b"-----")
            && check(&String::from_utf8_lossy(line)).is_ok()
    })
}

/// What is seen of a text, its escapes taken as such and not.
fn texts(text: &[u8], forms: &mut BTreeSet<Form>) {
    forms.insert(Form::Text(all(View::Plain, text)));
    for escaped in escaped(text).into_iter().chain(quoted(text)) {
        forms.insert(Form::Text(all(View::Plain, &escaped)));
    }
    let mut insert_decoded = |text: &[u8]| {
        let decoded = all(View::Decoded, text);
        // `\n\n\na` is no ordinary text, and `a` is.
        if check(&String::from_utf8_lossy(&decoded)).is_ok() {
            forms.insert(Form::Text(decoded));
        }
    };
    insert_decoded(text);
    if text.contains(&b' ') {
        let plus = |byte: &u8| if *byte == b' ' { b'+' } else { *byte };
        insert_decoded(&text.iter().map(plus).collect::<Vec<u8>>());
    }
}

/// The text as shells, JSON and URLs have it, where that is another.
fn escaped(text: &[u8]) -> Vec<Vec<u8>> {
    let percent = |format: fn(&mut String, u8)| {
        let mut encoded = String::new();
        for byte in text {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    encoded.push(char::from(*byte));
                }
                byte => format(&mut encoded, *byte),
            }
        }
        encoded.into_bytes()
    };
    let mut escaped = vec![
        percent(|text, byte| write!(text, "%{byte:02X}").expect(NEVER_FAILS)),
        percent(|text, byte| write!(text, "%{byte:02x}").expect(NEVER_FAILS)),
    ];
    if let Ok(text) = str::from_utf8(text) {
        let json = serde_json::Value::from(text).to_string();
        let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
        escaped.extend(inner.map(|json| json.as_bytes().to_owned()));
    }
    escaped.retain(|form| form != text);
    escaped
}

/// The text where its quotes have another meaning: in shells, SQL, YAML, XML and HTML.
fn quoted(text: &[u8]) -> Vec<Vec<u8>> {
    let Ok(text) = str::from_utf8(text) else { return Vec::new() };
    let markup = |quote, apostrophe| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', quote).replace('\'', apostrophe)
    };
    let mut quoted = vec![
        text.replace('\'', r"'\''"),
        text.replace('\'', "'\"'\"'"),
        text.replace('\'', "''"),
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        markup("&quot;", "&apos;"),
        markup("&quot;", "&#39;"),
        markup("&quot;", "&#x27;"),
        markup("&quot;", "&#039;"),
        markup("&#34;", "&#39;"),
    ];
    quoted.retain(|form| form != text);
    quoted.into_iter().map(String::into_bytes).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &[u8]) -> Vec<u8> {
        all(View::Decoded, text)
    }

    #[test]
    fn a_plain_word_has_few_forms() {
        assert_eq!(forms(b"s3cr3tT0ken\n").len(), 4);
    }

    #[test]
    fn lines_of_a_key_are_forms_and_its_armour_is_not() {
        let key =
            b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----";
        let forms = forms(key);
        assert!(forms.contains(&Form::Text(b"MIIEvQIBADANBgkqhkiG9w0B".to_vec())));
        assert!(!forms.contains(&Form::Text(b"+++++BEGINPRIVATEKEY+++++".to_vec())));
    }

    proptest! {
        #[test]
        fn an_escaped_text_decodes_to_what_the_text_itself_does(
            text in "([a-z4]|[\\\\%\"'/ \\n\\té😀-])*[a-z]",
        ) {
            for form in escaped(text.as_bytes()) {
                prop_assert_eq!(decoded(&form), decoded(text.as_bytes()));
            }
        }
    }
}
