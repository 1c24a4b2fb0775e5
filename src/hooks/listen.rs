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

/// How many times as long as a look the pause after it is.
const REST: u32 = 4;

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
        let (asked, own) = (asked.clone(), folders);
        let tidied = blocking(move || Self::tidy(&asked, &hook, &own)).await;
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
        let is_asked = ended.as_ref().is_err_and(|fault| !fault.is_over_bounds());
        if is_asked {
            cage.end().await?;
        } else {
            cage.clear().await?;
        }
        if cancel.is_cancelled() {
            return Err(HookFault::Ended);
        }
        let (last, said) = ear.finish().await;
        match ended? {
            Ended::Code(0) => self.look(asked, hook, folders).await.map_or(Ok(()), Err),
            Ended::Code(code) => Err(HookFault::Exited { code, last, said }),
            Ended::OutOfMemory => Err(HookFault::Memory(hook.limits.memory >> 20)),
        }
    }

    /// Looks at what a hook writes until it is too much.
    async fn watch(&self, asked: &HookUse, hook: &HookConfig, folders: &Folders) -> HookFault {
        let mut pause = LOOK;
        loop {
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            if let Some(fault) = self.look(asked, hook, folders).await {
                return fault;
            }
            pause = LOOK.max(began.elapsed() * REST);
        }
    }

    /// What is too much of what a hook has written by now.
    async fn look(
        &self,
        asked: &HookUse,
        hook: &HookConfig,
        folders: &Folders,
    ) -> Option<HookFault> {
        let limits = &hook.limits;
        let most = Size { bytes: limits.disk, files: limits.files, depth: DEEPEST };
        let kept = Size { bytes: hook.cache.saturating_mul(2), ..most };
        let all = [
            (Some(asked.folder.clone()), most),
            // Most of what is too much is dropped when it has ended.
            (folders.cache.clone(), kept),
        ];
        let keep_free = self.config.keep_free;
        for (folder, most) in all {
            let Some(folder) = folder else { continue };
            // What was deleted while it is open is found on the disk alone.
            let measured = blocking(move || {
                check_room(&folder, keep_free)?;
                Ok::<Size, HookFault>(measure(&folder, most)?)
            });
            let size = match measured.await {
                Ok(size) => size,
                Err(HookFault::System(error)) if error.kind() == ErrorKind::PermissionDenied => {
                    return Some(HookFault::Closed);
                }
                Err(fault) => return Some(fault),
            };
            if size.bytes > most.bytes {
                return Some(HookFault::Disk(most.bytes >> 20));
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
