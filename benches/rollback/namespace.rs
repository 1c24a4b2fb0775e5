//! A namespace of the cluster, until it is dropped.

use std::fs;

use pierhead::kubernetes::{Access, Cluster, Limits, ObjectRef};
use uuid::Uuid;

pub(crate) struct Namespace {
    access: Access,
    /// The file that says how the cluster is reached.
    pub(crate) kubeconfig: String,
}

impl Namespace {
    /// A new name; nothing without a cluster.
    #[expect(clippy::disallowed_methods, reason = "benchmarks have no configuration file")]
    pub(crate) fn find() -> Option<Self> {
        let kubeconfig = std::env::var("KUBECONFIG").ok().filter(|path| !path.is_empty())?;
        let text = fs::read_to_string(&kubeconfig).unwrap();
        let mut access = Access::from_kubeconfig(&text, None).unwrap();
        let mut id = Uuid::new_v4().simple().to_string();
        id.truncate(8);
        access.namespace = format!("ph-bench-{id}");
        Some(Self { access, kubeconfig })
    }

    pub(crate) fn name(&self) -> &str {
        &self.access.namespace
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let access = self.access.clone();
        let removal = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let cluster = Cluster::connect(&access, Limits::default()).unwrap();
                let namespace = ObjectRef::new("v1", "Namespace", &access.namespace);
                cluster.delete(&namespace).await.unwrap();
            });
        });
        removal.join().expect("the namespace is removed");
    }
}
