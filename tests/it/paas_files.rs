//! The table of deployment files: what each comes to, or what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

use pierhead::paas::compiled::Deployment;
use pierhead::paas::{self, Compiled, Context, ContextFile};
use serde::Serialize;

const FILE_NAME: &str = ".paas.yaml";

/// What every file of the table is compiled with.
fn context() -> Context {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas/context.toml");
    ContextFile::read(&fs::read_to_string(file).unwrap()).unwrap().into_context()
}

/// What a valid file comes to.
#[derive(Serialize)]
struct Outcome {
    summary: String,
    warnings: Vec<String>,
    model: Deployment,
}

/// The files of a folder of the table.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas").join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|name| name == "yaml")).collect();
    assert!(!files.is_empty());
    files.sort();
    files
}

/// Compares with the snapshot beside the file.
fn beside(file: &Path, compare: impl FnOnce(&str)) {
    let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(file.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| compare(&name));
}

#[test]
fn every_valid_file_comes_to_its_model() {
    for file in files("valid") {
        let text = fs::read(&file).unwrap();
        let Compiled { model, warnings, .. } = paas::compile(&text, &context())
            .map_err(|faults| faults.render(&text, FILE_NAME).join("\n"))
            .unwrap();
        let warnings = paas::render_warnings(&warnings, &text, FILE_NAME);
        beside(&file, |name| {
            let summary = model.summary();
            insta::assert_json_snapshot!(name, Outcome { summary, warnings, model });
        });
    }
}

#[test]
fn every_invalid_file_is_told_all_its_faults() {
    for file in files("invalid") {
        let text = fs::read(&file).unwrap();
        let faults = paas::compile(&text, &context()).unwrap_err();
        let lines = faults.render(&text, FILE_NAME).join("\n");
        let warnings = paas::render_warnings(faults.warnings(), &text, FILE_NAME).join("\n");
        let lines = format!("{lines}\n\n{warnings}").trim_end().to_owned();
        for secret in ["s3cret", "hunter2"] {
            assert!(!lines.contains(secret), "{}: {lines}", file.display());
        }
        beside(&file, |name| {
            insta::assert_snapshot!(name, format!("{}\n\n{lines}", faults.first_line(FILE_NAME)));
        });
    }
}

#[test]
fn what_no_target_can_do_yet_is_refused_where_it_stands() {
    let context = Context { deploys: true, ..context() };
    for file in files("undeployable") {
        let text = fs::read(&file).unwrap();
        let faults = paas::compile(&text, &context).unwrap_err();
        beside(&file, |name| {
            insta::assert_snapshot!(name, faults.render(&text, FILE_NAME).join("\n"));
        });
    }
}
