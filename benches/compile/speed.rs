//! What criterion measures.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput};
use pierhead::domain::ids::{Fence, JobNumber, ReleaseNumber};
use pierhead::domain::level::Level;
use pierhead::domain::release::PinnedImages;
use pierhead::manifests::{ContentKey, Images, Inputs, Owner, Settings, Target, Unpinned, render};
use pierhead::paas::compile;
use uuid::Uuid;

use crate::pods::{context, context_of_pods, file};

pub(crate) fn measure() {
    let mut criterion = Criterion::default().configure_from_args();
    example(&mut criterion);
    pods(&mut criterion);
    kubernetes(&mut criterion);
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

/// Models as objects of a cluster.
fn kubernetes(criterion: &mut Criterion) {
    let id = Uuid::nil;
    let owner = Owner {
        account: "acme".parse().unwrap(),
        project: id().into(),
        environment: id().into(),
        fence: Fence(1),
        job: id().into(),
        number: JobNumber(1),
        release: ReleaseNumber(1),
    };
    let target = Target {
        cluster: "eu".to_owned(),
        namespace: "shop".to_owned(),
        is_hierarchical: false,
        level: Level::OLDEST,
        controllers: [].into(),
        default_class: None,
    };
    let inputs = Inputs {
        owner: &owner,
        target: &target,
        settings: &Settings::default(),
        images: Images { pinned: &PinnedImages::new(), others: Unpinned::ByTag(None) },
        registry: None,
        quotas: &[],
        key: &ContentKey([0; 32]),
    };
    let mut group = criterion.benchmark_group("kubernetes");
    for count in [10, 100, 1_000] {
        let model = compile(file(count).as_bytes(), &context_of_pods()).unwrap().model;
        render(&model, &inputs).unwrap();
        group.throughput(Throughput::Elements(count));
        group.bench_with_input(BenchmarkId::from_parameter(count), &model, |bencher, model| {
            bencher.iter(|| render(black_box(model), &inputs).unwrap());
        });
    }
}
