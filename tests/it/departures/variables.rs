//! `${…}` and `R{…}`.

use crate::departures::case::Case;

pub(super) const CASES: &[Case] = &[
    Case::new("F-14", "a small r names nothing", "maps: {texts: {a: 'r{foo} R{foo}'}}")
        .with("prefix = 'pre'\n")
        .is(&[("/maps/0/options/a", r#""r{foo} pre-foo""#)]),
    Case::new(
        "F-15",
        "an R behind a letter names nothing",
        "maps: {texts: {a: 'FOOR{x} _R{x} 1R{x} /R{x}'}}",
    )
    .with("prefix = 'pre'\n")
    .is(&[("/maps/0/options/a", r#""FOOR{x} _R{x} 1R{x} /pre-x""#)]),
    Case::new(
        "F-16",
        "a key with a variable stays where it is",
        "maps: {texts: {'k-${foo}': 1, b: 2, 'c-${EMPTY}': '${bar}'}}",
    )
    .is(&[("/maps/0/options", r#"{"k-F":"1","b":"2","c-":"${foo}"}"#)]),
    Case::new(
        "F-16",
        "two keys that come to the same are a fault",
        "maps: {texts: {'${foo}': 1, F: 2}}",
    )
    .fails(&["E-502 maps.texts"]),
    Case::new(
        "F-17",
        "whatever a variable holds is put in as text",
        "maps: {texts: {a: '${N}', b: 'x${EMPTY}x', c: '${EMPTY}'}}",
    )
    .is(&[("/maps/0/options", r#"{"a":"10","b":"xx","c":""}"#)]),
    Case::new(
        "F-18",
        "two dollars keep a brace as it is",
        "maps: {texts: {a: '$${foo} $$${foo} $$foo'}}",
    )
    .is(&[("/maps/0/options/a", r#""${foo} $${foo} $$foo""#)]),
    Case::new(
        "F-61",
        "names of objects may have a dash",
        "maps: {texts: {a: 'R{my-db}:5432', b: 'R{my_db}'}}",
    )
    .with("prefix = 'pre'\n")
    .is(&[("/maps/0/options", r#"{"a":"pre-my-db:5432","b":"pre-my_db"}"#)]),
];
