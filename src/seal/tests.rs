//! What is sealed opens to its keys, at its place, and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::keys::Halves;
use super::*;
use crate::config::SealConfig;
use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::domain::stored_variables::Origin;
use crate::domain::variables::Variables;

/// Files of keys in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A copy of one of the keys of tests, as private as it has to be.
    fn copy(&self, name: &str) -> PathBuf {
        let (from, to) = (Path::new("tests/keys").join(name), self.path(name));
        fs::copy(from, &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        to
    }

    fn keyring(&self, public: &str, private: &[&str]) -> Result<Keyring, KeyError> {
        let private_keys = private.iter().map(|name| self.copy(name)).collect();
        load(&SealConfig { public_key: self.copy(public), private_keys })
    }

    fn made(&self) -> SealConfig {
        let (public_key, private) = (self.path("s/public.pem"), self.path("s/private.pem"));
        SealConfig { public_key, private_keys: vec![private] }
    }
}

fn worker() -> Keyring {
    Files::new().keyring("worker-public.pem", &["worker-private.pem"]).unwrap()
}

fn place(name: &str) -> Place {
    Place::new("purpose", ["whose".to_owned(), "within".to_owned()], name)
}

#[test]
fn what_is_sealed_opens_at_its_place_and_at_no_other() {
    let Keyring { sealer, opener } = worker();
    for value in ["", "hunter2", &"long".repeat(20_000)] {
        let sealed = sealer.seal(value.as_bytes(), &place("a"));
        assert!(!serde_json::to_string(&sealed).unwrap().contains("hunter2"));
        assert_eq!(opener.open_text(&sealed, &place("a")).unwrap().expose_secret(), value);
        assert!(opener.open(&sealed, &place("b")).is_err());
        let other = Place::new("purpose", ["whos".to_owned(), "ewithin".to_owned()], "a");
        assert!(opener.open(&sealed, &other).is_err());
    }
    let twice = [sealer.seal(b"a", &place("a")), sealer.seal(b"a", &place("a"))];
    assert_ne!(twice[0].body, twice[1].body);
    assert_ne!(twice[0].key, twice[1].key);
}

#[test]
fn whatever_is_wrong_is_told_alike() {
    let Keyring { sealer, opener } = worker();
    let sealed = sealer.seal(b"value", &place("a"));
    let flipped = |text: &str| {
        let mut bytes = Base64::decode_vec(text).unwrap();
        bytes[0] ^= 1;
        Base64::encode_string(&bytes)
    };
    let wrong = [
        Sealed { v: 2, ..sealed.clone() },
        Sealed { alg: "none".to_owned(), ..sealed.clone() },
        Sealed { key: flipped(&sealed.key), ..sealed.clone() },
        Sealed { key: "AAAA".to_owned(), ..sealed.clone() },
        Sealed { key: "?".to_owned(), ..sealed.clone() },
        Sealed { iv: flipped(&sealed.iv), ..sealed.clone() },
        Sealed { iv: String::new(), ..sealed.clone() },
        Sealed { body: flipped(&sealed.body), ..sealed.clone() },
        Sealed { body: String::new(), ..sealed.clone() },
        sealer.seal(b"value", &place("b")),
        sealer.seal(b"\xff", &place("a")),
    ];
    let told: Vec<_> =
        wrong.iter().map(|sealed| opener.open_text(sealed, &place("a")).err()).collect();
    let expected =
        "the sealed purpose, `a` could not be opened; it was sealed for key 908e07425e1bcfb1";
    assert!(told.iter().flatten().all(|error| error.to_string() == expected), "{told:?}");
    assert_eq!(told.iter().flatten().count(), wrong.len());
}

#[test]
fn the_id_of_a_key_is_that_of_openssl() {
    // openssl pkey -pubin -in worker-public.pem -outform DER | sha256sum
    assert_eq!(worker().sealer.key_id(), "908e07425e1bcfb1");
}

#[test]
fn several_keys_open_and_the_public_one_seals() {
    let files = Files::new();
    let both = ["next-private.pem", "worker-private.pem"];
    let old = worker().sealer.seal(b"old", &place("a"));
    let rotating = files.keyring("next-public.pem", &both).unwrap();
    assert_eq!(&**rotating.opener.open(&old, &place("a")).unwrap(), b"old");
    let new = rotating.sealer.seal(b"new", &place("a"));
    let later = files.keyring("next-public.pem", &["next-private.pem"]).unwrap();
    assert_eq!(&**later.opener.open(&new, &place("a")).unwrap(), b"new");
    assert!(later.opener.open(&old, &place("a")).is_err());
}

