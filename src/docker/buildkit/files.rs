//! Shows a context to BuildKit, which takes of it what it does not have.
//!
//! The protocol is that of fsutil: every entry is told in order, then the end; meanwhile the
//! engine asks for the content of files by their place in that order, and says when it has all.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use bollard::moby::filesync::packet::file_sync_server::FileSync;
use futures::{FutureExt as _, Stream, StreamExt as _, future, stream};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::building::files::{FIRST_DATE, FileFacts, became_shorter};
use crate::building::walk::{Sink, open_file, open_folder, walk};
use crate::building::{ContextError, ContextLimits, send};
use crate::tasks;

/// Bytes of a file that are sent at once.
const CHUNK: usize = 32 * 1024;

/// Packets that wait to be sent. Past it whoever makes them waits.
const PACKETS: usize = 16;

/// Bits by which Go tells folders and links.
const FOLDER: u32 = 1 << 31;
const LINK: u32 = 1 << 27;

/// Why a context is not shown, told beside the engine's words about it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<ContextError>>>);

impl Fault {
    pub(super) fn take(&self) -> Option<ContextError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn tell(&self, error: ContextError) -> Status {
        let status = Status::aborted(error.to_string());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        status
    }
}

/// The files of a build.
#[derive(Clone)]
pub(super) struct Files {
    pub(super) root: PathBuf,
    pub(super) context: String,
    pub(super) limits: ContextLimits,
    pub(super) dockerfile: Arc<str>,
    pub(super) lines: mpsc::Sender<String>,
    pub(super) fault: Fault,
    /// Whether it was asked what is ignored; then that file may be meant as any other.
    pub(super) is_ignored_told: Arc<AtomicBool>,
}

/// Packets on their way.
type Packets = Pin<Box<dyn Stream<Item = Result<Packet, Status>> + Send>>;

#[async_trait]
impl FileSync for Files {
    type DiffCopyStream = Packets;
    type TarStreamStream = Packets;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Packets>, Status> {
        let text = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok());
        let shown = match (text("dir-name"), text("followpaths")) {
            (Some("dockerfile"), _) => Shown::Dockerfile,
            // What is ignored is left out already.
            (Some("context"), Some(".dockerignore"))
                if !self.is_ignored_told.swap(true, Ordering::Relaxed) =>
            {
                Shown::Nothing
            }
            (Some("context"), _) => Shown::Context,
            _ => return Err(Status::not_found("no such folder")),
        };
        let (sender, receiver) = mpsc::channel(PACKETS);
        let showing = self.clone().show(shown, request.into_inner(), sender);
        // It goes on while its packets are taken, and ends when nobody takes them any more.
        let showing = showing.into_stream().filter_map(|()| future::ready(None));
        Ok(Response::new(Box::pin(stream::select(ReceiverStream::new(receiver), showing))))
    }

    async fn tar_stream(
        &self,
        _request: Request<Streaming<Packet>>,
    ) -> Result<Response<Packets>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// What is shown.
#[derive(Debug, Clone, Copy)]
enum Shown {
    Context,
    Dockerfile,
    Nothing,
}

type Sender = mpsc::Sender<Result<Packet, Status>>;

/// The files told so far, by their place; none for what is no file.
type Told = Arc<Mutex<Vec<Option<PathBuf>>>>;

impl Files {
    async fn show(self, shown: Shown, asked: Streaming<Packet>, sender: Sender) {
        let told = Told::default();
        let listing = async {
            match shown {
                Shown::Context => self.list(&told, &sender).await,
                Shown::Dockerfile => {
                    let size = i64::try_from(self.dockerfile.len()).unwrap_or(i64::MAX);
                    let stat = stat(Path::new("Dockerfile"), 0o644, FIRST_DATE);
                    // An engine that knows an older one of that size and date does not ask again.
                    let mod_time = stat.mod_time + nanoseconds(&self.dockerfile);
                    drop(sender.send(Ok(entry(Stat { size, mod_time, ..stat }))).await);
                }
                Shown::Nothing => {}
            }
            // When nobody listens any more there is nobody to tell.
            drop(sender.send(Ok(packet(PacketType::PacketStat))).await);
        };
        let giving = async {
            if let Err(status) = self.give(shown, asked, &told, &sender).await {
                drop(sender.send(Err(status)).await);
            }
        };
        future::join(listing, giving).await;
    }

    /// Tells every entry of the context.
    async fn list(&self, told: &Told, sender: &Sender) {
        let mut listing = Listing { told: Arc::clone(told), sender: sender.clone() };
        let (root, context, limits) = (self.root.clone(), self.context.clone(), self.limits);
        let walked = tasks::blocking(move || walk(&root, &context, limits, &mut listing)).await;
        match walked {
            Ok(sent) => send(sent.map(|sent| format!("context: {sent}")), &self.lines).await,
            Err(error) => drop(sender.send(Err(self.fault.tell(error))).await),
        }
    }

