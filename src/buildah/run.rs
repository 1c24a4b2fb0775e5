//! One build: its folder, what it is based on, and the program that does it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::Receiver;
use tokio::process::ChildStdout;
use tokio::sync::mpsc;

use crate::buildah::folder::{Folder, Storage};
use crate::buildah::home::{Mark, Presence};
use crate::buildah::means::Means;
use crate::buildah::names::{alias, local};
use crate::buildah::output::{Output, complaint};
use crate::buildah::process::Running;
use crate::buildah::unpacked::Unpacked;
use crate::buildah::{Base, Buildah, BuildahError, Owner, Reading};
use crate::building::walk::walk;
use crate::building::{BuildError, Built, Materials, check_inside, failed_command, send};
use crate::domain::output::Lines;
use crate::domain::redact::Redactor;
use crate::image::ImageBuild;
use crate::image::dockerfile::renamed;
use crate::tasks;

/// Bytes handled at once.
const CHUNK: usize = 64 * 1024;

/// How long lines are awaited of a program that has ended: something that it left may hold them.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A build that is under way.
#[derive(Debug)]
pub struct Run<'a> {
    means: &'a Means,
    build: &'a ImageBuild,
    storage: Storage,
    bases: Storage,
    folder: Folder,
    /// Ids of the images that are there, by those that the engine has for them.
    known: BTreeMap<String, String>,
    /// Bases that have no name which can be given, and their names here.
    names: Vec<(String, String)>,
    secrets: Vec<String>,
    uses_cache: bool,
    // Last, so that nobody tidies up before the folder is gone.
    _presence: Presence,
}

impl Buildah {
    /// Makes ready what a build needs: its context, and its bases so far as they are here.
    ///
    /// # Errors
    ///
    /// When the context is refused, or the program is missing or refuses.
    pub async fn begin<'a>(
        &'a self,
        build: &'a ImageBuild,
        materials: &Materials<'_>,
        (reading, bases): (Reading, &[Base]),
        lines: &mpsc::Sender<String>,
    ) -> Result<Run<'a>, BuildError> {
        let means = self.means().await?;
        let presence = self.home.enter(means).await.map_err(BuildahError::from)?;
        let folder = self.home.folder().map_err(BuildahError::from)?;
        let caches = self.home.caches(&build.account).map_err(BuildahError::from)?;
        let stores = Storage::of(&self.home.bases(), None);
        let storage = Storage::of(&self.home.storage(&build.tag), Some(&stores.path));
        let mut run = Run {
            means,
            build,
            storage,
            bases: stores,
            folder,
            known: BTreeMap::new(),
            names: bases.iter().filter_map(alias).collect(),
            secrets: Vec::new(),
            uses_cache: materials.uses_cache,
            _presence: presence,
        };
        run.unpack(materials, &reading, lines).await?;
        run.folder.caches(&caches).map_err(BuildahError::from)?;
        run.give(materials, &reading)?;
        run.know().await?;
        Ok(run)
    }
}

