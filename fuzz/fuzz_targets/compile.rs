//! No text keeps the compiler from answering, and what it says of it has its place inside.

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
#[path = "../../src/paas/mod.rs"]
mod paas;

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;

use crate::paas::{Context, ContextFile, compile, render_branches, render_warnings};

const CONTEXT: &str = include_str!("../../tests/paas/context.toml");
const FILE_NAME: &str = ".paas.yaml";

thread_local! {
    /// One that forgives, one that does not.
    static CONTEXTS: OnceCell<[Context; 2]> = const { OnceCell::new() };
}

fn contexts() -> [Context; 2] {
    let context = ContextFile::read(CONTEXT).unwrap().into_context();
    let strict = Context { strict: true, deploys: true, ..context.clone() };
    [context, strict]
}

fn check(text: &[u8], context: &Context) {
    let lines = 1 + text.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    let (faults, rendered) = match compile(text, context) {
        Ok(compiled) => {
            assert!(!compiled.model.pods.is_empty());
            let mut rendered = render_warnings(&compiled.warnings, text, FILE_NAME);
            rendered.extend(render_branches(&compiled.branches, FILE_NAME));
            (compiled.warnings, rendered)
        }
        Err(faults) => (faults.as_slice().to_vec(), faults.render(text, FILE_NAME)),
    };
    for line in rendered {
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    for fault in faults {
        assert!(fault.line <= lines, "{fault:?}");
    }
}

fuzz_target!(|text: &[u8]| {
    CONTEXTS.with(|made| {
        for context in made.get_or_init(contexts) {
            check(text, context);
        }
    });
});
