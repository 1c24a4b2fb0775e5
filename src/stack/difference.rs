//! What a release would change on an engine, compared with the one that serves.
//!
//! Everything of a release is made anew beside what serves, so what is compared is what people
//! wrote: names, which hold the run, are left out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::domain::difference::{Entry, Fate, Rules, fields};
use crate::domain::redact::Redactor;
use crate::stack::{Container, Group, HealthCheck, Mount, Resources, Stack};

/// Billionths in a thousandth of a core.
const NANO: i64 = 1_000_000;

const MIB: i64 = 1024 * 1024;

/// What a thing is called: its kind and its name.
type Name = (&'static str, String);

/// What would become of everything on the engine; what is secret is hidden in it.
pub fn entries(before: Option<&Stack>, after: &Stack, redactor: &Redactor) -> Vec<Entry> {
    let before: BTreeMap<Name, Value> = before.map(things).into_iter().flatten().collect();
    let after = things(after);
    let mut entries = Vec::new();
    for ((kind, name), thing) in &after {
        let fate = match before.get(&(*kind, name.clone())) {
            None => Fate::Created,
            Some(known) => match fields(known, thing, &OfStacks(redactor)) {
                fields if fields.is_empty() => continue,
                fields => Fate::Changed(fields),
            },
        };
        entries.push(Entry::new(kind, name.clone(), fate));
    }
    let gone = before.into_keys().filter(|name| after.iter().all(|(known, _)| known != name));
    entries.extend(gone.map(|(kind, name)| Entry::new(kind, name, Fate::Removed)));
    entries
}

/// Everything on an engine, in the order in which it is made.
fn things(stack: &Stack) -> Vec<(Name, Value)> {
    // Behind the last two dashes there are the run and the digits of the environment.
    let network = stack.network.rsplitn(3, '-').last().unwrap_or_default().to_owned();
    let mut things = vec![(("network", network), json!({}))];
    for volume in &stack.volumes {
        things.push((("volume", volume.key.clone()), json!({"image": volume.image})));
    }
    for group in stack.groups.iter().filter(|group| group.replica == 1) {
        things.push((("pod", group.pod.clone()), pod(stack, group)));
    }
    for route in &stack.routes {
        let name = format!("{}{}", route.host, route.path);
        things.push((("route", name), json!({"to": format!("{}:{}", route.pod, route.port)})));
    }
    things
}

/// A pod: all its replicas are alike.
fn pod(stack: &Stack, first: &Group) -> Value {
    let replicas = stack.groups.iter().filter(|group| group.pod == first.pod).count();
    let containers: Map<String, Value> = first
        .containers
        .iter()
        .map(|container| (container.container.clone(), of_container(stack, container)))
        .collect();
    json!({"replicas": replicas, "names": first.aliases, "containers": containers})
}

fn of_container(stack: &Stack, container: &Container) -> Value {
    let key = |mount: &Mount| {
        let volume = stack.volumes.iter().find(|volume| volume.name == mount.volume);
        volume.map(|volume| volume.key.clone())
    };
    let mounts = container.mounts.iter();
    let mounts: BTreeMap<&str, Option<String>> =
        mounts.map(|mount| (mount.folder.as_str(), key(mount))).collect();
    let mut fields = json!({
        "image": container.image,
        "env": container.env,
        "volumes": mounts,
        "resources": resources(container.resources),
    });
    if let (Some(check), Some(fields)) = (&container.health, fields.as_object_mut()) {
        fields.insert("healthcheck".to_owned(), health(check));
    }
    fields
}

fn health(check: &HealthCheck) -> Value {
    let seconds = |time: Duration| format!("{} s", time.as_secs());
    json!({
        "probe": check.probe.to_string(),
        "initial-delay": seconds(check.initial_delay),
        "period": seconds(check.period),
        "successes": check.successes,
        "failures": check.failures,
    })
}

fn resources(resources: Resources) -> Value {
    let memory = |bytes: i64| match bytes % MIB {
        0 => format!("{}Mi", bytes / MIB),
        _ => bytes.to_string(),
    };
    let limits = [
        ("cpu", (resources.nano_cpus, format!("{}m", resources.nano_cpus / NANO))),
        ("memory", (resources.memory, memory(resources.memory))),
        ("memory-required", (resources.memory_reservation, memory(resources.memory_reservation))),
    ];
    let given = limits.into_iter().filter(|(_, (amount, _))| *amount > 0);
    Value::Object(given.map(|(name, (_, text))| (name.to_owned(), text.into())).collect())
}

struct OfStacks<'a>(&'a Redactor);

