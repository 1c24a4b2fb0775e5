//! Contexts of real folders, read back from their tar.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use rustix::fs::{FileType, Mode};
use tokio::sync::mpsc;

use super::*;
use crate::building::context::archive::{Archive, CHUNKS, Chunks};
use crate::building::context::walk::walk;
use crate::building::files::{CHUNK, DATES, FIRST_DATE};

const LIMITS: ContextLimits = ContextLimits { bytes: 1 << 30, files: 1_000 };

/// A repository with these files.
fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn write(
    root: &Path,
    context: &str,
    limits: ContextLimits,
    chunks: &mut Chunks,
) -> Result<Option<Sent>, ContextError> {
    walk(root, context, limits, &mut Archive::new(chunks, None))
}

/// What the engine would receive, and the most chunks that ever waited for it.
async fn received(
    root: &Path,
    context: &str,
    limits: ContextLimits,
) -> (Result<Option<Sent>, ContextError>, Vec<u8>, usize) {
    let (sender, mut receiver) = mpsc::channel(CHUNKS);
    let (root, context) = (root.to_owned(), context.to_owned());
    let writing = tokio::task::spawn_blocking(move || {
        write(&root, &context, limits, &mut Chunks::new(sender))
    });
    let (mut bytes, mut most) = (Vec::new(), 0);
    while let Some(chunk) = receiver.recv().await {
        let chunk = chunk.unwrap();
        assert!(chunk.len() <= CHUNK);
        most = most.max(receiver.len());
        bytes.extend(chunk);
    }
    (writing.await.unwrap(), bytes, most)
}

async fn listing(root: &Path, context: &str) -> Vec<String> {
    let (written, bytes, _) = received(root, context, LIMITS).await;
    written.unwrap().unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let (header, path) = (entry.header(), entry.path().unwrap().display().to_string());
        let link = entry.link_name().unwrap();
        let link = link.map(|link| format!(" -> {}", link.display())).unwrap_or_default();
        format!(
            "{:o} {}/{} {path}{link}",
            header.mode().unwrap(),
            header.uid().unwrap(),
            header.gid().unwrap()
        )
    });
    entries.collect()
}

async fn fault(root: &Path, context: &str) -> String {
    received(root, context, LIMITS).await.0.unwrap_err().to_string()
}

