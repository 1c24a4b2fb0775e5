//! A project's repository on disk.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::{DateTime, Utc};
use git2::{ErrorCode, ObjectType, Repository, RepositoryInitMode, RepositoryInitOptions};
use uuid::Uuid;

use crate::domain::git_ref::RefName;
use crate::domain::history::truncate;
use crate::domain::ids::{JobNumber, ProjectId};
use crate::domain::oid::Oid;
use crate::domain::output::clean;

/// Longest first line of a message in bytes; who wants more looks at the commit.
const LONGEST_SUBJECT: usize = 200;

/// Where jobs pin the commits they deploy, hidden from clients.
const PINS: &str = "refs/pierhead/jobs/";

/// Folder of every project's repository.
#[derive(Debug, Clone)]
pub struct Repositories {
    root: PathBuf,
}

/// One project's repository, open.
pub struct BareRepository {
    repository: Repository,
    path: PathBuf,
}

/// Why a repository could not be read or changed.
///
/// The text is for people who push, and names no path of the server; `Debug` is for its log.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The folder is not there.
    #[error("the server misses the repository")]
    Missing(PathBuf),
    /// The object is not there, or of another kind.
    #[error("{0} is not a commit")]
    NotACommit(Oid),
    /// libgit2 failed.
    #[error("the server cannot use the repository")]
    Git(git2::Error),
    /// A file could not be read or written.
    #[error("the server cannot use one of its files")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

// Not by `#[from]`: a cause is shown behind an error, and libgit2's words name paths.
impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::Git(error)
    }
}

/// What a change of a ref came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Swap {
    /// The ref is at the new value.
    Done,
    /// The ref was not at the expected value; this is where it is.
    Elsewhere(Option<Oid>),
    /// git does not allow it, for this reason.
    Refused(String),
}

/// A file at a repository's root, as a commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootFile {
    /// Its content.
    Content(Vec<u8>),
    /// There is none.
    Absent,
    /// It is a folder, a symbolic link or a submodule.
    NotAFile,
    /// It has this many bytes, which is too much.
    TooLarge(usize),
}

impl Repositories {
    /// The repositories in a folder.
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder that holds them.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a project's repository is.
    pub fn path(&self, project: ProjectId) -> PathBuf {
        self.root.join(format!("{project}.git"))
    }

    /// Opens a project's repository.
    ///
    /// # Errors
    ///
    /// When it is missing or damaged.
    pub fn open(&self, project: ProjectId) -> Result<BareRepository, GitError> {
        let path = self.path(project);
        if !path.exists() {
            self.bring_back(project)?;
        }
        match Repository::open_bare(&path) {
            Ok(repository) => Ok(BareRepository { repository, path }),
            Err(error) if error.code() == ErrorCode::NotFound => Err(GitError::Missing(path)),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a project's repository, unless it is there.
    ///
    /// It appears whole: it is made beside its place and then moved there.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn ensure(&self, project: ProjectId, default_branch: &str) -> Result<(), GitError> {
        let path = self.path(project);
        if path.exists() || self.bring_back(project)? {
            return Ok(());
        }
        let file = |source| GitError::File { path: path.clone(), source };
        fs::create_dir_all(&self.root).map_err(file)?;
        let partial = self.root.join(format!("{project}.{}.partial", Uuid::now_v7().simple()));
        let mut options = RepositoryInitOptions::new();
        options.bare(true).initial_head(default_branch).external_template(false);
        // The roles that serve pushes and that deploy them may be users of one group.
        options.mode(RepositoryInitMode::SHARED_GROUP);
        let mut config = Repository::init_opts(&partial, &options)?.config()?;
        config.set_bool("core.logAllRefUpdates", true)?;
        // Who the reflog says moved a ref.
        config.set_str("user.name", "pierhead")?;
        config.set_str("user.email", "pierhead@localhost")?;
        match fs::rename(&partial, &path) {
            Ok(()) => Ok(()),
            // Another process was faster.
            Err(_) if path.exists() => fs::remove_dir_all(&partial).map_err(file),
            Err(error) => Err(file(error)),
        }
    }
}

fn to_git2(oid: Oid) -> git2::Oid {
    git2::Oid::from_bytes(&oid.bytes()).expect("an object id has 20 bytes")
}

pub(super) fn from_git2(oid: git2::Oid) -> Oid {
    let bytes: [u8; 20] = oid.as_bytes().try_into().expect("an object id has 20 bytes");
    Oid::from_bytes(bytes)
}

impl BareRepository {
    /// Also reads objects that a push brought and that are not stored yet.
    ///
    /// # Errors
    ///
    /// When the folder is no object folder.
    pub fn with_quarantine(self, objects: &Path) -> Result<Self, GitError> {
        let text = objects.to_str().unwrap_or_default();
        self.repository.odb()?.add_disk_alternate(text)?;
        Ok(self)
    }

