//! One use of a hook, from its start to its end.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::caging::tree::{DEEPEST, Size, measure};
use crate::caging::{Ended, Heard};
use crate::config::HookConfig;
use crate::domain::output::Lines;
use crate::hooks::folders::{Folders, check_room};
use crate::hooks::outlet::Outlet;
use crate::hooks::runner::Cage;
use crate::hooks::{HookFault, HookUse, Parts};
use crate::tasks::blocking;

/// Lines that are told again when a hook fails.
const LAST_LINES: usize = 40;

/// Pause between two looks at what a hook writes; a look that takes long is followed by a longer one.
const LOOK: Duration = Duration::from_millis(300);

/// Pause between two looks at the room on the disk.
const GLANCE: Duration = Duration::from_millis(100);

/// How long what is asked to end may take.
const GRACE: Duration = Duration::from_secs(5);

/// How many times as long as a look the pause after it is.
const REST: u32 = 4;

/// The fault of more MiB than these.
type TooMuch = fn(u64) -> HookFault;

impl Parts {
    /// Runs a use to its end. A cancelled one ends, and everything that it started.
    pub(super) async fn run(
        self: &Arc<Self>,
        asked: &HookUse,
        lines: &mpsc::Sender<String>,
        cancel: &CancellationToken,
    ) -> Result<(), HookFault> {
        let hook = self.config.definitions.get(&asked.hook).ok_or(HookFault::Unknown)?.clone();
        let (parts, use_of, definition) = (Arc::clone(self), asked.clone(), hook.clone());
        let folders = blocking(move || parts.prepare(&use_of, &definition)).await?;
        let ran = self.run_in(asked, (&hook, &folders), lines, cancel).await;
        if let Err(HookFault::Unended(_)) = &ran {
            // What it writes to is not touched.
            return ran;
        }
        let (parts, asked) = (Arc::clone(self), asked.clone());
        let tidied = blocking(move || parts.tidy(&asked, &hook, folders)).await;
        match tidied {
            Ok(note) => send(note, lines).await,
            // The run's own folder goes anyhow.
            Err(error) if ran.is_err() => warn!("Could not tidy up after a hook: {error}"),
            Err(error) => return Err(error.into()),
        }
        ran
    }

    async fn run_in(
        &self,
        asked: &HookUse,
        (hook, folders): (&HookConfig, &Folders),
        lines: &mpsc::Sender<String>,
        cancel: &CancellationToken,
    ) -> Result<(), HookFault> {
        let deadline = Instant::now() + hook.limits.time.duration();
        // Nothing runs yet that a wish could end.
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(HookFault::Ended),
            () = tokio::time::sleep_until(deadline) => {
                return Err(HookFault::TooLong(hook.limits.time.to_string()));
            }
            had = self.obtain(hook, lines) => had?,
        }
        // Not to be dropped half made.
        let mut outlet = self.outlet(asked, hook).await?;
        let mut cage = self.cage(asked, hook, (folders, outlet.as_ref())).await?;
        let mut ear = Ear::new(asked, hook, lines);
        // One that closes its output goes on, and so do its bounds.
        let running = async {
            ear.hear_all(&mut cage, outlet.as_mut()).await?;
            cage.ended().await
        };
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(HookFault::Ended),
            () = tokio::time::sleep_until(deadline) => {
                Err(HookFault::TooLong(hook.limits.time.to_string()))
            }
            fault = self.watch(asked, hook, folders) => Err(fault),
            ended = running => ended,
        };
        // What takes too much of the machine is not asked, nor given time for more.
        if ended.as_ref().is_err_and(|fault| !fault.is_over_bounds()) {
            self.ask(&mut cage, asked, (hook, folders)).await;
        }
        cage.clear().await.map_err(|fault| HookFault::Unended(Box::new(fault)))?;
        if cancel.is_cancelled() {
            return Err(HookFault::Ended);
        }
        let (last, said) = ear.finish().await;
        match ended? {
            Ended::Code(0) => Self::look(asked, hook, folders).await.map_or(Ok(()), Err),
            Ended::Code(code) => Err(HookFault::Exited { code, last, said }),
            Ended::OutOfMemory => Err(HookFault::Memory(hook.limits.memory >> 20)),
        }
    }

    /// Asks a hook to end, and gives it time as long as it does not take too much.
    async fn ask(
        &self,
        cage: &mut Cage,
        asked: &HookUse,
        (hook, folders): (&HookConfig, &Folders),
    ) {
        if let Err(error) = cage.ask().await {
            return warn!("Could not ask a hook to end: {error}");
        }
        // It is ended anyhow.
        tokio::select! {
            _ended = cage.ended() => {}
            _fault = self.watch(asked, hook, folders) => {}
            () = tokio::time::sleep(GRACE) => {}
        }
    }

    /// Looks at what a hook writes until it is too much.
    async fn watch(&self, asked: &HookUse, hook: &HookConfig, folders: &Folders) -> HookFault {
        tokio::select! {
            fault = self.watch_disk(asked) => fault,
            fault = Self::watch_files(asked, hook, folders) => fault,
        }
    }

    /// Looks at the room on the disk: what was deleted while it is open is seen there alone.
    async fn watch_disk(&self, asked: &HookUse) -> HookFault {
        let keep_free = self.config.keep_free;
        loop {
            tokio::time::sleep(GLANCE).await;
            let folder = asked.folder.clone();
            if let Err(fault) = blocking(move || check_room(&folder, keep_free)).await {
                return fault;
            }
        }
    }

    async fn watch_files(asked: &HookUse, hook: &HookConfig, folders: &Folders) -> HookFault {
        let mut pause = LOOK;
        loop {
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            if let Some(fault) = Self::look(asked, hook, folders).await {
                return fault;
            }
            pause = LOOK.max(began.elapsed() * REST);
        }
    }

    /// What is too much of what a hook has written by now.
    async fn look(asked: &HookUse, hook: &HookConfig, folders: &Folders) -> Option<HookFault> {
        let limits = &hook.limits;
        let most = Size { bytes: limits.disk, files: limits.files, depth: DEEPEST };
        let kept = Size { bytes: hook.cache.saturating_mul(2), ..most };
        let looked_at: [(_, _, TooMuch); 2] = [
            (Some(asked.folder.clone()), most, HookFault::Disk),
            // Most of what is too much is dropped when it has ended.
            (folders.cache.as_ref().map(|cache| cache.files()), kept, HookFault::Cache),
        ];
        for (folder, most, fault) in looked_at {
            let Some(folder) = folder else { continue };
            let size = match blocking(move || measure(&folder, most)).await {
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    return Some(HookFault::Closed);
                }
                Err(error) => return Some(error.into()),
            };
            if size.bytes > most.bytes {
                return Some(fault(most.bytes >> 20));
            } else if size.files > most.files {
                return Some(HookFault::Files(most.files));
            } else if size.depth > most.depth {
                return Some(HookFault::Depth(DEEPEST));
            }
        }
        None
    }
}

