//! Shares of a quota, and their sums.

use crate::domain::quota::HardQuota;
use crate::paas::quantity::{Category, display};
use crate::paas::quota::{check_pods, share};
use crate::paas::{Context, compile};

const MI: u64 = 1 << 20;

fn quota(category: &str, kind: &str, capacity: u64, requires: u64, unit: &str) -> HardQuota {
    HardQuota {
        category: category.to_owned(),
        kind: kind.to_owned(),
        capacity: format!("{capacity}{unit}"),
        requires: Some(format!("{requires} {unit}")),
    }
}

/// The account's cpu in thousandths, and how much of it is guaranteed.
fn cpu(capacity: u64, requires: u64) -> HardQuota {
    quota("compute", "cpu", capacity, requires, "m")
}

fn memory(capacity: u64) -> HardQuota {
    quota("memory", "memory", capacity, capacity, "")
}

/// Compiles one pod of these replicas, container `app` with these rows and container `rest` with
/// none, under these soft quotas; what `app` and `rest` get, or the faults.
fn compiled(
    hard: &[HardQuota],
    soft: &str,
    replicas: u32,
    rows: &str,
) -> Result<[String; 2], String> {
    let quotas = if soft.is_empty() { "" } else { &format!("paas: {{quotas: [{soft}]}}") };
    let rows = if rows.is_empty() { "" } else { &format!(", resources: [{rows}]") };
    let text = format!(
        "{quotas}\npods: {{web: {{replicas: {replicas}, containers: \
         {{app: {{image: x{rows}}}, rest: {{image: x}}}}}}}}"
    );
    let context = Context { hard_quotas: hard.to_vec(), ..Context::default() };
    match compile(text.as_bytes(), &context) {
        Ok(compiled) => {
            let containers = compiled.model.pods.into_iter().flat_map(|pod| pod.containers);
            let shown = containers.map(|container| {
                let row = |row: &crate::paas::compiled::Resource| {
                    format!("{} {}/{}", row.kind, row.require, row.limit)
                };
                container.resources.iter().map(row).collect::<Vec<_>>().join(", ")
            });
            Ok(shown.collect::<Vec<_>>().try_into().unwrap())
        }
        Err(faults) => {
            let shown = |fault: &crate::paas::Fault| format!("{} {}", fault.code, fault.message);
            Err(faults.as_slice().iter().map(shown).collect::<Vec<_>>().join("\n"))
        }
    }
}

fn got(hard: &[HardQuota], soft: &str, replicas: u32, rows: &str) -> [String; 2] {
    compiled(hard, soft, replicas, rows).unwrap()
}

fn refused(hard: &[HardQuota], soft: &str, replicas: u32, rows: &str) -> String {
    compiled(hard, soft, replicas, rows).unwrap_err()
}

#[test]
fn without_quotas_containers_have_no_resources() {
    assert_eq!(got(&[], "", 1, ""), ["", ""]);
}

#[test]
fn percentages_are_of_the_whole_and_not_of_what_is_left() {
    let hard = [cpu(2_000, 2_000)];
    let rows = "{type: cpu, require: 10%, limit: 20%}";
    // 1600 are left for one container: all of it, and a tenth guaranteed.
    assert_eq!(got(&hard, "", 1, rows), ["cpu 200/400", "cpu 160/1600"]);
    let soft = "{category: compute, type: cpu, capacity: 50%}";
    assert_eq!(got(&hard, soft, 1, rows), ["cpu 100/200", "cpu 80/800"]);
}

#[test]
fn a_limit_that_is_absent_is_what_is_required() {
    assert_eq!(
        got(&[memory(100 * MI)], "", 1, "{type: memory, require: 50Mi}"),
        ["memory 52428800/52428800", "memory 5242880/52428800"]
    );
}

#[test]
fn the_files_quotas_narrow_the_accounts() {
    let soft = "{category: compute, type: cpu, capacity: 40%, requires: 1.5}";
    assert_eq!(got(&[cpu(5_000, 5_000)], soft, 1, ""), ["cpu 100/1000", "cpu 100/1000"]);
    // Without `requires`, what the account guarantees, but no more than the capacity.
    let soft = "{category: compute, type: cpu, capacity: 2}";
    let all = "{type: cpu, require: 500m, limit: 1}";
    assert_eq!(got(&[cpu(5_000, 500)], soft, 1, all), ["cpu 500/1000", "cpu 0/1000"]);
    insta::assert_snapshot!(
        refused(&[cpu(5_000, 400)], soft, 1, all),
        @"E-713 `cpu`: 500m × 1 asked, 400m left of what the deployment quota guarantees"
    );
}

