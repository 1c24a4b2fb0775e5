//! A socket before the Docker Engine's, which notes how long the engine works.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pierhead::tasks::Tasks;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// Bytes passed on at once.
const CHUNK: usize = 64 * 1024;

/// What the engine was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Build,
    Start,
    Remove,
    /// Everything that changes nothing.
    Look,
}

impl Work {
    /// What a request asks for, by its first bytes; `None` when they begin no request.
    fn of(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]);
        let (method, path) = text.split_once(' ')?;
        let path = path.split([' ', '?']).next()?;
        Some(match method {
            "DELETE" => Self::Remove,
            "POST" if path.ends_with("/stop") => Self::Remove,
            "POST" if path.ends_with("/build") => Self::Build,
            "POST" if path.ends_with("/create") || path.ends_with("/start") => Self::Start,
            "POST" | "GET" | "HEAD" | "PUT" => Self::Look,
            _ => return None,
        })
    }
}

/// One request, from its first byte to the last of its answer.
#[derive(Debug, Clone, Copy)]
struct Call {
    work: Work,
    began: Instant,
    ended: Instant,
}

/// The socket.
#[derive(Debug)]
pub(crate) struct EngineWatch {
    folder: TempDir,
    calls: Arc<Mutex<Vec<Call>>>,
    tasks: Tasks,
}

impl EngineWatch {
    /// Listens before the engine at this address.
    pub(crate) fn start(engine: &str) -> Self {
        let engine = PathBuf::from(engine.trim_start_matches("unix://"));
        let folder = tempfile::Builder::new().prefix("phw").tempdir_in("/tmp").unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let (calls, tasks) = (Arc::default(), Tasks::default());
        let watch = Self { folder, calls, tasks };
        let (calls, tasks) = (watch.calls.clone(), watch.tasks.clone());
        drop(watch.tasks.start(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (engine, calls) = (engine.clone(), calls.clone());
                drop(tasks.start(async move { pass(client, &engine, &calls).await }));
            }
        }));
        watch
    }

    /// The address that Pierhead is given.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// How long the engine worked between two moments, on all or on some of it.
    pub(crate) fn worked(
        &self,
        (from, to): (Instant, Instant),
        is_meant: impl Fn(Work) -> bool,
    ) -> Duration {
        let mut calls = self.calls.lock().unwrap().clone();
        calls.retain(|call| is_meant(call.work));
        calls.sort_by_key(|call| call.began);
        let (mut worked, mut until) = (Duration::ZERO, from);
        for call in calls {
            let (began, ended) = (call.began.max(until), call.ended.min(to));
            worked += ended.saturating_duration_since(began);
            until = until.max(ended);
        }
        worked
    }
}

/// Passes one connection on.
async fn pass(mut client: UnixStream, engine: &Path, calls: &Mutex<Vec<Call>>) {
    let Ok(mut engine) = UnixStream::connect(engine).await else { return };
    let (mut asked, mut answered) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut current: Option<usize> = None;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                if let Some(work) = Work::of(&asked[..length]) {
                    let began = Instant::now();
                    let mut calls = calls.lock().unwrap();
                    current = Some(calls.len());
                    calls.push(Call { work, began, ended: began });
                }
                if engine.write_all(&asked[..length]).await.is_err() {
                    return;
                }
            }
            read = engine.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
                if let Some(index) = current {
                    calls.lock().unwrap()[index].ended = Instant::now();
                }
            }
        }
    }
}
