//! The user's reference of the language says what is true: its tables are those of the grammar,
//! its examples compile, and its errors are the ones that people see.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pierhead::domain::variables::Variables;
use pierhead::paas::{self, Context, HookKind, Tree};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/paas-yaml.md");

const KEYS: &str = "<!-- keys of ";
const END: &str = "<!-- end of keys -->";

/// Stands for what a fragment leaves out.
const POD: &str = "pods: {web: {containers: {app: {image: nginx, listen: [8080]}}}}\n";

/// A block of code: what follows the marks, and its lines.
struct Block {
    info: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let parts: Vec<_> = DOCUMENT.split("\n```").collect();
    let codes = parts.iter().skip(1).step_by(2);
    let blocks = codes.map(|code| {
        let (info, text) = code.split_once('\n').unwrap_or((code, ""));
        let text = if text.is_empty() { String::new() } else { format!("{text}\n") };
        Block { info: info.to_owned(), text }
    });
    blocks.collect()
}

/// A whole file: fragments leave out the pods.
fn whole(text: &str) -> String {
    let has_pods = text.lines().any(|line| line == "pods:");
    if has_pods { text.to_owned() } else { format!("{text}{POD}") }
}

const LIBRARIES: &str = r#"
pods.node-base.containers.server.image = "node"
containers.sidecar-metrics.image = "statsd"
ingresses.le-site.meta.letsencrypt = true
"#;

fn context() -> Context {
    let mut variables = Variables::default();
    let given = ["API_KEY", "DB_PASSWORD", "TLS_CRT", "TLS_KEY"].map(|name| (name, "s3cret"));
    for (name, value) in
        [("REGION", "eu"), ("ENV", "prod"), ("DOMAIN", "example.org")].into_iter().chain(given)
    {
        variables.add(name, value).unwrap();
    }
    let mut context = Context {
        project_name: "shop".to_owned(),
        environment: "production".to_owned(),
        variables,
        tree: Some(Tree::from_iter([
            "docker/shop/Dockerfile",
            "docker/web/Dockerfile",
            "src/index.php",
            "composer.json",
            "front/dist/app.js",
            "front/package.json",
            "data/seed/a.sql",
        ])),
        ..Context::default()
    };
    context.platform.features = BTreeSet::from(["block-storage".to_owned()]);
    context.platform.hooks = [("npm", HookKind::Npm), ("make", HookKind::Make)]
        .map(|(n, k)| (n.to_owned(), k.into()))
        .into();
    context.platform.libraries = toml::from_str(LIBRARIES).unwrap();
    context
}

#[test]
fn tables_are_those_of_the_grammar() {
    let mut tables = paas::reference();
    let mut document = String::new();
    let mut rest = DOCUMENT;
    while let Some((before, at)) = rest.split_once(KEYS) {
        let (section, behind) = at.split_once(" -->\n").unwrap();
        let (_, behind) = behind.split_once(END).unwrap();
        let table = tables.remove(section).unwrap_or_else(|| panic!("no section {section}"));
        document.push_str(&format!("{before}{KEYS}{section} -->\n{table}{END}"));
        rest = behind;
    }
    document.push_str(rest);
    assert_eq!(tables.keys().copied().collect::<Vec<_>>(), [""; 0], "sections without a table");
    if document != DOCUMENT {
        let right = Path::new(env!("CARGO_TARGET_TMPDIR")).join("paas-yaml.md");
        fs::write(&right, document).unwrap();
        panic!("the grammar changed: cp {} docs/paas-yaml.md", right.display());
    }
}

#[test]
fn links_lead_somewhere() {
    let headings = DOCUMENT.lines().filter(|line| line.starts_with('#')).map(|line| {
        let text = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect::<String>()
    });
    let headings: Vec<_> = headings.collect();
    let distinct: BTreeSet<_> = headings.iter().collect();
    assert_eq!(headings.len(), distinct.len(), "two headings are the same");
    let named = DOCUMENT.split("](#").skip(1).map(|link| link.split_once(')').unwrap().0);
    let dead: Vec<_> = named.filter(|link| !headings.iter().any(|name| name == link)).collect();
    assert_eq!(dead, [""; 0]);
}

#[test]
fn examples_compile() {
    let validator = jsonschema::draft202012::new(&paas::schema()).unwrap();
    let mut compiled = 0;
    for Block { info, text } in blocks() {
        let text = whole(&text);
        if info == "yaml" {
            let options = serde_saphyr::options! { strict_booleans: true };
            let file: Value = serde_saphyr::from_str_with_options(&text, options).unwrap();
            let errors = validator.iter_errors(&file).map(|error| error.to_string());
            assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{text}");
            let outcome = paas::compile(text.as_bytes(), &context());
            let faults = outcome.err().map(|f| f.render(text.as_bytes(), ".paas.yaml").join("\n"));
            assert_eq!(faults, None, "{text}");
            compiled += 1;
        }
    }
    assert!(compiled > 20, "{compiled} examples were found");
}

#[test]
fn errors_are_the_ones_that_people_see() {
    let blocks = blocks();
    let wrong = blocks.iter().position(|block| block.info == "yaml wrong").unwrap();
    let text = blocks[wrong].text.as_bytes();
    let faults = paas::compile(text, &context()).unwrap_err();
    let lines = faults.render(text, ".paas.yaml").join("\n");
    assert_eq!(blocks[wrong + 1].text, format!("{lines}\n"), "write this:\n{lines}");
}

#[test]
fn the_worked_example_of_shares_is_right() {
    let blocks = blocks();
    let text = blocks.iter().map(|block| &block.text).find(|text| text.contains("a1:")).unwrap();
    let compiled = paas::compile(text.as_bytes(), &context()).unwrap();
    let pods = serde_json::to_value(&compiled.model.pods).unwrap();
    let shares =
        [pods.pointer("/0/containers/0/resources"), pods.pointer("/2/containers/0/resources")];
    let share =
        serde_json::json!([{"type": "cpu", "require": 68, "limit": 561, "automatic": true}]);
    assert_eq!(shares, [Some(&share); 2]);
    for figure in ["R is 1700m", "561m", "68m"] {
        assert!(DOCUMENT.contains(figure), "{figure}");
    }
}