    /// Where a ref is.
    ///
    /// # Errors
    ///
    /// When the repository is damaged.
    pub fn tip(&self, name: &RefName) -> Result<Option<Oid>, GitError> {
        match self.repository.refname_to_id(name.as_str()) {
            Ok(oid) => Ok(Some(from_git2(oid))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The commit behind an object: itself, or what a tag finally names.
    ///
    /// # Errors
    ///
    /// When there is no such commit.
    pub fn peel(&self, oid: Oid) -> Result<Oid, GitError> {
        self.commit(oid).map(|commit| from_git2(commit.id()))
    }

    /// Whether an object is there and is itself a commit.
    ///
    /// # Errors
    ///
    /// When the repository is damaged.
    pub fn is_commit(&self, oid: Oid) -> Result<bool, GitError> {
        match self.repository.odb()?.read_header(to_git2(oid)) {
            Ok((_, kind)) => Ok(kind == ObjectType::Commit),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn commit(&self, oid: Oid) -> Result<git2::Commit<'_>, GitError> {
        let object = self
            .repository
            .find_object(to_git2(oid), None)
            .map_err(|_missing| GitError::NotACommit(oid))?;
        object.peel_to_commit().map_err(|_other_kind| GitError::NotACommit(oid))
    }

    /// Whether one commit is another or contains it; tags are peeled.
    ///
    /// # Errors
    ///
    /// When one of them is no commit.
    pub fn descends(&self, newer: Oid, older: Oid) -> Result<bool, GitError> {
        let (newer, older) = (self.commit(newer)?.id(), self.commit(older)?.id());
        Ok(newer == older || self.repository.graph_descendant_of(newer, older)?)
    }

    /// When a commit was made.
    ///
    /// # Errors
    ///
    /// When there is no such commit.
    pub fn committed_at(&self, oid: Oid) -> Result<DateTime<Utc>, GitError> {
        let seconds = self.commit(oid)?.time().seconds();
        // A date that no calendar has is some date all the same.
        Ok(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
    }

    /// First line of a commit's message, safe to show and of bounded length.
    ///
    /// # Errors
    ///
    /// When there is no such commit.
    pub fn subject(&self, oid: Oid) -> Result<String, GitError> {
        let commit = self.commit(oid)?;
        let summary = commit.summary_bytes().unwrap_or_default();
        let mut subject = String::from_utf8_lossy(summary).into_owned();
        truncate(&mut subject, LONGEST_SUBJECT);
        Ok(clean(subject.as_bytes()))
    }

    /// A file at the root of a commit's tree.
    ///
    /// # Errors
    ///
    /// When there is no such commit, or the repository is damaged.
    pub fn root_file(
        &self,
        commit: Oid,
        name: &str,
        most_bytes: usize,
    ) -> Result<RootFile, GitError> {
        let tree = self.commit(commit)?.tree()?;
        let Some(entry) = tree.get_name(name) else {
            return Ok(RootFile::Absent);
        };
        let is_link = entry.filemode() == i32::from(git2::FileMode::Link);
        if entry.kind() != Some(ObjectType::Blob) || is_link {
            return Ok(RootFile::NotAFile);
        }
        let (size, _) = self.repository.odb()?.read_header(entry.id())?;
        if size > most_bytes {
            return Ok(RootFile::TooLarge(size));
        }
        let blob = self.repository.find_blob(entry.id())?;
        Ok(RootFile::Content(blob.content().to_vec()))
    }

    /// The tree of a commit, for those of this layer.
    pub(super) fn tree(&self, commit: Oid) -> Result<git2::Tree<'_>, GitError> {
        Ok(self.commit(commit)?.tree()?)
    }

    /// The library's own handle, for those of this layer.
    pub(super) const fn handle(&self) -> &Repository {
        &self.repository
    }

    /// Moves, makes or deletes a ref if it is where it is expected.
    ///
    /// Whoever calls holds the repository's advisory lock, so a lock file found here was left by
    /// a process that was killed, and is removed.
    ///
    /// # Errors
    ///
    /// When the repository is damaged or cannot be written.
    pub fn swap(
        &self,
        name: &RefName,
        expected: Option<Oid>,
        new: Option<Oid>,
        why: &str,
    ) -> Result<Swap, GitError> {
        self.remove_left_locks(name.as_str())?;
        let tip = self.tip(name)?;
        if tip != expected {
            return Ok(Swap::Elsewhere(tip));
        }
        let changed = match (expected, new) {
            (None, None) => Ok(()),
            (Some(_), None) => self
                .repository
                .find_reference(name.as_str())
                .and_then(|mut reference| reference.delete()),
            (None, Some(_)) if let Some(other) = self.conflict(name)? => {
                return Ok(Swap::Refused(format!("`{other}` is in the way")));
            }
            (expected, Some(new)) => {
                let current = expected.map_or(git2::Oid::ZERO_SHA1, to_git2);
                self.repository
                    .reference_matching(name.as_str(), to_git2(new), true, current, why)
                    .map(drop)
            }
        };
        match changed {
            Ok(()) => Ok(Swap::Done),
            Err(error) if error.code() == ErrorCode::Modified => {
                Ok(Swap::Elsewhere(self.tip(name)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A ref that cannot be there beside this one: `refs/heads/a` and `refs/heads/a/b`.
    ///
    /// # Errors
    ///
    /// When the repository is damaged.
    pub fn conflict(&self, name: &RefName) -> Result<Option<String>, GitError> {
        let text = name.as_str();
        let above = text.match_indices('/').filter_map(|(end, _)| text.get(..end));
        for ancestor in above {
            if self.repository.find_reference(ancestor).is_ok() {
                return Ok(Some(ancestor.to_owned()));
            }
        }
        let mut below = self.repository.references_glob(&format!("{text}/*"))?;
        let below = below.names().next().transpose()?.map(str::to_owned);
        Ok(below)
    }

    fn remove_left_locks(&self, name: &str) -> Result<(), GitError> {
        for file in [format!("{name}.lock"), "packed-refs.lock".to_owned()] {
            let path = self.path.join(file);
            match fs::remove_file(&path) {
                Ok(()) => tracing::info!("Removed {}, left by a killed process", path.display()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // `a.lock` below a ref that is a file cannot exist either.
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
                Err(source) => return Err(GitError::File { path, source }),
            }
        }
        Ok(())
    }

    /// Keeps a commit while a job or its release is kept.
    ///
    /// # Errors
    ///
    /// When the repository cannot be written.
    pub fn pin(&self, job: JobNumber, commit: Oid) -> Result<(), GitError> {
        let name = format!("{PINS}{job}");
        self.remove_left_locks(&name)?;
        self.repository.reference(&name, to_git2(commit), true, "deploy")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
