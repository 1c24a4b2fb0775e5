//! What comes through a filter, and what does not.

use proptest::prelude::*;

use crate::domain::output::Lines;
use crate::domain::redact::{Redactor, Secrets, Unhidable};

const KEY: &str = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEf\n-----END KEY-----\n";

fn redactor(values: &[(&str, &str)]) -> Redactor {
    let mut secrets = Secrets::default();
    for (name, value) in values {
        secrets.add(name, value).unwrap();
    }
    Redactor::new(&secrets)
}

fn hidden(values: &[(&str, &str)], text: &str) -> String {
    redactor(values).text(text)
}

/// What is shown when the text comes in these chunks: after each of them, and at the end.
fn shown(redactor: &Redactor, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut filter = redactor.filter();
    let mut shown: Vec<_> = chunks.iter().map(|chunk| filter.push(chunk).into_owned()).collect();
    shown.push(filter.finish());
    shown
}

fn chunks(redactor: &Redactor, chunks: &[&[u8]]) -> Vec<String> {
    let shown = shown(redactor, chunks);
    shown.into_iter().map(|chunk| String::from_utf8(chunk).unwrap()).collect()
}

#[test]
fn a_secret_becomes_its_name_in_every_form() {
    let values = [("PW", "pa$$ \"w0rd\"/é\\x\n")];
    for text in [
        "pa$$ \"w0rd\"/é\\x",
        "cGEkJCAidzByZCIvw6lceAo=",
        "YTpwYSQkICJ3MHJkIi/DqVx4", // a:…
        "YWI6cGEkJCAidzByZCIvw6lceA==",
        "cGEkJCAidzByZCIvw6lceAo",
        "YTpwYSQkICJ3MHJkIi_DqVx4",
        "pa%24%24%20%22w0rd%22%2F%C3%A9%5Cx",
        "pa%24%24+%22w0rd%22%2f%c3%a9%5cx",
        "pa$$%20%22w0rd%22/%C3%A9%5Cx",
        r#"pa$$ \"w0rd\"\/\u00e9\\x"#,
        r#"pa$$ \\\"w0rd\\\"/é\\\\x\\n"#,
        r#"pa\$\$\ \"w0rd\"/é\\x"#,
        "pa$\x1b[31m$ \"w0r\x1b[0md\"/é\\x",
        "cGEkJCAid\nzByZCIvw\r\n6lceAo=",
        "cGEkJCAidzByZCIvw6lceAo%3D",
    ] {
        let shown = hidden(&values, &format!("> {text} <"));
        assert!(shown.contains("[secret PW]"), "{text}: {shown}");
        assert!(shown.len() < "> [secret PW] <".len() + 8, "{text}: {shown}");
    }
}

#[test]
fn what_is_no_secret_is_left_as_it_is() {
    let redactor = redactor(&[("PW", "s3cr3t-pa55w0rd"), ("KEY", KEY)]);
    let text = "\x1b[32m100%\x1b[0m of C:\\new\\dir\r\n\ts3cr3t-pa55w0r! -----BEGIN KEY-----\n";
    assert_eq!(redactor.text(text), text);
    assert_eq!(chunks(&redactor, &[text.as_bytes()]).concat(), text);
    assert_eq!(chunks(&Redactor::default(), &[b"a", b"b"]), ["a", "b", ""]);
}

#[test]
fn secrets_that_share_characters_are_all_hidden() {
    let values =
        [("A", "ab1d1234"), ("B", "1234wx7z"), ("C", "ab1d1234wx"), ("D", "zab1d1234wxy!")];
    assert_eq!(hidden(&values[..2], "_ab1d1234wx7z_"), "_[secret A][secret B]_");
    assert_eq!(hidden(&values[..3], "_ab1d1234wx_"), "_[secret C]_");
    assert_eq!(hidden(&values, "_zab1d1234wxy_"), "_z[secret C]y_");
    assert_eq!(hidden(&values, "ab1d1234ab1d1234"), "[secret A][secret A]");
    assert_eq!(hidden(&[("A", "ab1d1234"), ("B", "ab1d1234")], "ab1d1234"), "[secret A]");
}