/// Takes what a hook says, and passes it on as lines.
struct Ear<'a> {
    lines: &'a mpsc::Sender<String>,
    out: Lines,
    err: Lines,
    left: u64,
    most: u64,
    last: VecDeque<String>,
    said: usize,
}

impl<'a> Ear<'a> {
    fn new(asked: &HookUse, hook: &HookConfig, lines: &'a mpsc::Sender<String>) -> Self {
        let most = hook.limits.output;
        let (out, err) = (Lines::new(&asked.redactor), Lines::new(&asked.redactor));
        Self { lines, out, err, left: most, most, last: VecDeque::new(), said: 0 }
    }

    async fn hear_all(
        &mut self,
        cage: &mut Cage,
        mut outlet: Option<&mut Outlet>,
    ) -> Result<(), HookFault> {
        loop {
            let refused = async {
                match &mut outlet {
                    Some(outlet) => outlet.refused.recv().await,
                    None => None,
                }
            };
            let heard = tokio::select! {
                biased;
                Some(refused) = refused => {
                    self.pass(vec![format!("pierhead: {refused}")]).await;
                    continue;
                }
                heard = cage.hear() => heard,
            };
            let Some(heard) = heard else { return Ok(()) };
            let (said, bytes) = match heard? {
                Heard::Out(bytes) => (self.out.push(&bytes), bytes.len()),
                Heard::Err(bytes) => (self.err.push(&bytes), bytes.len()),
            };
            self.pass(said).await;
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            let left = self.left.checked_sub(bytes);
            self.left = left.ok_or(HookFault::Output(self.most >> 20))?;
        }
    }

    async fn pass(&mut self, said: Vec<String>) {
        for line in said {
            if !line.trim().is_empty() {
                self.last.push_back(line.clone());
                self.said += 1;
            }
            if self.last.len() > LAST_LINES {
                self.last.pop_front();
            }
            // Whoever waited may have gone; then it is ended.
            self.lines.send(line).await.ok();
        }
    }

    /// What was never ended by a line's end; gives the last lines and how many there were.
    async fn finish(mut self) -> (Vec<String>, usize) {
        let rest = [self.out.finish(), self.err.finish()].concat();
        self.pass(rest).await;
        (self.last.into(), self.said)
    }
}

async fn send(note: Option<String>, lines: &mpsc::Sender<String>) {
    if let Some(note) = note {
        lines.send(note).await.ok();
    }
}
