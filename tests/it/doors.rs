//! `docs/doors.md` has everything that can be done through any door, and nothing else.

use std::collections::BTreeSet;
use std::process::Command;

use pierhead::ssh::RIGHTS;
use pierhead::web::Route;
use pierhead::web::admin::{OPEN, PAGES};
use pierhead::web::api::ROUTES;

const PAGE: &str = include_str!("../../docs/doors.md");

/// What stands in backticks in a column of the table, from 1.
fn told(column: usize) -> BTreeSet<String> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.filter_map(|row| row.split('|').nth(column));
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    words
        .map(|word| {
            let word = word.replace("{p}", "{account}/{project}");
            word.replace("{e}", "environments/{environment}")
        })
        .collect()
}

fn asked(routes: &[Route]) -> BTreeSet<String> {
    routes.iter().map(|route| format!("{} {}", route.method, route.path)).collect()
}

#[test]
fn the_table_has_every_page_and_every_request_of_the_api() {
    let mut pages = asked(PAGES);
    pages.extend(OPEN.iter().map(|(method, path)| format!("{method} {path}")));
    assert_eq!(told(2), pages);
    assert_eq!(told(3), asked(ROUTES));
}

#[test]
fn the_table_has_every_command_of_ssh() {
    let told = told(4);
    for right in RIGHTS.iter().filter(|right| !right.words.starts_with("git-")) {
        let is_told = told.iter().any(|words| right.words.starts_with(words.as_str()));
        // `vars acme/shop set A` is `vars set`.
        let place = right.words.replacen("acme/shop ", "", 1);
        let is_told = is_told || told.iter().any(|words| place.starts_with(words.as_str()));
        assert!(is_told, "{}", right.words);
    }
    for words in &told {
        let first = words.split(' ').next().unwrap();
        assert!(RIGHTS.iter().any(|right| right.words.split(' ').next() == Some(first)), "{words}");
    }
}

#[test]
fn every_command_of_admin_that_is_told_is_one() {
    for words in told(5) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pierhead"));
        let output = command.arg("admin").args(words.split(' ')).arg("--help").output().unwrap();
        assert!(output.status.success(), "admin {words}");
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(&format!("Usage: pierhead admin {words}")), "admin {words}: {help}");
    }
}
