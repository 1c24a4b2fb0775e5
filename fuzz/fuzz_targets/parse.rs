//! No text keeps the parser from answering, and a tree that is printed is the same when it is read.

#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../src/domain"]
mod domain {
    pub mod nearest;
    pub mod quota;
    pub mod redact {
        mod refusal;
        pub use refusal::{Unhidable, check};
    }
    pub mod route;
    pub mod variables;
    pub mod words;
}
/// Only what the parser needs; the fuzzer sees it without the rest.
#[path = "../../src/paas"]
mod paas {
    pub mod compiled;
    mod condition;
    mod context;
    mod fault;
    mod lexeme;
    mod merge;
    mod node;
    mod quantity;
    mod report;
    mod shape;
    mod source;
    mod tree;
    mod yaml;

    pub use context::Context;
    pub use fault::{Branch, Code, Fault, Faults, Severity};
    pub use tree::Tree;

    use crate::paas::report::Reports;
    use crate::paas::source::Source;

    /// The tree of a text as YAML on one line, or the number of its faults.
    pub fn printed(text: &str) -> Result<String, usize> {
        let mut reports = Reports::default();
        let node = yaml::parse(&Source::new(text), &mut reports);
        node.map(|node| shape::printed(&node)).map_err(|_| reports.errors.faults.len())
    }
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match paas::printed(text) {
        Ok(printed) => {
            let again = paas::printed(&printed);
            assert_eq!(again.as_ref(), Ok(&printed), "{text}");
        }
        Err(faults) => assert!(faults > 0, "{text}"),
    }
});
