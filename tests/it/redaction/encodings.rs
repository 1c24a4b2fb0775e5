//! How tools write a secret, each way as that tool does it.

use std::fmt::Write as _;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A way to write a text.
pub(crate) type Encoding = (&'static str, fn(&str) -> String);

pub(crate) const ENCODINGS: [Encoding; 37] = [
    ("as it is", str::to_owned),
    ("without the line's end", |text| text.trim_end().to_owned()),
    ("with CRLF", |text| text.replace('\n', "\r\n")),
    ("indented", |text| text.replace('\n', "\n        ")),
    ("base64", |text| base64(text.as_bytes())),
    ("base64 behind one byte", |text| base64(format!(":{text}").as_bytes())),
    ("base64 behind two bytes", |text| base64(format!("a:{text}").as_bytes())),
    ("base64 inside of more", |text| base64(format!("user:{text}:and more").as_bytes())),
    ("base64 of CRLF", |text| base64(text.replace('\n', "\r\n").as_bytes())),
    ("base64 of JSON", |text| base64(json(&format!("{{\"{text}")).as_bytes())),
    ("base64 for URLs", |text| for_urls(text.as_bytes())),
    ("base64 for URLs, not aligned", |text| for_urls(format!("x{text}y").as_bytes())),
    ("base64 in lines of 76", |text| in_lines(&base64(text.as_bytes()), 76, "\n")),
    ("base64 in lines of 64", |text| in_lines(&base64(text.as_bytes()), 64, "\r\n")),
    ("base64 in lines of 20", |text| in_lines(&base64(text.as_bytes()), 20, "\n    ")),
    ("base64 far behind, in lines", |text| {
        in_lines(&base64(format!("{}{text}", "k: v\n".repeat(13)).as_bytes()), 76, "\n")
    }),
    ("base64 in JSON of PHP", |text| base64(text.as_bytes()).replace('/', "\\/")),
    ("base64 in a URL", |text| percent(&base64(text.as_bytes()), Digits::Upper)),
    ("percent, upper", |text| percent(text, Digits::Upper)),
    ("percent, lower", |text| percent(text, Digits::Lower)),
    ("percent, twice", |text| percent(&percent(text, Digits::Upper), Digits::Upper)),
    ("percent, every byte", |text| {
        text.bytes().fold(String::new(), |mut url, byte| {
            write!(url, "%{byte:02x}").unwrap();
            url
        })
    }),
    ("percent, as browsers do", |text| {
        text.replace('%', "%25").replace(' ', "%20").replace('"', "%22").replace('\n', "%0A")
    }),
    ("a form", |text| percent(text, Digits::Upper).replace("%20", "+")),
    ("JSON", json),
    ("JSON of PHP", |text| ascii(&json(text).replace('/', "\\/"))),
    ("JSON of Python", |text| ascii(&json(text))),
    ("JSON of Go", |text| {
        json(text).replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003E")
    }),
    ("JSON in JSON", |text| json(&json(text))),
    ("a quoted shell word", |text| text.replace('\'', r"'\''")),
    ("a shell word of dash", |text| text.replace('\'', "'\"'\"'")),
    ("a word of SQL and YAML", |text| text.replace('\'', "''")),
    ("XML", |text| markup(text, "&quot;", "&apos;")),
    ("HTML of Go", |text| markup(text, "&#34;", "&#39;")),
    ("a shell word", |text| {
        let plain = |c: char| c.is_alphanumeric() || "-_./:@+\n".contains(c);
        text.chars().fold(String::new(), |word, c| match c {
            c if plain(c) => format!("{word}{c}"),
            c => format!("{word}\\{c}"),
        })
    }),
    ("a shell word with escapes", |text| {
        text.replace('\\', r"\\").replace('\n', r"\n").replace('\'', r"\'")
    }),
    ("coloured letter by letter", |text| {
        let every = text.char_indices();
        every.fold(String::new(), |shown, (index, c)| format!("{shown}\u{1b}[3{}m{c}", index % 8))
    }),
];

/// In which case hexadecimal digits are written.
#[derive(Clone, Copy)]
enum Digits {
    Upper,
    Lower,
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    encode(bytes, STANDARD)
}

fn for_urls(bytes: &[u8]) -> String {
    encode(bytes, FOR_URLS).trim_end_matches('=').to_owned()
}

fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = usize::try_from(group >> (18 - 6 * index) & 63).unwrap();
            let is_there = index <= u32::try_from(three.len()).unwrap();
            text.push(if is_there { char::from(alphabet[digit]) } else { '=' });
        }
    }
    text
}

fn in_lines(text: &str, columns: usize, end: &str) -> String {
    let lines = text.as_bytes().chunks(columns).map(|line| str::from_utf8(line).unwrap());
    lines.collect::<Vec<_>>().join(end)
}

fn percent(text: &str, digits: Digits) -> String {
    text.bytes().fold(String::new(), |mut url, byte| {
        match (byte, digits) {
            (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~', _) => {
                url.push(char::from(byte));
            }
            (_, Digits::Upper) => write!(url, "%{byte:02X}").unwrap(),
            (_, Digits::Lower) => write!(url, "%{byte:02x}").unwrap(),
        }
        url
    })
}

fn json(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap().to_owned()
}

fn markup(text: &str, quote: &str, apostrophe: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', quote).replace('\'', apostrophe)
}

fn ascii(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |mut json, unit| {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => json.push(char::from(byte)),
            _ => write!(json, "\\u{unit:04x}").unwrap(),
        }
        json
    })
}
