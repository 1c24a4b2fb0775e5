//! `.paas.yaml` files as Kubernetes objects: the examples of the specification, and the command.

mod command;
mod examples;
pub(crate) mod levels;

use pierhead::domain::ids::{Fence, JobNumber, ReleaseNumber};
use pierhead::domain::registry::RegistryAddress;
use pierhead::domain::release::PinnedImages;
use pierhead::manifests::{
    ContentKey, Images, Inputs, Manifests, Owner, QuotaRow, Settings, Target, Unpinned,
    Unrenderable, render,
};
use pierhead::paas::{ContextFile, compile};
use uuid::Uuid;

/// A file as the objects of a cluster of some version.
fn objects(
    text: &str,
    context: &str,
    level: &str,
    settings: &Settings,
) -> Result<Manifests, Vec<Unrenderable>> {
    let file = ContextFile::read(context).unwrap();
    let registry = file.registry.as_ref().map(|registry| registry.parse().unwrap());
    let cluster = file.clusters.first();
    let cluster = cluster.map_or("lagoon".to_owned(), |cluster| cluster.name.clone());
    let compiled = compile(text.as_bytes(), &file.into_context()).unwrap_or_else(|faults| {
        panic!("{}", faults.render(text.as_bytes(), ".paas.yaml").join("\n"));
    });
    let owner = Owner {
        account: "harbour".parse().unwrap(),
        project: Uuid::from_u128(1).into(),
        environment: Uuid::from_u128(2).into(),
        fence: Fence(7),
        job: Uuid::from_u128(0x42).into(),
        number: JobNumber(42),
        release: ReleaseNumber(3),
    };
    let target = Target {
        cluster,
        namespace: "lagoon".to_owned(),
        is_hierarchical: false,
        level: level.parse().unwrap(),
        controllers: [].into(),
        default_class: None,
    };
    let registry: Option<&RegistryAddress> = registry.as_ref();
    let gpu = QuotaRow { kind: "nvidia.com/gpu".to_owned(), requires: 1_000, capacity: 1_000 };
    let inputs = Inputs {
        owner: &owner,
        target: &target,
        settings,
        images: Images { pinned: &PinnedImages::new(), others: Unpinned::ByTag(registry) },
        registry: None,
        // Of what is given out whole a quota does not ask every container.
        quotas: &[gpu],
        key: &ContentKey([0; 32]),
    };
    render(&compiled.model, &inputs)
}
