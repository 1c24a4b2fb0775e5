//! Secrets in output, in every encoding and cut at every place, of which nothing comes through.

pub(crate) mod corpus;
pub(crate) mod encodings;
pub(crate) mod oracle;

use pierhead::domain::output::Lines;
use pierhead::domain::redact::{Redactor, Secrets};

use crate::redaction::corpus::{Output, SECRETS, outputs};
use crate::redaction::encodings::ENCODINGS;
use crate::redaction::oracle::Oracle;

/// Outputs in the corpus.
const COUNT: usize = 10_000;

/// Outputs of which each is cut at every byte of its secret: all secrets in all encodings. The others
/// come byte by byte, and cut at a few.
const CUT_EVERYWHERE: usize = SECRETS.len() * ENCODINGS.len();
const CUTS: usize = 3;

fn redactor() -> Redactor {
    let mut secrets = Secrets::default();
    for (name, value) in SECRETS {
        secrets.add(name, value).unwrap();
    }
    Redactor::new(&secrets)
}

/// The rows that come of an output which arrives in these chunks.
fn rows<'a>(redactor: &Redactor, chunks: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut lines = Lines::new(redactor);
    let mut rows: Vec<String> = chunks.into_iter().flat_map(|chunk| lines.push(chunk)).collect();
    rows.extend(lines.finish());
    // As the Recorder does, which sees what was cleaned.
    rows.iter().map(|row| redactor.text(row)).collect::<Vec<_>>().join("\n")
}

fn assert_hidden(oracle: &Oracle, output: &Output, rows: &str) {
    let (what, text) = (&output.what, String::from_utf8_lossy(&output.text));
    if let Some(found) = oracle.leak(rows) {
        panic!("{what}: {found:?} of a secret comes through\nin: {text:?}\nout: {rows:?}");
    }
    assert!(rows.contains("[secret "), "{what}\nin: {text:?}\nout: {rows:?}");
}

/// What a filter shows of an output that arrives in these chunks.
fn shown<'a>(redactor: &Redactor, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut filter = redactor.filter();
    let mut shown = Vec::new();
    for chunk in chunks {
        shown.extend_from_slice(&filter.push(chunk));
    }
    shown.extend(filter.finish());
    shown
}

#[test]
fn nothing_comes_through_in_any_encoding_cut_at_any_place() {
    let (redactor, oracle) = (redactor(), Oracle::new());
    for (number, output) in outputs(COUNT).enumerate() {
        let text = output.text.as_slice();
        assert_hidden(&oracle, &output, &rows(&redactor, [text]));
        let whole = shown(&redactor, [text]);
        assert_eq!(shown(&redactor, text.chunks(1)), whole, "{}, byte by byte", output.what);
        let length = output.part.len();
        let step = if number < CUT_EVERYWHERE { 1 } else { length.div_ceil(CUTS) };
        for border in output.part.clone().step_by(step) {
            let (before, after) = text.split_at(border);
            assert_eq!(shown(&redactor, [before, after]), whole, "{} at {border}", output.what);
        }
    }
}

#[test]
fn the_oracle_finds_what_is_not_hidden() {
    let oracle = Oracle::new();
    for output in outputs(1_000) {
        let text = String::from_utf8_lossy(&output.text);
        assert!(oracle.leak(&text).is_some(), "{}: {text:?}", output.what);
    }
}

#[test]
fn ordinary_output_comes_through_unchanged() {
    let (redactor, text) = (redactor(), corpus::ordinary(20_000));
    assert_eq!(rows(&redactor, [text.as_bytes()]), rows(&Redactor::default(), [text.as_bytes()]));
}