#[test]
fn the_file_cannot_grant_itself_more_than_the_account() {
    let soft = |row: &str| format!("{{category: compute, type: cpu, {row}}}");
    insta::assert_snapshot!(
        refused(&[cpu(5_000, 5_000)], &soft("capacity: 6"), 1, ""),
        @"E-708 quota `cpu`: 6.000 asked, the account grants 5.000"
    );
    insta::assert_snapshot!(
        refused(&[cpu(5_000, 2_000)], &soft("capacity: 4, requires: 4"), 1, ""),
        @"E-708 quota `cpu`: 4.000 asked, the account grants 2.000"
    );
    insta::assert_snapshot!(
        refused(&[cpu(5_000, 5_000)], "{category: memory, type: cpu, capacity: 1}", 1, ""),
        @"E-707 quota `cpu` is `compute` in the account, `memory` here"
    );
}

#[test]
fn replicas_multiply_what_is_reserved() {
    let hard = [memory(256 * MI)];
    insta::assert_snapshot!(
        refused(&hard, "", 3, "{type: memory, require: 1Mi, limit: 100Mi}"),
        @"E-712 `memory`: 100Mi × 3 asked, 256Mi left of the account quota (256Mi)"
    );
    let rows = "{type: memory, require: 100Mi}";
    assert_eq!(got(&hard, "", 2, rows)[0], "memory 104857600/104857600");
    // Nothing runs, so nothing is reserved and nothing shared.
    assert_eq!(got(&hard, "", 0, "{type: memory, require: 1Gi}")[1], "");
}

#[test]
fn shares_are_a_whole_percentage_of_what_is_left() {
    let share = |hard, replicas| got(&[hard], "", replicas, "")[0].clone();
    assert_eq!(share(cpu(10_000, 10_000), 3), "cpu 200/1600");
    assert_eq!(share(memory(1_024 * MI), 3), "memory 21474836/171798691");
    assert_eq!(share(memory(320 * MI), 2), "memory 10066329/83886080");
    assert_eq!(share(cpu(1_000, 1_000), 60), "cpu 0/8");
    // What is guaranteed is bounded by what is left of it.
    assert_eq!(share(cpu(2_000, 10), 1), "cpu 5/1000");
    insta::assert_snapshot!(refused(&[cpu(1, 1)], "", 60, ""), @"E-714 `cpu`: nothing is left for this container");
}

/// The table of paas-yaml.md §9.6.
#[test]
fn shares_are_those_of_the_specification() {
    let (gi, cpu, memory) = (1 << 30, Category::Compute, Category::Memory);
    for (category, left, takers, expected) in [
        (cpu, 2_000, 1, "200m/2.000"),
        (cpu, 2_000, 3, "80m/660m"),
        (cpu, 10_000, 6, "200m/1.600"),
        (cpu, 1_700, 3, "68m/561m"),
        (cpu, 2_000, 7, "40m/280m"),
        (memory, gi, 6, "20.480Mi/163.840Mi"),
        (memory, 320 * MI, 4, "9.600Mi/80Mi"),
        (memory, 512 * MI, 11, "5.120Mi/46.080Mi"),
    ] {
        let (require, limit) = share(left, left, takers).unwrap();
        let shown = format!("{}/{}", display(category, require), display(category, limit));
        assert_eq!(shown, expected, "{left} for {takers}");
    }
    assert_eq!(share(2_000, 2_000, 0), None);
}

#[test]
fn what_the_account_lacks_can_only_be_limited_absolutely() {
    let soft = "{category: memory, type: storage, capacity: 1Gi, requires: 50%}";
    let rows = "{type: storage, require: 256Mi, limit: 512Mi}";
    assert_eq!(
        got(&[], soft, 1, rows),
        ["storage 268435456/536870912", "storage 53687091/536870912"]
    );
    insta::assert_snapshot!(
        refused(&[], "{category: memory, type: storage, capacity: 50%}", 1, rows),
        @"E-709 quota `storage`: the account defines none"
    );
}

#[test]
fn what_was_compiled_once_is_held_against_the_quotas_of_today() {
    let text = "pods: {web: {replicas: 2, containers: {app: {image: x, \
                resources: [{type: cpu, require: 500m, limit: 1}]}}}, \
                none: {replicas: 0, containers: {app: {image: x}}}}";
    let context = Context { hard_quotas: vec![cpu(2_000, 1_000)], ..Context::default() };
    let pods = compile(text.as_bytes(), &context).unwrap().model.pods;
    let pods: Vec<_> = pods.iter().collect();
    let held = |quotas: &[HardQuota]| check_pods(&pods, quotas).err().unwrap_or_default();
    assert_eq!(held(&[]), "");
    assert_eq!(held(&[cpu(2_000, 1_000)]), "");
    assert_eq!(held(&[cpu(1_500, 1_000)]), "`cpu`: 2.000 at most in all, the account grants 1.500");
    assert_eq!(held(&[cpu(2_000, 900)]), "`cpu`: 1.000 guaranteed in all, the account grants 900m");
    // It was deployed before there was one.
    assert_eq!(held(&[memory(MI)]), "`memory`: container web/app has no limit");
}
