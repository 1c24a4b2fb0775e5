//! Files that only differ in how many pods they have.

use std::fmt::Write as _;

use pierhead::paas::{Context, ContextFile};

/// What a file of a context says.
pub(crate) fn context(text: &str) -> Context {
    ContextFile::read(text).unwrap().into_context()
}

/// The context of files that only differ in how much there is of everything.
pub(crate) fn context_of_pods() -> Context {
    context(
        "project = 'shop'\nenvironment = 'production'\nprefix = 'acme'\n\
         variables = { REGION = 'eu' }\n\
         quotas = [{ category = 'compute', type = 'cpu', capacity = '4000' }, \
         { category = 'memory', type = 'memory', capacity = '64Ti' }]\n",
    )
}

/// A file of so many pods, each of two containers with a volume, variables and a share of two quotas,
/// and a service for each.
pub(crate) fn file(pods: u64) -> String {
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