#[test]
fn keys_that_cannot_work_are_refused_with_the_reason() {
    let files = Files::new();
    let said = |result: Result<Keyring, KeyError>| {
        result.unwrap_err().to_string().replace(&format!("{}/", files.0.path().display()), "")
    };
    let worker = ["worker-private.pem"];
    assert_eq!(
        said(files.keyring("small-public.pem", &worker)),
        "the sealing key small-public.pem has 1024 bits; at least 2048"
    );
    let told = said(files.keyring("next-public.pem", &worker));
    assert!(
        told.starts_with("setting seal.public_key: next-public.pem is the half of none"),
        "{told}"
    );
    let told = said(files.keyring("worker-public.pem", &["worker-public.pem"]));
    assert!(told.starts_with("worker-public.pem holds no RSA key"), "{told}");
    let open = files.copy("worker-private.pem");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let settings =
        SealConfig { public_key: files.copy("worker-public.pem"), private_keys: vec![open] };
    assert_eq!(
        said(load(&settings)),
        "everybody may read the private sealing key worker-private.pem: chmod 600"
    );
    let missing = load_public(&files.path("public.pem")).unwrap_err();
    assert!(matches!(missing, KeyError::NotMade(_)), "{missing}");
}

#[test]
fn a_pair_is_made_once_whoever_starts_first_and_kept_private() {
    let files = Files::new();
    let settings = files.made();
    let started: Vec<_> = std::thread::scope(|scope| {
        let start = || load_or_make(&settings).unwrap().sealer.key_id().to_owned();
        let threads = [scope.spawn(start), scope.spawn(start)];
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(started[0], started[1]);
    let private = &settings.private_keys[0];
    assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(private.parent().unwrap()).unwrap().count(), 2, "nothing is left");
    assert!(matches!(make_pair(private, &files.path("x")), Err(KeyError::Exists(_))));

    // A start that was interrupted between the two is gone on with.
    fs::remove_file(&settings.public_key).unwrap();
    assert_eq!(load_or_make(&settings).unwrap().sealer.key_id(), started[0]);
    fs::remove_file(private).unwrap();
    assert!(matches!(load_or_make(&settings), Err(KeyError::Lost(_))));
}

#[test]
fn what_a_killed_start_left_is_removed_and_nothing_else() {
    let files = Files::new();
    let private_keys = vec![files.copy("next-private.pem"), files.copy("worker-private.pem")];
    let settings = SealConfig { public_key: files.copy("next-public.pem"), private_keys };
    let id = "0198f0d2c3b47a0c8d3e5f60718293a4";
    for left in ["next-private", "worker-private", "next-public"] {
        fs::write(files.path(&format!("{left}.{id}.partial")), "a whole key").unwrap();
    }
    for other in ["other-private", "next-private.old"] {
        fs::write(files.path(&format!("{other}.{id}.partial")), "of somebody else").unwrap();
    }
    fs::write(files.path("next-private.partial"), "of somebody else").unwrap();
    load_or_make(&settings).unwrap();
    let mut names: Vec<_> = fs::read_dir(files.0.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let others = [format!("next-private.old.{id}.partial"), format!("other-private.{id}.partial")];
    assert_eq!(
        names,
        [
            &others[0],
            "next-private.partial",
            "next-private.pem",
            "next-public.pem",
            &others[1],
            "worker-private.pem"
        ]
    );
}

#[test]
fn a_pair_that_somebody_makes_meanwhile_is_not_taken_for_a_lost_one() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
    // Both are made between the two questions.
    let exists = |path: &Path| {
        let there = path.exists();
        fs::write(&private, "").unwrap();
        fs::write(&public, "").unwrap();
        there
    };
    assert_eq!(Halves::of(&private, &public, exists), Halves::Private);
    fs::remove_file(&private).unwrap();
    assert_eq!(Halves::of(&private, &public, Path::exists), Halves::Public);
}

#[test]
fn launch_variables_with_the_name_of_a_secret_open_where_they_were_given() {
    let Keyring { sealer, opener } = worker();
    let id = |number| Uuid::from_u128(number);
    let here = (ProjectId::from(id(1)), EnvironmentId::from(id(2)));
    let there = (here.0, EnvironmentId::from(id(3)));
    let mut variables = Variables::default();
    variables.add("PW", "hunter2").unwrap();
    variables.add("COLOUR", "red").unwrap();
    let stored = sealer.seal_launch(&variables, here, |name| name == "PW");
    assert_eq!(
        stored.secrets().map(|(name, secret)| (name, secret.origin)).collect::<Vec<_>>(),
        [("PW", Origin::Launch)]
    );
    assert_eq!(opener.open_variables(&stored, here).unwrap(), variables);
    assert!(opener.open_variables(&stored, there).is_err());
}