impl Run<'_> {
    async fn unpack(
        &self,
        materials: &Materials<'_>,
        reading: &Reading,
        lines: &mpsc::Sender<String>,
    ) -> Result<(), BuildError> {
        let (root, context) = (materials.root.to_owned(), self.build.context.path.clone());
        let (limits, folder) = (materials.limits, self.folder.path("context"));
        let sources = reading.confined.sources.clone();
        let wanted = Arc::new(());
        let mut unpacked = Unpacked::new(folder.clone(), Arc::downgrade(&wanted));
        let unpacking = tasks::blocking(move || {
            let sent = walk(&root, &context, limits, &mut unpacked)?;
            sources.iter().try_for_each(|source| check_inside(&folder, source))?;
            Ok::<_, BuildError>(sent)
        });
        let sent = unpacking.await?;
        drop(wanted);
        send(sent.map(|sent| format!("context: {sent}")), lines).await;
        Ok(())
    }

    /// Writes what the program reads besides the context.
    fn give(&mut self, materials: &Materials<'_>, reading: &Reading) -> Result<(), BuildahError> {
        let names = self.names.iter().cloned().collect();
        let text = renamed(&reading.confined.text, &names);
        if let Some((name, _)) = self.names.iter().find(|(_, other)| !text.contains(other)) {
            let words = format!("write `{name}` out: with this builder a digest is no variable");
            return Err(BuildahError::Refused(words));
        }
        self.folder.write("Dockerfile", text.as_bytes())?;
        for (number, (id, secret)) in materials.secrets.iter().enumerate() {
            let name = format!("secrets/{number}");
            let path = self.folder.write(&name, secret.expose_secret().as_bytes())?;
            self.secrets.push(format!("--secret=id={id},src={}", path.display()));
        }
        Ok(())
    }

    async fn know(&mut self) -> Result<(), BuildahError> {
        if !self.bases.path.exists() {
            // A storage is there before another one refers to it.
            self.say(&self.bases, ["images", "--quiet"]).await?;
        }
        let listed = self.say(&self.storage, ["images", "--all", "--no-trunc", "--quiet"]).await?;
        let ids = listed.split_whitespace();
        self.known = ids.map(|id| (id.to_owned(), id.to_owned())).collect();
        Ok(())
    }

    async fn say<const N: usize>(
        &self,
        storage: &Storage,
        args: [&str; N],
    ) -> Result<String, BuildahError> {
        self.means.say(&self.folder, storage, args).await
    }

    /// Whether an image is here.
    pub fn has(&self, base: &Base) -> bool {
        self.known.contains_key(&base.id)
    }

    /// Takes in an image from an archive in Docker's form.
    ///
    /// # Errors
    ///
    /// When the archive breaks off, or the program refuses it.
    pub async fn take<E: Display>(
        &mut self,
        base: &Base,
        archive: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), BuildahError> {
        let path = self.folder.path("base.tar");
        let mut file = tokio::fs::File::create(&path).await?;
        let mut archive = std::pin::pin!(archive);
        while let Some(chunk) = archive.next().await {
            let chunk = chunk.map_err(|error| io::Error::other(error.to_string()))?;
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        let from = format!("docker-archive:{}", path.display());
        let said = self.say(self.storage_of(base), ["pull", "--quiet", &from]).await?;
        tokio::fs::remove_file(path).await?;
        // Engines on containerd have ids of manifests; here they are those of configurations.
        let id = said.split_whitespace().next_back().unwrap_or(&base.id).to_owned();
        self.known.insert(base.id.clone(), id);
        Ok(())
    }

    /// Has an image that is here be found under the name in the Dockerfile.
    ///
    /// # Errors
    ///
    /// When the program refuses.
    pub async fn name(&self, base: &Base) -> Result<(), BuildahError> {
        let name = alias(base).map_or_else(|| local(&base.name), |(_, alias)| alias);
        let id = self.known.get(&base.id).unwrap_or(&base.id).trim_start_matches("sha256:");
        self.say(self.storage_of(base), ["tag", id, &name]).await.map(drop)
    }

    const fn storage_of(&self, base: &Base) -> &Storage {
        match base.of {
            Owner::Project => &self.storage,
            Owner::World => &self.bases,
        }
    }

    /// Builds the image, with secrets hidden in the lines that are sent. Dropping the future ends the
    /// program and all that it started.
    ///
    /// # Errors
    ///
    /// When a step fails, or the program cannot be started.
    pub async fn build(
        &self,
        redactor: &Redactor,
        lines: &mpsc::Sender<String>,
    ) -> Result<Built, BuildError> {
        let mark = Mark::set(&self.storage.path).map_err(BuildahError::from)?;
        let mut output = Output::new(&self.build.labels, self.names.clone());
        let status = self.follow((&mut output, Lines::new(redactor)), lines).await?;
        mark.clear();
        if !status.success() {
            let words = output.fault().unwrap_or_else(|| format!("the builder ended: {status}"));
            // Where it was is of use to nobody.
            let words = words.replace(&self.folder.text("context"), "");
            return Err(match failed_command(&words) {
                Some((command, code)) => BuildError::Command { command, code },
                None => BuildError::Step(words),
            });
        }
        let id = tokio::fs::read_to_string(self.folder.path("iid")).await;
        let id = id.map_err(BuildahError::from)?.trim().to_owned();
        match id.starts_with("sha256:") {
            true => Ok(Built { id, steps: output.steps() }),
            false => Err(BuildError::NoImage),
        }
    }

    async fn follow(
        &self,
        (output, mut cut): (&mut Output, Lines),
        lines: &mpsc::Sender<String>,
    ) -> Result<ExitStatus, BuildahError> {
        // Both in one, so that they come in order.
        let (reader, writer) = io::pipe()?;
        let mut command = self.means.command(&self.folder, &self.storage, self.flags())?;
        command.stdout(Stdio::from(writer.try_clone()?)).stderr(Stdio::from(writer));
        let started = Running::start(&mut command);
        let mut running = started.map_err(|source| self.means.not_started(source))?;
        // It holds the pipe's other end, without which its end would never be seen.
        drop(command);
        let mut reader = receiver(reader)?;
        let mut buffer = BytesMut::with_capacity(CHUNK);
        let mut status = None;
        loop {
            buffer.clear();
            let read = tokio::select! {
                read = reader.read_buf(&mut buffer) => read?,
                ended = running.wait(), if status.is_none() => {
                    status = Some(ended?);
                    continue;
                }
                () = tokio::time::sleep(LAST_LINES), if status.is_some() => 0,
            };
            if read == 0 {
                break;
            }
            let said = cut.push(&buffer);
            send(said.into_iter().flat_map(|line| output.hear(line)), lines).await;
        }
        send(cut.finish().into_iter().flat_map(|line| output.hear(line)), lines).await;
        match status {
            Some(status) => Ok(status),
            None => Ok(running.wait().await?),
        }
    }

    fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> =
            ["build", "--layers", "--force-rm", "--pull=never", "--format=docker"]
                .map(str::to_owned)
                .to_vec();
        flags.extend(self.means.isolation().into_iter().map(str::to_owned));
        if !self.uses_cache {
            flags.push("--no-cache".to_owned());
        }
        flags.extend(self.build.labels.iter().map(|(key, value)| format!("--label={key}={value}")));
        // None of them is a secret. In the environment they would steer whatever is started.
        let args = self.build.args.iter();
        flags.extend(args.map(|(name, value)| format!("--build-arg={name}={value}")));
        flags.extend(self.secrets.iter().cloned());
        flags.extend([
            format!("--file={}", self.folder.text("Dockerfile")),
            format!("--ignorefile={}", self.folder.text("ignore")),
            format!("--iidfile={}", self.folder.text("iid")),
            self.folder.text("context"),
        ]);
        flags
    }

    /// The archive of an image in Docker's form, which will be called by the job's own tag.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn archive(
        &self,
        built: &Built,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<>, BuildahError> {
        let to = format!("docker-archive:/dev/stdout:{}", self.build.own_tag);
        let id = built.id.trim_start_matches("sha256:");
        let args = ["push", "--quiet", id, &to];
        let complaints = self.folder.write("complaints", b"")?;
        let mut command = self.means.command(&self.folder, &self.storage, args)?;
        command.stderr(std::fs::File::options().append(true).open(&complaints)?);
        let started = Running::start(&mut command);
        let mut running = started.map_err(|source| self.means.not_started(source))?;
        let stdout = running.stdout();
        Ok(stream::try_unfold((running, stdout, complaints), next_chunk))
    }
}

/// A program that writes an archive, the archive, and where it complains.
type Writing = (Running, Option<ChildStdout>, PathBuf);

async fn next_chunk(
    (mut running, stdout, complaints): Writing,
) -> io::Result<Option<(Bytes, Writing)>> {
    let Some(mut stdout) = stdout else { return Ok(None) };
    let mut buffer = BytesMut::with_capacity(CHUNK);
    if stdout.read_buf(&mut buffer).await? > 0 {
        return Ok(Some((buffer.freeze(), (running, Some(stdout), complaints))));
    }
    match running.wait().await?.success() {
        true => Ok(None),
        false => {
            let said = tokio::fs::read_to_string(complaints).await.unwrap_or_default();
            Err(io::Error::other(complaint(&said)))
        }
    }
}

fn receiver(reader: PipeReader) -> io::Result<Receiver> {
    Receiver::from_owned_fd(OwnedFd::from(reader))
}
