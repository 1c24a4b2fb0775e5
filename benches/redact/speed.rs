//! What criterion measures.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use pierhead::domain::redact::{Redactor, Secrets};

use crate::redaction::corpus::{Dice, SECRETS, ordinary, outputs};

/// What an engine sends at once.
const CHUNK: usize = 4_096;

/// Lines that make about 16 MB, and outputs that make about 2 MB.
const LINES: usize = 240_000;
const OUTPUTS: usize = 6_000;

pub(crate) fn measure() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let text = ordinary(LINES);
    let json = format!("{{\\\"a\\\":\\\"{}\\\"}}\n", "b".repeat(40)).repeat(50_000);
    let secrets: Vec<u8> = outputs(OUTPUTS).flat_map(|output| output.text).collect();
    stream(&mut criterion, ("no secret", 0), text.as_bytes());
    stream(&mut criterion, ("50 secrets", 50), text.as_bytes());
    stream(&mut criterion, ("1000 secrets", 1_000), text.as_bytes());
    stream(&mut criterion, ("50 secrets, escapes", 50), json.as_bytes());
    stream(&mut criterion, ("50 secrets, found", 50), &secrets);
    let mut group = criterion.benchmark_group("prepare");
    for count in [50, 1_000] {
        let secrets = some(count);
        group.bench_with_input(BenchmarkId::from_parameter(count), &secrets, |bencher, secrets| {
            bencher.iter(|| Redactor::new(black_box(secrets)));
        });
    }
    group.finish();
    criterion.final_summary();
}

fn stream(criterion: &mut Criterion, (name, count): (&str, usize), text: &[u8]) {
    let redactor = Redactor::new(&some(count));
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Bytes(text.len().try_into().unwrap()));
    group.bench_with_input(BenchmarkId::from_parameter(name), text, |bencher, text| {
        bencher.iter(|| {
            let mut filter = redactor.filter();
            let chunks = text.chunks(CHUNK);
            let shown: usize = chunks.map(|chunk| filter.push(black_box(chunk)).len()).sum();
            shown + filter.finish().len()
        });
    });
    group.finish();
}

/// Secrets like those of the corpus: each with characters of its own in it.
fn some(count: usize) -> Secrets {
    let (mut secrets, mut dice) = (Secrets::default(), Dice::new());
    for number in 0..count {
        let (name, value) = SECRETS[number % SECRETS.len()];
        let is_first = number < SECRETS.len();
        let own = value.chars().map(|c| match c {
            'a'..='z' if !is_first => char::from(b'a' + u8::try_from(dice.below(26)).unwrap()),
            'A'..='Z' if !is_first => char::from(b'A' + u8::try_from(dice.below(26)).unwrap()),
            '0'..='9' if !is_first => char::from(b'0' + u8::try_from(dice.below(10)).unwrap()),
            c => c,
        });
        secrets.add(name, own.collect::<String>()).unwrap();
    }
    secrets
}
