//! What holds for every model.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::paas::compiled::{EnvValue, Resource};

/// A container: its rows of `resources` in base units.
type Rows = Vec<(&'static str, u64, u64)>;

/// Quotas of some cases, and for each what is required at most.
const QUOTAS: [&str; 3] = ["cpu", "gpu", "memory"];

fn category(kind: &str) -> &'static str {
    if kind == "memory" { "memory" } else { "compute" }
}

fn unit(kind: &str) -> &'static str {
    if kind == "memory" { "" } else { "m" }
}

/// Pods: their replicas, and their containers.
fn pods() -> impl Strategy<Value = Vec<(u32, Vec<Rows>)>> {
    let row = (select(&QUOTAS[..]), 0_u64..40, 0_u64..40);
    let rows = prop::collection::vec(row, 0..3).prop_map(|mut rows| {
        rows.sort_unstable();
        rows.dedup_by_key(|(kind, ..)| *kind);
        rows.into_iter().map(|(kind, require, more)| (kind, require, require + more)).collect()
    });
    let pod = (0_u32..150, prop::collection::vec(rows, 1..4));
    prop::collection::vec(pod, 1..5)
}

fn file(quotas: &[(u64, u64)], pods: &[(u32, Vec<Rows>)]) -> String {
    let quota = |(kind, (capacity, requires)): (&&str, &(u64, u64))| {
        let (category, unit) = (category(kind), unit(kind));
        format!(
            "  - {{category: {category}, type: {kind}, capacity: {capacity}{unit}, \
             requires: {requires}{unit}}}\n"
        )
    };
    let quotas: String = QUOTAS.iter().zip(quotas).map(quota).collect();
    let mut text = format!("paas:\n  quotas:\n{quotas}pods:\n");
    for (n, (replicas, containers)) in pods.iter().enumerate() {
        text += &format!("  pod{n}:\n    replicas: {replicas}\n    containers:\n");
        for (n, rows) in containers.iter().enumerate() {
            let row = |(kind, require, limit): &(&str, u64, u64)| {
                let unit = unit(kind);
                format!("{{type: {kind}, require: {require}{unit}, limit: {limit}{unit}}}")
            };
            let rows: Vec<_> = rows.iter().map(row).collect();
            let resources = match rows.len() {
                0 => String::new(),
                _ => format!(", resources: [{}]", rows.join(", ")),
            };
            text += &format!("      c{n}: {{image: x{resources}}}\n");
        }
    }
    text
}

/// Text of references and other text, and what it comes to.
fn pieces(
    variables: &BTreeMap<&'static str, String>,
) -> impl Strategy<Value = (String, String)> + use<> {
    let variable = |name: &'static str| {
        let value = variables.get(name).cloned().unwrap_or_default();
        Just((format!("${{{name}}}"), value))
    };
    let piece = prop_oneof![
        variable("a"),
        variable("b"),
        Just(("R{some-db}".to_owned(), "pre-some-db".to_owned())),
        Just(("$${a}".to_owned(), "${a}".to_owned())),
        "[x ./:]{1,3}".prop_map(|text: String| (text.clone(), text)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| {
        // An object's name does not begin inside a word.
        let (written, meant): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        (written.join("-"), meant.join("-"))
    })
}

proptest! {
    /// Whatever containers take or are given, no quota is exceeded by all of their replicas.
    #[test]
    fn nothing_exceeds_a_quota(
        quotas in prop::collection::vec((0_u64..20_000, 0_u64..=100), 3),
        pods in pods(),
    ) {
        let quotas: Vec<_> =
            quotas.into_iter().map(|(capacity, part)| (capacity, capacity * part / 100)).collect();
        let text = file(&quotas, &pods);
        let compiled = match compile(text.as_bytes(), &Context::default()) {
            Ok(compiled) => compiled,
            Err(faults) => {
                let mut codes = faults.as_slice().iter().map(|fault| fault.code.as_str());
                let expected = ["E-712", "E-713", "E-714"];
                prop_assert!(codes.all(|code| expected.contains(&code)), "{:?}", faults);
                return Ok(());
            }
        };
        for (kind, (capacity, requires)) in QUOTAS.iter().zip(&quotas) {
            let (mut limits, mut required) = (0, 0);
            let mut shares = Vec::new();
            for pod in &compiled.model.pods {
                let rows = pod.containers.iter().flat_map(|container| &container.resources);
                for row in rows.filter(|row| row.kind == *kind) {
                    let Resource { require, limit, automatic, .. } = *row;
                    prop_assert!(require <= limit);
                    limits += limit * u64::from(pod.replicas);
                    required += require * u64::from(pod.replicas);
                    if automatic && pod.replicas > 0 {
                        shares.push((require, limit));
                    }
                }
            }
            prop_assert!(limits <= *capacity, "{kind}: {limits} of {capacity}\n{text}");
            prop_assert!(required <= *requires, "{kind}: {required} of {requires}\n{text}");
            // Everybody gets the same, and something.
            shares.dedup();
            prop_assert!(shares.len() <= 1 && shares.iter().all(|(_, limit)| *limit > 0));
        }
    }

    /// What a variable holds is never looked at again, in keys as in values.
    #[test]
    fn variables_are_put_in_once(
        (variables, (key, meant_key), (value, meant_value)) in ("[${}aRb ]{0,6}", "[${}aRb]{0,6}")
            .prop_flat_map(|(a, b)| {
                let variables = BTreeMap::from([("a", a), ("b", b)]);
                (Just(variables.clone()), pieces(&variables), pieces(&variables))
            }),
    ) {
        let mut given = Variables::default();
        for (name, value) in &variables {
            given.add(name, value).unwrap();
        }
        let context = Context { variables: given, prefix: "pre".to_owned(), ..Context::default() };
        let text = format!(
            "maps: {{texts: {{'k-{key}': '{value}'}}}}\n\
             pods: {{web: {{containers: {{app: {{image: x, variables: {{A: '{value}'}}}}}}}}}}"
        );
        let model = compile(text.as_bytes(), &context).unwrap().model;
        let entry = model.maps[0].options.iter().next().unwrap();
        prop_assert_eq!(entry.0, &format!("k-{meant_key}"));
        prop_assert_eq!(entry.1, &compiled::Value::Text(meant_value.clone()));
        let variable = &model.pods[0].containers[0].env["A"];
        prop_assert_eq!(variable, &EnvValue::Text(meant_value));
    }
}
