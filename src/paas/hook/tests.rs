//! Tests of the words of hooks, pure and without a file around them.

use indexmap::IndexMap;

use super::*;

fn words(kind: HookKind, action: &str, arguments: &[&str]) -> Result<String, Problem> {
    let words = HookRule::from(kind).words(Some(action), arguments)?;
    Ok(words.join(" "))
}

fn wrong(kind: HookKind, action: &str, arguments: &[&str]) -> (Word, Wrong) {
    match words(kind, action, arguments) {
        Err(Problem::At(word, wrong)) => (word, wrong),
        other => panic!("{other:?}"),
    }
}

#[test]
fn listed_names_get_their_dashes_and_values_stay_as_they_are() {
    let given = |kind, action, arguments: &[&str]| words(kind, action, arguments).unwrap();
    for (got, expected) in [
        (
            given(HookKind::Composer, "install", &["no-dev", "prefer-install=dist"]),
            "install --no-dev --prefer-install=dist",
        ),
        (
            given(HookKind::Composer, "require", &["a/b:1.0", "with-dependencies"]),
            "require a/b:1.0 --with-dependencies",
        ),
        (given(HookKind::Npm, "ci", &["no-audit", "omit", "dev"]), "ci --no-audit --omit dev"),
        (given(HookKind::Npm, "install", &["left-pad"]), "install left-pad"),
        (given(HookKind::Npm, "run", &["build"]), "run build"),
        (given(HookKind::Npm, "run", &["build", "--", "--fast"]), "run build -- --fast"),
        (given(HookKind::Npm, "run", &["build", "--fast", "x"]), "run build -- --fast x"),
        (
            given(HookKind::Pip, "install", &["q", "r", "r/src", "target", "src"]),
            "install -q -r r/src --target src",
        ),
        (given(HookKind::Pip, "install", &["src==1.0"]), "install src==1.0"),
        (given(HookKind::Make, "-j4", &["--help", "all"]), "-j4 --help all"),
        (given(HookKind::Symfony, "cache:warmup", &["--env=prod"]), "cache:warmup --env=prod"),
        (given(HookKind::Exec, "-x", &["no-dev"]), "-x no-dev"),
    ] {
        assert_eq!(got, expected);
    }
}

#[test]
fn whatever_begins_with_a_dash_is_refused_and_never_rewritten() {
    let at = Word::Argument;
    let npm = |arguments: &[&str]| wrong(HookKind::Npm, "ci", arguments);
    assert_eq!(npm(&["--prefix=/"]), (at(0), Wrong::Dash(None)));
    assert_eq!(npm(&["no-audit", "--omit=dev"]), (at(1), Wrong::Dash(Some("omit"))));
    assert_eq!(npm(&["omit", "--prefix=/"]), (at(1), Wrong::Dash(None)));
    assert_eq!(npm(&["omit=-x"]), (at(0), Wrong::Dash(None)));
    assert_eq!(npm(&["omit"]), (at(0), Wrong::NoValue));
    assert_eq!(npm(&["-"]), (at(0), Wrong::Dash(None)));
    let test = wrong(HookKind::Npm, "test", &["--", "--watch"]);
    assert_eq!(test, (at(0), Wrong::Dash(None)));
    let run = |arguments: &[&str]| wrong(HookKind::Npm, "run", arguments);
    assert_eq!(run(&[]), (Word::Action, Wrong::NoScript));
    assert_eq!(run(&["--prefix=/"]), (at(0), Wrong::NoScript));
    // A name of another action is a word like others.
    assert_eq!(words(HookKind::Npm, "login", &["no-audit"]).unwrap(), "login no-audit");
}

#[test]
fn paths_stay_in_the_repository() {
    for (kind, action, arguments) in [
        (HookKind::Composer, "install", &["working-dir=../x"][..]),
        (HookKind::Composer, "install", &["working-dir", "a/../../x"]),
        (HookKind::Pip, "install", &["target=/usr"]),
        (HookKind::Pip, "install", &["cert", "/etc/shadow"]),
        (HookKind::Pip, "install", &["r", "../secret"]),
        (HookKind::Pip, "wheel", &["src", "../.."]),
    ] {
        assert_eq!(wrong(kind, action, arguments).1, Wrong::Leaves, "{arguments:?}");
    }
    assert!(words(HookKind::Pip, "install", &["target", "a/../b"]).is_ok());
}

#[test]
fn every_word_is_bounded_and_free_of_shells() {
    let long = "x".repeat(LONGEST_WORD + 1);
    for (word, expected) in [
        ("a;b", Wrong::Shell),
        ("a&&b", Wrong::Shell),
        ("a>b", Wrong::Shell),
        ("a\0b", Wrong::Control),
        ("a\nb", Wrong::Control),
        (long.as_str(), Wrong::TooLong),
    ] {
        for kind in [HookKind::Npm, HookKind::Make, HookKind::Exec] {
            let action = if kind == HookKind::Npm { "ci" } else { "all" };
            assert_eq!(wrong(kind, action, &[word]), (Word::Argument(0), expected.clone()));
            assert_eq!(wrong(kind, word, &[]), (Word::Action, expected.clone()));
        }
    }
    let many = ["x"; MOST_ARGUMENTS + 1];
    assert_eq!(words(HookKind::Make, "all", &many), Err(Problem::TooMany));
}

#[test]
fn an_administrator_takes_actions_away_and_adds_none() {
    let rule = |kind, actions: &[&str]| HookRule {
        kind,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
    };
    let npm = rule(HookKind::Npm, &["ci", "publish"]);
    assert_eq!(npm.allowed(), ["ci"]);
    let unknown = Problem::At(Word::Action, Wrong::UnknownAction);
    assert_eq!(npm.words(Some("install"), &[]), Err(unknown.clone()));
    assert_eq!(npm.words(Some("publish"), &[]), Err(unknown.clone()));
    assert_eq!(npm.words(None, &[]), Err(Problem::NoAction));
    assert_eq!(rule(HookKind::Make, &["all"]).words(Some("clean"), &[]), Err(unknown));
    assert_eq!(rule(HookKind::Exec, &[]).words(None, &[]), Ok(vec![]));
}

#[test]
fn a_call_is_made_of_every_form_of_options() {
    let text = |text: &str| Value::Text(text.to_owned());
    let rule = HookRule::from(HookKind::Npm);
    let call = |words: &[&str], path: &str| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Some(HookCall { words, path: path.to_owned() })
    };
    let list = Value::List(vec![text("ci"), text("no-audit")]);
    assert_eq!(rule.call(&list), call(&["ci", "--no-audit"], ""));
    let entries = [
        ("action", text("run")),
        ("arguments", Value::List(vec![text("build")])),
        ("path", text("/front//web/")),
    ];
    let entries: IndexMap<_, _> = entries.map(|(key, value)| (key.to_owned(), value)).into();
    assert_eq!(rule.call(&Value::Mapping(entries)), call(&["run", "build"], "front/web"));
    assert_eq!(rule.call(&Value::List(vec![])), None);
    assert_eq!(HookRule::from(HookKind::Exec).call(&Value::List(vec![])), call(&[], ""));
}
