//! The register of departures (paas-yaml.md §14): for each number, files that show the behaviour
//! that was chosen. The vectors of §15 and §9.6 stand beside them.

mod case;
mod conditions;
mod file;
mod images;
mod jobs;
mod quotas;
mod variables;
mod vectors;
mod workloads;

use std::collections::BTreeSet;

use crate::departures::case::Case;

/// Numbers that the register does not have.
const ABSENT: [u32; 2] = [13, 19];

/// The register's last number.
const LAST: u32 = 62;

/// Every case of the register.
fn cases() -> impl Iterator<Item = &'static Case> {
    let topics = [
        file::CASES,
        conditions::CASES,
        variables::CASES,
        quotas::CASES,
        images::CASES,
        workloads::CASES,
        jobs::CASES,
    ];
    topics.into_iter().flatten()
}

#[test]
fn every_departure_behaves_as_it_was_chosen() {
    let wrong: Vec<_> = cases().filter_map(|case| case.check().err()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn every_vector_comes_out() {
    let wrong: Vec<_> = vectors::CASES.iter().filter_map(|case| case.check().err()).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn every_number_of_the_register_has_a_case() {
    let shown: BTreeSet<_> = cases().map(|case| case.rule.to_owned()).collect();
    let numbers = (1..=LAST).filter(|number| !ABSENT.contains(number));
    let expected: BTreeSet<_> = numbers.map(|number| format!("F-{number:02}")).collect();
    assert_eq!(shown, expected);
}
