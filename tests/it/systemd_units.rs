//! The units in `systemd/` load, confine what they run, and give it time to stop.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{fs, io};

use pierhead::config::Config;

/// The most exposure `systemd-analyze security` may see, of 100. What remains is what a server
/// cannot do without: the network, local sockets and, to deploy, the engine's group.
const EXPOSURE: u8 = 18;

fn units(ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let mut units: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    units.sort();
    assert!(!units.is_empty(), "no *.{ending} in systemd/");
    units
}

fn name(unit: &Path) -> String {
    unit.file_name().unwrap().to_string_lossy().into_owned()
}

fn run(program: &str, arguments: &[&str]) -> Output {
    match Command::new(program).args(arguments).env("SYSTEMD_COLORS", "0").output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            panic!("{program} is missing: bin/test installs it (package systemd)")
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// The values that a unit gives to a key, in order.
fn values(unit: &str, key: &str) -> Vec<String> {
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
    unit.lines().filter_map(value).collect()
}

#[test]
fn every_unit_loads_without_a_remark() {
    // systemd looks for the program, which need not be installed where tests run.
    let folder = tempfile::tempdir().unwrap();
    let copies: Vec<String> = [units("service"), units("target")]
        .concat()
        .iter()
        .map(|unit| {
            let copy = folder.path().join(unit.file_name().unwrap());
            let text = fs::read_to_string(unit).unwrap();
            fs::write(&copy, text.replace("/usr/bin/pierhead", "/bin/true")).unwrap();
            copy.to_string_lossy().into_owned()
        })
        .collect();
    let mut arguments = vec!["verify", "--man=no", "--recursive-errors=no"];
    arguments.extend(copies.iter().map(String::as_str));
    let output = run("systemd-analyze", &arguments);
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));
}

#[test]
fn what_hooks_without_containers_need_is_known_to_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("pierhead-worker.service");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let text = fs::read_to_string(source.join("pierhead-worker.service")).unwrap();
    fs::write(&unit, text.replace("/usr/bin/pierhead", "/bin/true")).unwrap();
    let own = "pierhead-worker.service.d";
    fs::create_dir(folder.path().join(own)).unwrap();
    let drop_in = source.join("hooks.conf");
    fs::copy(&drop_in, folder.path().join(own).join("hooks.conf")).unwrap();
    let unit = unit.to_string_lossy();
    let output = run("systemd-analyze", &["verify", "--man=no", "--recursive-errors=no", &unit]);
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));
    let text = fs::read_to_string(drop_in).unwrap();
    assert_eq!(values(&text, "Delegate"), ["memory pids cpu"]);
    assert_eq!(values(&text, "RestrictNamespaces"), ["no"]);
}

#[test]
fn every_service_is_confined() {
    for unit in units("service") {
        let threshold = format!("--threshold={EXPOSURE}");
        let path = unit.to_string_lossy();
        let output = run(
            "systemd-analyze",
            &["security", "--offline=true", "--no-pager", &threshold, &path],
        );
        assert!(output.status.success(), "{}:\n{}", name(&unit), said(&output));
    }
}

#[test]
fn every_service_is_confined_alike() {
    let confinement = |unit: &PathBuf| {
        let text = fs::read_to_string(unit).unwrap();
        let (_, from) = text.split_once("# Nothing more than asked for").unwrap();
        from.split_once("[Install]").unwrap().0.to_owned()
    };
    let services = units("service");
    for unit in &services {
        assert_eq!(confinement(unit), confinement(&services[0]), "{}", name(unit));
    }
}

#[test]
fn every_role_has_a_unit_and_a_user_of_its_own() {
    let users = fs::read_to_string(units("sysusers")[0].as_path()).unwrap();
    let mut seen = Vec::new();
    for (unit, command) in [
        ("pierhead.service", "serve"),
        ("pierhead-ssh.service", "ssh"),
        ("pierhead-web.service", "web"),
        ("pierhead-worker.service", "worker"),
        ("pierhead-router.service", "router"),
    ] {
        let path = units("service").into_iter().find(|path| name(path) == unit).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let started = format!("/usr/bin/pierhead {command} --config %d/pierhead.toml");
        assert_eq!(values(&text, "ExecStart"), [started], "{unit}");
        let user = values(&text, "User").remove(0);
        let made = |line: &str| line.split_whitespace().take(2).eq(["u", user.as_str()]);
        assert!(users.lines().any(made), "pierhead.sysusers does not make {user}");
        assert!(!seen.contains(&user), "{user} runs two units");
        seen.push(user);
    }
    assert_eq!(units("service").len(), seen.len());
}

#[test]
fn only_what_deploys_may_write_keys_and_read_private_ones() {
    let config = Config::default().seal;
    let folder = Path::new("/var/lib/pierhead-seal");
    for key in config.private_keys.iter().chain([&config.public_key]) {
        assert_eq!(key.parent(), Some(folder));
    }
    for unit in units("service") {
        let text = fs::read_to_string(&unit).unwrap();
        let deploys = values(&text, "SupplementaryGroups") == ["docker"];
        let shows_pages =
            ["pierhead.service", "pierhead-web.service"].contains(&name(&unit).as_str());
        let owned = [(deploys, "pierhead-seal"), (shows_pages, "pierhead-web")];
        let owned: Vec<_> = owned.iter().filter(|(is, _)| *is).map(|(_, folder)| *folder).collect();
        let owns = values(&text, "StateDirectory").join(" ");
        assert_eq!(owns, owned.join(" "), "{}", name(&unit));
        // Nobody else may take the folder's place, and the group may not write into it.
        assert!(
            !values(&text, "ReadWritePaths").join(" ").contains("/var/lib "),
            "{}",
            name(&unit)
        );
        assert!(!deploys || values(&text, "StateDirectoryMode") == ["0750"], "{}", name(&unit));
    }
}

#[test]
fn what_runs_jobs_may_drain_before_it_is_killed() {
    let drain = Config::default().worker.drain_limit.duration().as_secs();
    for unit in units("service") {
        let text = fs::read_to_string(&unit).unwrap();
        let deploys = values(&text, "SupplementaryGroups") == ["docker"];
        let stop: u64 = values(&text, "TimeoutStopSec")[0].parse().unwrap();
        assert!(!deploys || stop == drain + 60, "{}: {stop} s", name(&unit));
    }
}

#[test]
fn users_and_folders_can_be_made_from_their_files() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let option = format!("--root={}", root.path().display());
    let users = units("sysusers")[0].to_string_lossy().into_owned();
    let output = run("systemd-sysusers", &[&option, &users]);
    assert!(output.status.success(), "{}", said(&output));
    let groups = fs::read_to_string(root.path().join("etc/group")).unwrap();
    let members = groups.lines().find(|line| line.starts_with("pierhead:")).unwrap();
    assert!(members.ends_with(":pierhead-ssh,pierhead-worker"), "{members}");

    let folders = units("tmpfiles")[0].to_string_lossy().into_owned();
    let output = run("systemd-tmpfiles", &[&option, "--create", &folders]);
    // Only root may give folders away; whoever else runs this sees them made all the same.
    let made = root.path().join("var/lib/pierhead/repositories").is_dir();
    assert!(made, "{}", said(&output));
}