#[test]
fn lines_and_longer_parts_of_a_key_are_hidden() {
    let values = [("KEY", KEY)];
    assert_eq!(hidden(&values, KEY), "[secret KEY]\n");
    assert_eq!(hidden(&values, &KEY.replace('\n', "\r\n    ")), "[secret KEY]\r\n    ");
    assert_eq!(
        hidden(&values, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nx\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"),
        "[secret KEY]\nx\n[secret KEY]"
    );
    // Lines 2 and 3 of `base64 -w 40`, then what was cut off.
    let encoded =
        "SUVFdlFJQkFEQU5CZ2txaGtpRzl3MEJBUUVGQUFTQwpCS2N3Z2dTakFnRUFBb0lCQVFDN1ZKVFV0OVVzOGNLagp";
    assert!(hidden(&values, encoded).len() < 50, "{}", hidden(&values, encoded));
    // Too short to be told from other base64.
    let short = "TUlJRXZRSUJBREFOQmdrcWhraUc5";
    assert_eq!(hidden(&values, short), short);
}

#[test]
fn a_secret_that_repeats_itself_is_hidden_at_once_wherever_it_begins_and_ends() {
    let long = format!("{}-{}", "a1".repeat(2_000), "b2".repeat(500));
    let redactor = redactor(&[("PW", "a1a1a1a1a1a1"), ("LONG", &long)]);
    let output = "a1".repeat(30_000);
    let mut filter = redactor.filter();
    let mut shown = String::new();
    for chunk in output.as_bytes().chunks(4_001) {
        shown += str::from_utf8(&filter.push(chunk)).unwrap();
        assert!(filter.held.len() < long.len(), "{} bytes wait", filter.held.len());
    }
    shown += str::from_utf8(&filter.finish()).unwrap();
    assert!(!shown.contains("a1"), "{shown}");
    assert!(shown.len() < 200, "{shown}");
    assert_eq!(redactor.text(&format!("x {long}{long} y")), "x [secret LONG][secret LONG] y");
}

#[test]
fn nothing_waits_that_cannot_be_the_beginning_of_a_secret() {
    let redactor = redactor(&[("PW", "s3cr3t-pa55w0rd")]);
    let shown =
        chunks(&redactor, &[b"line\n", b"no s3cr", b"3t\ns3cr3t-pa", b"55w0rd\nend s", b"\n"]);
    assert_eq!(shown, ["line\n", "no ", "s3cr3t\n", "[secret PW]\nend ", "s\n", ""]);
}

#[test]
fn a_line_waits_only_when_it_ends_with_more_than_a_few_characters_of_a_secret() {
    let redactor = redactor(&[("PW", "s3cr3t-pa55w0rd")]);
    let shown = chunks(&redactor, &[b"s3c\n", b"r3t-pa55w0rd\n", b"s3cr\n", b"3t-pa55w0rd\n"]);
    assert_eq!(shown, ["s3c\n", "[secret PW]\n", "", "[secret PW]\n", ""]);
    let shown = chunks(&redactor, &[b"s3c\n\n", b"\nno\n", b"s3cr\n", b"\n"]);
    assert_eq!(shown, ["s3c\n\n", "\nno\n", "", "", "s3cr\n\n"]);
}

#[test]
fn of_a_text_that_was_cut_the_beginning_of_a_secret_is_hidden() {
    let values = [("PW", "s3cr3t-pa55w0rd")];
    assert_eq!(hidden(&values, "pw s3cr3t-pa…"), "pw [secret PW]…");
    assert_eq!(hidden(&values, "pw \x1b[1ms3cr3t-pa…\x1b[0m"), "pw \x1b[1m[secret PW]…\x1b[0m");
    assert_eq!(hidden(&values, "pw s3cr3t-pa"), "pw s3cr3t-pa");
}

#[test]
fn a_secret_is_hidden_where_a_line_is_cut_or_cleaned() {
    let redactor = redactor(&[("PW", "s3cr3t-pa55w0rd")]);
    let mut lines = Lines::new(&redactor);
    let long = format!("{}s3cr3t-pa55w0rd\n", "x".repeat(990));
    let shown = lines.push(long.as_bytes()).concat();
    assert!(shown.ends_with("x[secret…"), "{shown}");
    // Directions are taken away after the filter, and before the row is written.
    let shown = lines.push("s3cr3t\u{202e}-pa55w0rd\n".as_bytes()).concat();
    assert_eq!(redactor.text(&shown), "[secret PW]");
}

#[test]
fn names_are_short_and_no_value_is_in_debug_output() {
    let mut secrets = Secrets::default();
    secrets.add(&"é\n".repeat(80), "s3cr3t-pa55w0rd").unwrap();
    let redactor = Redactor::new(&secrets);
    assert_eq!(redactor.text("s3cr3t-pa55w0rd"), format!("[secret {}…]", "é".repeat(38)));
    let mut filter = redactor.filter();
    drop(filter.push(b"s3cr3t-pa55"));
    assert!(!format!("{secrets:?} {redactor:?} {filter:?}").contains("s3cr"));
}

#[test]
fn ten_thousand_secrets_are_hidden_and_no_more_are_taken() {
    let mut secrets = Secrets::default();
    for number in 0..10_000 {
        secrets.add("N", format!("s3cr3t-{number:05}")).unwrap();
    }
    assert_eq!(secrets.add("M", "s3cr3t-pa55w0rd"), Err(Unhidable::TooMany));
    let text = Redactor::new(&secrets).text("s3cr3t-00000 s3cr3t-09999 s3cr3t-10000");
    assert_eq!(text, "[secret N] [secret N] s3cr3t-10000");
}

/// Text in which secrets, parts of them and escapes stand close to each other.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("s3cr3t-pa55"),
        Just("w0rd"),
        Just("s3c"),
        Just("r3t"),
        Just("\n"),
        Just(" "),
        Just("\x1b[31m"),
        Just("\x1b[3"),
        Just("\x1b]0;t\x07"),
        Just("%73"),
        Just("%"),
        Just("3c"),
        Just("\\u0073"),
        Just("\\"),
        Just("\\n"),
        Just("%255C"),
        Just("czNjcjN0LXBhNTV3MHJk"),
        Just("czNjcjN0"),
        Just("LXBhNTV3MHJk"),
        Just("é"),
        Just("%5"),
        Just("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
        Just("BKcwggSjAgEA"),
        Just("AoIBAQC7VJTUt9Us8cKj"),
        Just("2d"),
        Just("\n\n\n"),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_shown_does_not_depend_on_where_chunks_end(
        text in text(),
        cuts: Vec<prop::sample::Index>,
    ) {
        let redactor = redactor(&[("PW", "s3cr3t-pa55w0rd"), ("KEY", KEY), ("X", "r3t-pa55")]);
        let whole = shown(&redactor, &[&text]).concat();
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(shown(&redactor, &bytes).concat(), whole.clone());
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.push(text.len());
        ends.sort_unstable();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let pieces: Vec<&[u8]> = starts.zip(&ends).map(|(start, end)| &text[start..*end]).collect();
        prop_assert_eq!(shown(&redactor, &pieces).concat(), whole);
    }

    #[test]
    fn any_bytes_come_through_that_hold_no_secret(text: Vec<u8>) {
        let redactor = redactor(&[("PW", "s3cr3t-pa55w0rd")]);
        let mut filter = redactor.filter();
        let mut shown = filter.push(&text).into_owned();
        shown.extend(filter.finish());
        prop_assert_eq!(shown, text);
    }
}
