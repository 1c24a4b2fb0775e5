//! What criterion measures.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput};
use pierhead::paas::compile;

use crate::pods::{context, context_of_pods, file};

pub(crate) fn measure() {
    let mut criterion = Criterion::default().configure_from_args();
    example(&mut criterion);
    pods(&mut criterion);
    criterion.final_summary();
}

fn example(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas/examples");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (text, context) = (read("a.paas.yaml"), context(&read("a.context.toml")));
    criterion.bench_function("example", |bencher| {
        bencher.iter(|| compile(black_box(text.as_bytes()), &context).unwrap());
    });
}

fn pods(criterion: &mut Criterion) {
    let context = context_of_pods();
    let mut group = criterion.benchmark_group("pods");
    for count in [10, 100, 1_000] {
        let text = file(count);
        compile(text.as_bytes(), &context).unwrap();
        group.throughput(Throughput::Elements(count));
        group.bench_with_input(BenchmarkId::from_parameter(count), &text, |bencher, text| {
            bencher.iter(|| compile(black_box(text.as_bytes()), &context).unwrap());
        });
    }
}