impl Rules for OfStacks<'_> {
    fn is_left_out(&self, _: &[String]) -> bool {
        false
    }

    fn is_hidden(&self, path: &[String]) -> bool {
        matches!(path, [.., parent, _] if parent == "env")
    }

    fn text(&self, text: &str) -> String {
        self.0.text(text)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::stack::{Probe, RoutePlan, Volume};

    fn stack(fence: u32) -> Stack {
        let volume = format!("acme-shop-production_site_{fence}-90d5b");
        let container = Container {
            name: format!("acme-shop-production_web_app_1_{fence}-90d5b"),
            container: "app".to_owned(),
            image: "sha256:1".to_owned(),
            env: BTreeMap::from([("PASSWORD".to_owned(), format!("s3cret-{fence}"))]),
            mounts: vec![Mount { volume: volume.clone(), folder: "/www".to_owned() }],
            labels: BTreeMap::new(),
            health: None,
            resources: Resources::default(),
        };
        Stack {
            network: format!("acme-shop-production-{fence}-90d5b"),
            labels: BTreeMap::from([("fence".to_owned(), fence.to_string())]),
            volumes: vec![Volume {
                key: "site".to_owned(),
                name: volume,
                image: "sha256:2".into(),
            }],
            groups: vec![Group {
                pod: "web".to_owned(),
                replica: 1,
                aliases: vec!["web".to_owned()],
                containers: vec![container],
            }],
            routes: vec![RoutePlan {
                host: "shop.example".parse().unwrap(),
                path: "/".to_owned(),
                pod: "web".to_owned(),
                port: 80,
            }],
        }
    }

    fn told(before: Option<&Stack>, after: &Stack) -> String {
        let entries = entries(before, after, &Redactor::default());
        entries.iter().flat_map(Entry::lines).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn of_the_first_release_everything_is_made() {
        assert_snapshot!(told(None, &stack(1)), @r"
        + network acme-shop-production
        + volume site
        + pod web
        + route shop.example/
        ");
    }

    #[test]
    fn only_what_people_wrote_is_told() {
        let before = stack(1);
        let mut after = stack(2);
        after.groups[0].containers[0].env.clone_from(&before.groups[0].containers[0].env);
        assert_eq!(told(Some(&before), &after), "");

        let mut after = stack(2);
        after.groups.push(Group { replica: 2, ..after.groups[0].clone() });
        let container = &mut after.groups[0].containers[0];
        container.image = "built by this push".to_owned();
        container.resources =
            Resources { nano_cpus: 500 * NANO, memory: 64 * MIB, memory_reservation: 0 };
        container.health = Some(HealthCheck {
            probe: Probe::Tcp { port: 80 },
            initial_delay: Duration::from_secs(5),
            period: Duration::from_secs(1),
            successes: 1,
            failures: 3,
        });
        after.routes[0].pod = "api".to_owned();
        after.volumes.clear();
        after.groups[0].containers[0].mounts.clear();
        assert_snapshot!(told(Some(&before), &after), @r"
        ~ pod web
            containers.app.env.PASSWORD: changed
            containers.app.healthcheck.failures: added, 3
            containers.app.healthcheck.initial-delay: added, 5 s
            containers.app.healthcheck.period: added, 1 s
            containers.app.healthcheck.probe: added, connect to port 80
            containers.app.healthcheck.successes: added, 1
            containers.app.image: sha256:1 → built by this push
            containers.app.resources.cpu: added, 500m
            containers.app.resources.memory: added, 64Mi
            containers.app.volumes./www: removed, site
            replicas: 1 → 2
        ~ route shop.example/  to: web:80 → api:80
        - volume site
        ");
    }
}
