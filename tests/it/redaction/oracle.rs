//! Finds secrets in what people see, by decoding it in every way that people would try.

use std::collections::{BTreeSet, HashMap};

use crate::redaction::corpus::SECRETS;

/// So many bytes of a secret in a row are told; five may come through by accident.
const RUN: usize = 6;

/// What is looked for: parts of secrets by their first bytes.
pub(crate) struct Oracle(HashMap<[u8; 4], Vec<Vec<u8>>>);

impl Oracle {
    pub(crate) fn new() -> Self {
        let mut by_beginning: HashMap<_, Vec<Vec<u8>>> = HashMap::new();
        for part in SECRETS.iter().flat_map(|(name, secret)| parts(name, secret)) {
            let beginning = part[..4].try_into().unwrap();
            by_beginning.entry(beginning).or_default().push(part);
        }
        Self(by_beginning)
    }

    /// A part of a secret that can be read in a text.
    pub(crate) fn leak(&self, text: &str) -> Option<String> {
        let find = |reading: &Vec<u8>| {
            reading.windows(4).enumerate().find_map(|(at, beginning)| {
                let parts = self.0.get(beginning)?;
                parts.iter().find(|part| reading[at..].starts_with(part)).cloned()
            })
        };
        let part = readings(text).iter().find_map(find)?;
        Some(String::from_utf8_lossy(&part).into_owned())
    }
}

/// Every run of bytes that is only in a secret. White space is left out, as in all readings.
fn parts(name: &str, secret: &str) -> Vec<Vec<u8>> {
    let secret = packed(secret.as_bytes());
    // Of the longer ones much is ordinary, such as the armour of a key or the name of a host.
    let run = match name {
        "SHORT" => secret.len(),
        "URL" | "JSON" => 24,
        "KEY" => 28,
        _ => RUN + 4,
    };
    secret.windows(run.min(secret.len())).map(<[u8]>::to_vec).collect()
}

fn readings(text: &str) -> BTreeSet<Vec<u8>> {
    let bare = without_colours(text);
    let mut readings = vec![bare.clone().into_bytes()];
    let mut decoded = bare.clone().into_bytes();
    for _ in 0..3 {
        decoded = unescaped(&percent_decoded(&decoded));
        readings.push(decoded.clone());
        readings.push(
            percent_decoded(&decoded).iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect(),
        );
    }
    readings.push(without_markup(&bare).into_bytes());
    let encoded: Vec<Vec<u8>> = readings.iter().flat_map(|reading| base64_runs(reading)).collect();
    let again: Vec<Vec<u8>> = encoded.iter().map(|reading| unescaped(reading)).collect();
    readings.extend(encoded.into_iter().chain(again));
    readings.iter().map(|reading| packed(reading)).collect()
}

fn packed(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace() && *byte != 0).collect()
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut bare = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        bare.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    bare
}

fn without_markup(text: &str) -> String {
    let text = text.replace("'\"'\"'", "'").replace("''", "'").replace("&lt;", "<");
    let text = text.replace("&gt;", ">").replace("&quot;", "\"").replace("&#34;", "\"");
    text.replace("&apos;", "'").replace("&#39;", "'").replace("&amp;", "&")
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let value = (text[at] == b'%').then(|| text.get(at + 1..at + 3).and_then(hex)).flatten();
        decoded.push(value.map_or(text[at], |value| u8::try_from(value).unwrap()));
        at += if value.is_some() { 3 } else { 1 };
    }
    decoded
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut units, mut at): (Vec<u8>, usize) = (Vec::new(), 0);
    let mut high = None;
    while at < text.len() {
        let (byte, next) = (text[at], text.get(at + 1));
        if byte != b'\\' {
            units.push(byte);
            at += 1;
            continue;
        }
        let code = text.get(at + 2..at + 6).and_then(hex).filter(|_| next == Some(&b'u'));
        match (next, code) {
            (_, Some(code @ 0xd800..0xdc00)) => high = Some(code),
            (_, Some(code)) => {
                let code = match high.take() {
                    Some(high) => 0x10000 + ((high - 0xd800) << 10) + (code & 0x3ff),
                    None => code,
                };
                units.extend(char::from_u32(code).unwrap_or('?').to_string().into_bytes());
            }
            (Some(b'n' | b'r' | b't'), None) => units.push(b'\n'),
            (Some(b), None) => units.push(*b),
            (None, None) => {}
        }
        at += if code.is_some() { 6 } else { 2 };
    }
    units
}

/// Every run of base64, decoded from each of the four places where a group may begin.
fn base64_runs(text: &[u8]) -> Vec<Vec<u8>> {
    let digits = packed(text);
    let value = |byte: &u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let runs = digits.split(|byte| value(byte).is_none()).filter(|run| run.len() > RUN);
    let decoded = runs.flat_map(|run| {
        (0..4).map(move |skipped| {
            let groups = run[skipped..].chunks(4);
            groups
                .flat_map(|group| {
                    let digit = |index: usize| group.get(index).and_then(value).unwrap_or_default();
                    let bits = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
                    [bits >> 16, bits >> 8, bits].map(|bits| u8::try_from(bits & 255).unwrap())
                })
                .collect()
        })
    });
    decoded.collect()
}
