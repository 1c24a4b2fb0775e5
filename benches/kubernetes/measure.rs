//! The rounds: each by Pierhead and by kubectl.

use std::env;
use std::hint::black_box;
use std::io::{Write as _, stdout};
use std::time::Instant;

use pierhead::domain::ids::{Fence, JobNumber, ReleaseNumber};
use pierhead::domain::level::Level;
use pierhead::domain::release::PinnedImages;
use pierhead::manifests::{ContentKey, Images, Inputs, Owner, Settings, Target, Unpinned, render};
use pierhead::paas::compile;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::by_hand::Kubectl;
use crate::ground::{Ground, Took};
use crate::numbers::Numbers;
use crate::pods::{context_of_pods, file};

/// How often a model is rendered.
const RENDERINGS: usize = 100;

/// How often objects are applied by each.
const ROUNDS: usize = 7;

pub(crate) fn run() {
    Runtime::new().unwrap().block_on(measure());
}

async fn measure() {
    let asked: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|word| word == name);
    let mut numbers = Numbers::default();
    if is_asked("render") {
        rendering(&mut numbers);
    }
    if is_asked("unchanged") || is_asked("release") {
        match Ground::open() {
            Some(mut ground) => {
                on_cluster(&mut ground, &mut numbers, [is_asked("unchanged"), is_asked("release")])
                    .await;
            }
            None => say("Nothing is measured on a cluster: KUBECONFIG names none."),
        }
    }
    say(&numbers.to_string());
}

fn say(text: &str) {
    writeln!(stdout(), "{text}").unwrap();
}

fn rendering(numbers: &mut Numbers) {
    let owner = Owner {
        account: "acme".parse().unwrap(),
        project: Uuid::nil().into(),
        environment: Uuid::nil().into(),
        fence: Fence(1),
        job: Uuid::nil().into(),
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
    let model = compile(file(100).as_bytes(), &context_of_pods()).unwrap().model;
    for _ in 0..RENDERINGS {
        let began = Instant::now();
        let manifests = black_box(render(black_box(&model), &inputs).unwrap());
        numbers.add("render: 100 pods", began.elapsed());
        drop(manifests);
    }
}

async fn on_cluster(ground: &mut Ground, numbers: &mut Numbers, asked: [bool; 2]) {
    let [unchanged, release] = asked;
    let kubectl = Kubectl::find(ground.selector());
    match kubectl {
        Some(_) => say(&format!("kubectl: {}\n", Kubectl::version())),
        None => say("Nothing stands beside Pierhead's times: kubectl is not installed.\n"),
    }
    // Images are on the node and programs in memory before anything counts.
    let first = ground.next();
    ground.release(&first).await;
    if let Some(kubectl) = &kubectl {
        kubectl.apply(&kubectl.write(&first));
    }
    if unchanged {
        for round in 0..ROUNDS {
            let ours = async || ground.apply(&first).await;
            let theirs = kubectl.as_ref().map(|kubectl| (kubectl, kubectl.write(&first)));
            let theirs = || theirs.as_ref().map(|(kubectl, file)| kubectl.apply(file));
            let (ours, theirs) = if round % 2 == 0 {
                let ours = ours().await;
                (ours, theirs())
            } else {
                let theirs = theirs();
                (ours().await, theirs)
            };
            numbers.add("unchanged: Pierhead", ours);
            if let Some(theirs) = theirs {
                numbers.add("unchanged: kubectl apply --server-side", theirs);
            }
        }
    }
    if release {
        for round in 0..ROUNDS {
            // Both in turns: each release is the next one of what the other has put there.
            if round % 2 == 0 {
                ours(ground, numbers).await;
                by_hand(ground, numbers, kubectl.as_ref());
            } else {
                by_hand(ground, numbers, kubectl.as_ref());
                ours(ground, numbers).await;
            }
        }
    }
}

async fn ours(ground: &mut Ground, numbers: &mut Numbers) {
    let manifests = ground.next();
    let Took { applying, all } = ground.release(&manifests).await;
    numbers.add("release: Pierhead", all);
    numbers.add("release: Pierhead, of it applying", applying);
}

fn by_hand(ground: &mut Ground, numbers: &mut Numbers, kubectl: Option<&Kubectl>) {
    let Some(kubectl) = kubectl else { return };
    let file = kubectl.write(&ground.next());
    let applying = kubectl.apply(&file);
    let waiting = kubectl.wait(ground.namespace());
    numbers.add("release: kubectl", applying + waiting);
    numbers.add("release: kubectl, of it applying", applying);
}