    /// Gives what the engine asks for.
    async fn give(
        &self,
        shown: Shown,
        mut asked: Streaming<Packet>,
        told: &Told,
        sender: &Sender,
    ) -> Result<(), Status> {
        while let Some(wish) = asked.message().await? {
            match PacketType::try_from(wish.r#type) {
                Ok(PacketType::PacketReq) => {
                    match shown {
                        Shown::Dockerfile => {
                            let data = self.dockerfile.as_bytes().chunks(CHUNK);
                            for data in data.map(<[u8]>::to_vec) {
                                drop(sender.send(Ok(content(wish.id, data))).await);
                            }
                        }
                        Shown::Context | Shown::Nothing => {
                            let path = path_of(told, wish.id);
                            let path = path.ok_or_else(|| Status::not_found("no such file"))?;
                            self.give_file(path, wish.id, sender.clone()).await?;
                        }
                    }
                    drop(sender.send(Ok(content(wish.id, Vec::new()))).await);
                }
                Ok(PacketType::PacketFin) => {
                    drop(sender.send(Ok(packet(PacketType::PacketFin))).await);
                    return Ok(());
                }
                _ => return Err(Status::invalid_argument("no such packet")),
            }
        }
        Ok(())
    }

    async fn give_file(&self, path: PathBuf, id: u32, sender: Sender) -> Result<(), Status> {
        let (root, context) = (self.root.clone(), self.context.clone());
        let given = tasks::blocking(move || {
            let folder = open_folder(&root, &context)?;
            let file = open_file(&folder, &path)?;
            let shown = path.display().to_string();
            send_file(&file, id, &sender)
                .map_err(|source| ContextError::Read { path: shown, source })
        });
        given.await.map_err(|error| self.fault.tell(error))
    }
}

fn send_file(mut file: &fs::File, id: u32, sender: &Sender) -> io::Result<()> {
    let size = file.metadata()?.len();
    let mut given = 0;
    while given < size {
        let mut data = Vec::with_capacity(CHUNK);
        let most = u64::try_from(CHUNK).unwrap_or(u64::MAX).min(size - given);
        file.by_ref().take(most).read_to_end(&mut data)?;
        if data.is_empty() {
            return Err(became_shorter());
        }
        given += u64::try_from(data.len()).unwrap_or(u64::MAX);
        if sender.blocking_send(Ok(content(id, data))).is_err() {
            // Nobody reads any more.
            return Ok(());
        }
    }
    Ok(())
}

fn path_of(told: &Told, id: u32) -> Option<PathBuf> {
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    told.get(usize::try_from(id).ok()?)?.clone()
}

/// Tells entries as they are met.
struct Listing {
    told: Told,
    sender: Sender,
}

impl Listing {
    fn tell(&self, file: Option<&Path>, stat: Stat) -> io::Result<()> {
        if stat.path.contains(char::REPLACEMENT_CHARACTER) {
            // The protocol has no words for it.
            return Err(io::Error::other("its name is no UTF-8"));
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(file.map(Path::to_owned));
        drop(told);
        let sent = self.sender.blocking_send(Ok(entry(stat)));
        sent.map_err(|_closed| io::ErrorKind::BrokenPipe.into())
    }
}

impl Sink for Listing {
    fn has_both(&self) -> bool {
        false
    }

    fn is_unread(&self) -> bool {
        self.sender.is_closed()
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
        self.tell(None, stat(path, FOLDER | 0o755, FIRST_DATE))
    }

    fn link(&mut self, path: &Path, target: &Path) -> io::Result<()> {
        let linkname = target.to_string_lossy().into_owned();
        let stat = stat(path, LINK | 0o777, FIRST_DATE);
        self.tell(None, Stat { linkname, ..stat })
    }

    fn file(&mut self, path: &Path, _file: &fs::File, facts: FileFacts) -> io::Result<()> {
        let size = i64::try_from(facts.size).map_err(io::Error::other)?;
        let stat = stat(path, facts.mode, facts.date);
        self.tell(Some(path), Stat { size, ..stat })
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stat(path: &Path, mode: u32, date: u64) -> Stat {
    let nanoseconds = date.saturating_mul(1_000_000_000);
    Stat {
        path: path.to_string_lossy().into_owned(),
        mode,
        mod_time: i64::try_from(nanoseconds).unwrap_or(i64::MAX),
        ..Stat::default()
    }
}

/// A length of time, of up to a hundred years, that stands for a text.
fn nanoseconds(text: &str) -> i64 {
    let digest = Sha256::digest(text);
    let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    i64::try_from(number >> 2).unwrap_or_default()
}

fn packet(kind: PacketType) -> Packet {
    Packet { r#type: kind.into(), ..Packet::default() }
}

fn entry(stat: Stat) -> Packet {
    Packet { stat: Some(stat), ..packet(PacketType::PacketStat) }
}

fn content(id: u32, data: Vec<u8>) -> Packet {
    Packet { id, data, ..packet(PacketType::PacketData) }
}
