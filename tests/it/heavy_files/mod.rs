//! Files that ask for much more work than others of their size come to an end too.

pub(crate) mod list;

use pierhead::paas::{compile, render_warnings};

use crate::heavy_files::list::{Heavy, context, heavy_files};

#[test]
fn every_heavy_file_comes_to_an_end() {
    let context = context();
    let mut wrong = Vec::new();
    for Heavy { name, text, code } in heavy_files() {
        // What grows with the square of a file takes minutes or hours here, not seconds.
        let found = match compile(&text, &context) {
            Ok(compiled) => {
                drop(render_warnings(&compiled.warnings, &text, "f"));
                None
            }
            Err(faults) => {
                drop(faults.render(&text, "f"));
                faults.as_slice().first().map(|fault| fault.code.as_str())
            }
        };
        if found != code {
            wrong.push(format!("{name}: {found:?}, not {code:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
