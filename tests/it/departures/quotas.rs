//! Amounts, quotas and shares.

use crate::departures::case::Case;

/// The account's quotas of some cases.
const CPU_5: &str = "quotas = [{ category = 'compute', type = 'cpu', capacity = '5' }]\n";
const CPU_5_REQUIRES_2: &str =
    "quotas = [{ category = 'compute', type = 'cpu', capacity = '5', requires = '2' }]\n";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "F-30",
        "what is guaranteed is compared with what is required, not with the limit",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 4, requires: 1}]}
pods: {web: {containers: {app: {image: x, resources: [{type: cpu, require: 1, limit: 4}]}}}}",
    )
    .is(&[(RESOURCES, r#"[{"type":"cpu","require":1000,"limit":4000,"automatic":false}]"#)]),
    Case::new(
        "F-30",
        "and exceeded by it alone",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 4, requires: 1}]}
pods: {web: {containers: {app: {image: x, resources: [{type: cpu, require: 1001m, limit: 4}]}}}}",
    )
    .fails(&["E-713 pods.web.containers.app.resources[0].require"]),
    Case::new(
        "F-31",
        "decimals of bytes count, and percentages are exact",
        "paas: {quotas: [{category: memory, type: memory, capacity: 1Gi}]}
pods:
  web:
    containers:
      aa: {image: x, resources: [{type: memory, require: 0.5Mi, limit: 1.5Mi}]}
      bb: {image: x, resources: [{type: memory, require: 33%}]}
      cc: {image: x, resources: [{type: memory, require: 33.9%}]}",
    )
    .is(&[
        ("/pods/0/containers/0/resources/0/require", "524288"),
        ("/pods/0/containers/0/resources/0/limit", "1572864"),
        ("/pods/0/containers/1/resources/0/require", "354334801"),
        ("/pods/0/containers/2/resources/0/require", "363998478"),
    ]),
    Case::new(
        "F-31",
        "an amount of eight exbibytes is one",
        "paas: {quotas: [{category: memory, type: memory, capacity: 8Ei}]}
pods: {web: {containers: {app: {image: x, resources: [{type: memory, require: 8Ei}]}}}}",
    )
    .is(&[("/pods/0/containers/0/resources/0/limit", "9223372036854775808")]),
    Case::new(
        "F-32",
        "a unit belongs to its category",
        "paas:
  quotas:
  - {category: memory, type: memory, capacity: 1Gi}
  - {category: compute, type: cpu, capacity: 4}
pods:
  web:
    containers:
      aa: {image: x, resources: [{type: memory, require: 100m}]}
      bb: {image: x, resources: [{type: cpu, require: 2K}]}",
    )
    .fails(&[
        "E-701 pods.web.containers.aa.resources[0].require",
        "E-701 pods.web.containers.bb.resources[0].require",
    ]),
    Case::new(
        "F-33",
        "a percentage needs something to be one of",
        "paas: {quotas: [{category: compute, type: gpu, capacity: 50%}]}",
    )
    .fails(&["E-709 paas.quotas[0].capacity"]),
    Case::new(
        "F-33",
        "what is required is one of the row's own capacity then",
        "paas: {quotas: [{category: compute, type: gpu, capacity: 2, requires: 50%}]}
pods: {web: {containers: {app: {image: x, resources: [{type: gpu, require: 1001m, limit: 2}]}}}}",
    )
    .fails(&["E-713 pods.web.containers.app.resources[0].require"]),
    Case::new(
        "F-34",
        "a file is guaranteed no more than its account",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 4, requires: 4}]}",
    )
    .with(CPU_5_REQUIRES_2)
    .fails(&["E-708 paas.quotas[0].requires"]),
    Case::new(
        "F-34",
        "and no more than its own capacity",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 20%, requires: 2}]}",
    )
    .with(CPU_5)
    .fails(&["E-704 paas.quotas[0].requires"]),
    Case::new(
        "F-34",
        "without a word it is the account's, up to the capacity",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 1}]}
pods: {web: {containers: {app: {image: x, resources: [{type: cpu, require: 1}]}}}}",
    )
    .with(CPU_5_REQUIRES_2)
    .is(&[("/pods/0/containers/0/resources/0/require", "1000")]),
    Case::new(
        "F-35",
        "where nothing runs, nothing is shared",
        "pods: {web: {replicas: 0, containers: {app: {image: x}}}}",
    )
    .with(CPU_5)
    .is(&[("/pods/0/replicas", "0")]),
    Case::new(
        "F-35",
        "of more than a hundred each has its share",
        "pods: {web: {replicas: 200, containers: {app: {image: x}}}}",
    )
    .with(CPU_5)
    .is(&[(RESOURCES, r#"[{"type":"cpu","require":0,"limit":25,"automatic":true}]"#)]),
    Case::new(
        "F-35",
        "what is guaranteed is never more than what is left of it",
        "paas: {quotas: [{category: compute, type: cpu, capacity: 5, requires: 100m}]}",
    )
    .with(CPU_5)
    .is(&[(RESOURCES, r#"[{"type":"cpu","require":100,"limit":5000,"automatic":true}]"#)]),
    Case::new(
        "F-35",
        "where nothing is left, nothing can be shared",
        "pods:
  web: {containers: {app: {image: x, resources: [{type: cpu, require: 5}]}}}
  api: {containers: {app: {image: x}}}",
    )
    .with(CPU_5)
    .fails(&["E-714 pods.api.containers.app"]),
    Case::new(
        "F-36",
        "a container has one row of a resource",
        "pods: {web: {containers: {app: {image: x, resources: [{type: cpu, require: 1}, {type: cpu, require: 2}]}}}}",
    )
    .with(CPU_5)
    .fails(&["E-215 pods.web.containers.app.resources[1].type"]),
];

const RESOURCES: &str = "/pods/0/containers/0/resources";
