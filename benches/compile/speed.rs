//! What criterion measures.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput};
use pierhead::domain::ids::{Fence, JobNumber, ReleaseNumber};
use pierhead::domain::level::Level;
use pierhead::domain::release::PinnedImages;
use pierhead::manifests::{ContentKey, Images, Inputs, Owner, Settings, Target, Unpinned, render};
use pierhead::paas::{Context, ContextFile, compile};
use uuid::Uuid;

pub(crate) fn measure() {
    let mut criterion = Criterion::default().configure_from_args();
    example(&mut criterion);
    pods(&mut criterion);
    kubernetes(&mut criterion);
    criterion.final_summary();
}

fn context(text: &str) -> Context {
    ContextFile::read(text).unwrap().into_context()
}

fn example(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/paas/examples");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let (text, context) = (read("a.paas.yaml"), context(&read("a.context.toml")));
    criterion.bench_function("example", |bencher| {
        bencher.iter(|| compile(black_box(text.as_bytes()), &context).unwrap());
    });
}

/// The context of files that only differ in how much there is of everything.
fn context_of_pods() -> Context {
    context(
        "project = 'shop'\nenvironment = 'production'\nprefix = 'acme'\n\
         variables = { REGION = 'eu' }\n\
         quotas = [{ category = 'compute', type = 'cpu', capacity = '4000' }, \
         { category = 'memory', type = 'memory', capacity = '64Ti' }]\n",
    )
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

fn file(pods: u64) -> String {
    let (mut sections, mut services) = ("pods:\n".to_owned(), "services:\n".to_owned());
    for n in 0..pods {
        write!(
            sections,
            "  web{n}:
    replicas: 2
    containers:
      web:
        image: registry.example.org/web
        version: '1.{n}'
        listen: [8080]
        variables: {{REGION: '${{REGION}}', DATABASE: 'R{{database}}'}}
        resources: [{{type: cpu, require: 100m, limit: 200m}}]
        if{{REGION=eu}}: {{variables: {{CURRENCY: EUR}}}}
      worker:
        image: registry.example.org/worker
        volumes: {{data: {{persistent: true, mount-path: /data, storage-size: 1Gi}}}}
"
        )
        .unwrap();
        writeln!(services, "  web{n}: {{ports: [{{listen: 80, target: 8080}}]}}").unwrap();
    }
    sections + &services
}
