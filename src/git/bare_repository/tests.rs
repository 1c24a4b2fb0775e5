//! Repositories on disk, and refs that move.

use super::*;

fn repository() -> (tempfile::TempDir, BareRepository) {
    let folder = tempfile::tempdir().unwrap();
    let repositories = Repositories::new(folder.path().join("repositories"));
    let project = ProjectId::from(Uuid::from_u128(1));
    repositories.ensure(project, "main").unwrap();
    repositories.ensure(project, "other").unwrap();
    let repository = repositories.open(project).unwrap();
    (folder, repository)
}

fn commit(repository: &BareRepository, parents: &[Oid], files: &[(&str, i32)]) -> Oid {
    let handle = repository.handle();
    let mut builder = handle.treebuilder(None).unwrap();
    for (name, mode) in files {
        let blob = handle.blob(name.as_bytes()).unwrap();
        builder.insert(name, blob, *mode).unwrap();
    }
    let tree = handle.find_tree(builder.write().unwrap()).unwrap();
    let parents: Vec<_> =
        parents.iter().map(|oid| handle.find_commit(to_git2(*oid)).unwrap()).collect();
    let who = git2::Signature::new("a", "a@b", &git2::Time::new(0, 0)).unwrap();
    let subject = format!("Commit {}\n\nBody", parents.len());
    let oid = handle
        .commit(None, &who, &who, &subject, &tree, &parents.iter().collect::<Vec<_>>())
        .unwrap();
    from_git2(oid)
}

fn main() -> RefName {
    "refs/heads/main".parse().unwrap()
}

#[test]
fn a_ref_moves_only_from_where_it_is_expected() {
    let (_folder, repository) = repository();
    let first = commit(&repository, &[], &[("a", 0o100_644)]);
    let second = commit(&repository, &[first], &[("b", 0o100_644)]);
    let swap = |expected, new| repository.swap(&main(), expected, new, "test").unwrap();
    assert_eq!(swap(Some(first), Some(second)), Swap::Elsewhere(None));
    assert_eq!(swap(None, Some(first)), Swap::Done);
    assert_eq!(swap(None, Some(second)), Swap::Elsewhere(Some(first)));
    assert_eq!(swap(Some(first), Some(second)), Swap::Done);
    assert_eq!(swap(Some(second), None), Swap::Done);
    assert_eq!(repository.tip(&main()).unwrap(), None);
    assert!(repository.descends(second, first).unwrap());
    assert!(repository.descends(first, first).unwrap());
    assert!(!repository.descends(first, second).unwrap());
}

#[test]
fn a_lock_that_a_killed_process_left_is_removed() {
    let (_folder, repository) = repository();
    let first = commit(&repository, &[], &[("a", 0o100_644)]);
    fs::write(repository.path.join("refs/heads/main.lock"), "").unwrap();
    assert_eq!(repository.swap(&main(), None, Some(first), "test").unwrap(), Swap::Done);
}

#[test]
fn a_branch_beside_a_folder_of_its_name_is_refused() {
    let (_folder, repository) = repository();
    let first = commit(&repository, &[], &[("a", 0o100_644)]);
    let below: RefName = "refs/heads/main/below".parse().unwrap();
    assert_eq!(repository.swap(&main(), None, Some(first), "test").unwrap(), Swap::Done);
    let swap = repository.swap(&below, None, Some(first), "test").unwrap();
    assert_eq!(swap, Swap::Refused("`refs/heads/main` is in the way".to_owned()));
    let other: RefName = "refs/heads/other".parse().unwrap();
    let below: RefName = "refs/heads/other/below".parse().unwrap();
    repository.swap(&below, None, Some(first), "test").unwrap();
    assert_eq!(repository.conflict(&other).unwrap().as_deref(), Some(below.as_str()));
}

#[test]
fn only_a_plain_file_of_bounded_size_is_read() {
    let (_folder, repository) = repository();
    let files = [("file", 0o100_644), ("link", 0o120_000), ("large-file", 0o100_755)];
    let oid = commit(&repository, &[], &files);
    let read = |name| repository.root_file(oid, name, 5).unwrap();
    assert_eq!(read("file"), RootFile::Content(b"file".to_vec()));
    assert_eq!(read("link"), RootFile::NotAFile);
    assert_eq!(read("large-file"), RootFile::TooLarge(10));
    assert_eq!(read("other"), RootFile::Absent);
    assert_eq!(repository.subject(oid).unwrap(), "Commit 0");
}

#[test]
fn what_is_not_a_commit_is_said_so() {
    let (_folder, repository) = repository();
    let absent = Oid::from_bytes([7; 20]);
    assert!(matches!(repository.peel(absent), Err(GitError::NotACommit(oid)) if oid == absent));
    let blob = from_git2(repository.handle().blob(b"x").unwrap());
    assert!(matches!(repository.peel(blob), Err(GitError::NotACommit(_))));
}
