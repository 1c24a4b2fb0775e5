//! `pierhead schema`: the language for editors.

use crate::cli::say;
use crate::paas;

/// Prints the JSON Schema of `.paas.yaml`.
pub(super) fn run() {
    say(&format!("{:#}", paas::schema()));
}
