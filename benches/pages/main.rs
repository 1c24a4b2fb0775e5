//! What pages cost where there is much to show: `cargo bench --bench pages`.
//!
//! Needs a PostgreSQL server, which `bin/test -- cargo bench --bench pages` starts. `-- 50` asks for
//! each page 50 times instead of 20.
//!
//! A database is filled: 10,000 projects of 100 accounts, each with an environment, a rule, a target and
//! a release that serves; 1,000,000 rows of Histories, 100,000 of them of one job; 100,000 entries of the
//! audit log. Then:
//!
//! * **pages**: an administrator asks for each page of the table of routes again and again, over one
//!   connection each, and reads all of it. What is measured is from the request to the last byte.
//! * **followers**: 200 browsers follow one job, to which a line is added 20 times a second. What is
//!   measured is from the commit of the line to when each of them has read it.

#[cfg(test)]
mod followers;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod seed;
#[cfg(test)]
#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod support;

fn main() {
    #[cfg(test)]
    measure::run();
}