#[tokio::test]
async fn modes_and_owners_are_made_up_and_links_stay_links() {
    let repository = repository(&[("Dockerfile", ""), ("bin/run", "#!"), ("data.txt", "1")]);
    let path = |name| repository.path().join(name);
    fs::set_permissions(path("bin/run"), fs::Permissions::from_mode(0o4700)).unwrap();
    fs::set_permissions(path("data.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("/etc/passwd", path("absolute")).unwrap();
    symlink("../../outside", path("bin/relative")).unwrap();
    let long = "d".repeat(150);
    symlink(format!("{long}/../x"), path("long")).unwrap();
    assert_eq!(
        listing(repository.path(), "").await,
        [
            "644 0/0 Dockerfile",
            "777 0/0 absolute -> /etc/passwd",
            "755 0/0 bin",
            "777 0/0 bin/relative -> ../../outside",
            "755 0/0 bin/run",
            "644 0/0 data.txt",
            &format!("777 0/0 long -> {long}/../x"),
        ]
    );
}

#[tokio::test]
async fn what_is_ignored_is_left_out_but_what_the_builder_reads_and_what_is_taken_back() {
    let repository = repository(&[
        ("web/.dockerignore", "*\n!src/**/*.rs\n"),
        ("web/Dockerfile", ""),
        ("web/README.md", ""),
        ("web/src/deep/main.rs", ""),
        ("web/src/deep/main.o", ""),
        ("web/target/debug", ""),
        ("other", ""),
    ]);
    assert_eq!(
        listing(repository.path(), "web").await,
        [
            "644 0/0 .dockerignore",
            "644 0/0 Dockerfile",
            "755 0/0 src",
            "755 0/0 src/deep",
            "644 0/0 src/deep/main.rs",
        ]
    );
}

#[tokio::test]
async fn equal_files_give_equal_bytes_and_other_files_other_dates() {
    let one = repository(&[("Dockerfile", "FROM a"), ("x", "1")]);
    let two = repository(&[("x", "1"), ("Dockerfile", "FROM a")]);
    let three = repository(&[("x", "2"), ("Dockerfile", "FROM a")]);
    let bytes = async |root: &tempfile::TempDir| received(root.path(), "", LIMITS).await.1;
    let date = |bytes: &[u8]| {
        let mut archive = tar::Archive::new(bytes);
        let last = archive.entries().unwrap().last().unwrap().unwrap();
        last.header().mtime().unwrap()
    };
    let (one, two, three) = (bytes(&one).await, bytes(&two).await, bytes(&three).await);
    assert_eq!(one, two);
    assert_ne!(date(&one), date(&three));
    assert!((FIRST_DATE..FIRST_DATE + DATES).contains(&date(&one)));
}

#[tokio::test]
async fn what_leads_out_of_the_repository_is_refused() {
    let outside = repository(&[("Dockerfile", "secret"), ("ignore", "")]);
    let repository =
        repository(&[("web/a", ""), ("inner/Dockerfile", "FROM a"), ("x/Dockerfile", "")]);
    let path = |name| repository.path().join(name);
    symlink(outside.path(), path("away")).unwrap();
    symlink("../..", path("web/up")).unwrap();
    symlink("inner", path("alias")).unwrap();
    symlink(outside.path().join("Dockerfile"), path("web/Dockerfile")).unwrap();
    symlink(outside.path().join("ignore"), path("x/.dockerignore")).unwrap();
    let root = repository.path();
    assert_eq!(fault(root, "away").await, "`away` leads out of the repository");
    assert_eq!(fault(root, "web/up").await, "`web/up` leads out of the repository");
    assert_eq!(fault(root, "../x").await, "`../x` leads out of the repository");
    assert_eq!(fault(root, "web").await, "`Dockerfile` leads out of the repository");
    assert_eq!(fault(root, "x").await, "`.dockerignore` leads out of the repository");
    assert_eq!(fault(root, "nowhere").await, "there is no `nowhere` in the repository");
    assert_eq!(fault(root, "").await, "there is no `Dockerfile` in the repository");
    assert_eq!(listing(root, "alias").await, ["644 0/0 Dockerfile"]);
    assert_eq!(dockerfile(root, "alias").unwrap(), "FROM a");
    assert!(dockerfile(root, "web").is_err());
}

#[tokio::test]
async fn pipes_and_too_much_of_anything_are_refused() {
    let repository = repository(&[("Dockerfile", ""), ("a", "12345"), ("b", "12345")]);
    let limited = async |bytes, files| {
        let limits = ContextLimits { bytes, files };
        received(repository.path(), "", limits).await.0.unwrap_err().to_string()
    };
    assert_eq!(
        limited(9, 9).await,
        "the build context has more than 9 bytes of files; leave some out in .dockerignore"
    );
    assert_eq!(
        limited(99, 2).await,
        "the build context has more than 2 files; leave some out in .dockerignore"
    );
    let pipe = repository.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert_eq!(
        fault(repository.path(), "").await,
        "`pipe` is neither a file nor a folder nor a link"
    );
    fs::remove_file(&pipe).unwrap();
    fs::remove_file(repository.path().join("Dockerfile")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        repository.path().join("Dockerfile"),
        FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    assert_eq!(
        fault(repository.path(), "").await,
        "`Dockerfile` is neither a file nor a folder nor a link"
    );
}

#[tokio::test]
async fn of_a_large_context_half_a_mebibyte_waits_at_most() {
    const SIZE: u64 = 100 * 1024 * 1024;

    let repository = repository(&[("Dockerfile", "")]);
    File::create(repository.path().join("large")).unwrap().set_len(SIZE).unwrap();
    let (written, bytes, most) = received(repository.path(), "", LIMITS).await;
    assert_eq!(written.unwrap(), Some(Sent { bytes: SIZE, files: 2 }));
    assert!(u64::try_from(bytes.len()).unwrap() > SIZE);
    assert!(most <= CHUNKS, "{most} chunks waited");
}

#[tokio::test]
async fn a_writer_stops_when_nobody_reads() {
    let repository = repository(&[("Dockerfile", "")]);
    File::create(repository.path().join("large")).unwrap().set_len(1 << 24).unwrap();
    let (sender, receiver) = mpsc::channel(CHUNKS);
    drop(receiver);
    let root = repository.path().to_owned();
    let written =
        tokio::task::spawn_blocking(move || write(&root, "", LIMITS, &mut Chunks::new(sender)));
    assert!(written.await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn a_walk_ends_when_nobody_reads_it_even_if_everything_is_ignored() {
    let names: Vec<String> = (0..1_000).map(|n| format!("{}{n}", "a".repeat(100))).collect();
    let patterns = format!("{}b\n", "*a".repeat(50)).repeat(1_000);
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    files.extend([("Dockerfile", ""), (".dockerignore", &patterns)]);
    let repository = repository(&files);
    let (sender, receiver) = mpsc::channel(CHUNKS);
    drop(receiver);
    // To the end it would take minutes.
    let written = write(repository.path(), "", LIMITS, &mut Chunks::new(sender));
    assert_eq!(written.unwrap(), None);
}

#[tokio::test]
async fn another_dockerfile_is_beside_the_context_and_no_part_of_it() {
    for (files, expected) in [
        (
            &[("Dockerfile", "FROM a\n")][..],
            "Dockerfile: FROM a\n|.pierhead.dockerfile: FROM b\n|\
             .dockerignore: .pierhead.dockerfile\n.dockerignore\n",
        ),
        (
            &[("Dockerfile", "FROM a\n"), (".dockerignore", "!.p*")],
            ".dockerignore: !.p*\n.pierhead.dockerfile\n|Dockerfile: FROM a\n|\
             .pierhead.dockerfile: FROM b\n",
        ),
        (
            &[("Dockerfile", "FROM a\n"), (".dockerignore", "*")],
            ".pierhead.dockerfile: FROM b\n|\
             .dockerignore: .pierhead.dockerfile\n.dockerignore\n",
        ),
    ] {
        let repository = repository(files);
        let (sender, mut receiver) = mpsc::channel(CHUNKS);
        let writing = tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks::new(sender);
            let mut archive = Archive::new(&mut chunks, Some("FROM b\n".to_owned()));
            walk(repository.path(), "", LIMITS, &mut archive).unwrap();
        });
        let mut bytes = Vec::new();
        while let Some(chunk) = receiver.recv().await {
            bytes.extend(chunk.unwrap());
        }
        writing.await.unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            format!("{path}: {}", io::read_to_string(&mut entry).unwrap())
        });
        assert_eq!(entries.collect::<Vec<_>>().join("|"), expected);
    }
}
