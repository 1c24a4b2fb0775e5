//! The server's end of the socket.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::git_hook::message::{Ask, LONGEST_REQUEST, Reply, Request, WireAnswer};
use crate::push::{Answer, PushSession, Pushes, RawUpdate, RefAnswer, Refusal, Sessions, rejected};
use crate::tasks::Tasks;

/// Time a hook has to say what it wants.
const ASK_TIME: Duration = Duration::from_secs(10);

/// Time the policy of a push may take.
const POLICY_TIME: Duration = Duration::from_secs(30);

/// Lines that may wait for a hook. When it falls behind, its push is followed more slowly.
const BACKLOG: usize = 256;

/// Pause after a connection could not be accepted, as when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers hooks until the tasks stop.
pub async fn serve(listener: UnixListener, pushes: Pushes, sessions: Sessions, tasks: Tasks) {
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (pushes, sessions) = (pushes.clone(), sessions.clone());
                let own = tasks.clone();
                drop(tasks.start(async move {
                    if let Err(error) = answer(stream, pushes, &sessions, &own).await {
                        debug!("A hook hung up: {error}");
                    }
                }));
            }
            Err(error) => {
                warn!("Could not accept a hook: {error}");
                tasks.pause(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(
    stream: UnixStream,
    pushes: Pushes,
    sessions: &Sessions,
    tasks: &Tasks,
) -> std::io::Result<()> {
    // Hooks run as children of this process. Whoever else can open the socket is turned away.
    if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
        warn!("Turned away a hook of another user");
        return Ok(());
    }
    let mut hook = Hook { stream: BufReader::new(stream) };
    let Some(request) = hook.request().await? else { return Ok(()) };
    let Some(session) = sessions.find(&request.session) else {
        hook.say(&Reply::Line("this push is over; push again".to_owned())).await?;
        return hook.say(&Reply::Exit(1)).await;
    };
    match request.ask {
        Ask::PreReceive { options, updates, quarantine } => {
            let check = pushes.check(&session, &options, &updates, quarantine);
            let refusal = match tokio::time::timeout(POLICY_TIME, check).await {
                Ok(Ok(())) => return hook.say(&Reply::Exit(0)).await,
                Ok(Err(refusal)) => {
                    if let Refusal::Jobs(error) = &refusal {
                        warn!("Could not check a push: {error:?}");
                    }
                    refusal.to_string()
                }
                Err(_elapsed) => "checking this push took too long; try again".to_owned(),
            };
            session.finish_with(1);
            hook.say(&Reply::Line(rejected(&options, &refusal))).await?;
            hook.say(&Reply::Exit(1)).await
        }
        Ask::ProcReceive { options, updates } => {
            hook.handle(pushes, session, (options, updates), tasks).await
        }
        Ask::PostReceive => {
            if let Err(error) = pushes.finish(&session).await {
                warn!("Could not close the record of a push: {error}");
            }
            hook.say(&Reply::Exit(0)).await
        }
    }
}

struct Hook {
    stream: BufReader<UnixStream>,
}

impl Hook {
    async fn request(&mut self) -> std::io::Result<Option<Request>> {
        let mut text = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST_REQUEST);
        let read = limited.read_until(b'\n', &mut text);
        tokio::time::timeout(ASK_TIME, read).await??;
        match serde_json::from_slice(&text) {
            Ok(request) => Ok(Some(request)),
            Err(error) => {
                warn!("A hook said something unreadable: {error}");
                Ok(None)
            }
        }
    }

    async fn say(&mut self, reply: &Reply) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(reply)?;
        text.push(b'\n');
        self.stream.get_mut().write_all(&text).await
    }

    /// Passes the lines of a push on, and its answers.
    async fn handle(
        &mut self,
        pushes: Pushes,
        session: Arc<PushSession>,
        (options, updates): (Vec<Vec<u8>>, Vec<RawUpdate>),
        tasks: &Tasks,
    ) -> std::io::Result<()> {
        let (lines, mut waiting) = mpsc::channel::<String>(BACKLOG);
        let handled = session.clone();
        // Apart from this connection: what a push has begun goes on when its hook is killed.
        let handling =
            tasks.start(async move { pushes.handle(&handled, &options, &updates, &lines).await });
        let mut heard = Ok(());
        while let Some(line) = waiting.recv().await {
            if heard.is_ok() {
                heard = self.say(&Reply::Line(line)).await;
            }
            if heard.is_err() {
                session.leave();
            }
        }
        let answers = match handling.await {
            Ok(answers) => answers.into_iter().map(wire_answer).collect(),
            Err(error) => {
                warn!("Handling a push broke off: {error}");
                return heard;
            }
        };
        heard?;
        self.say(&Reply::Answers(answers)).await
    }
}

fn wire_answer(answer: RefAnswer) -> WireAnswer {
    let (rejected, new_oid) = match answer.answer {
        Answer::Ok => (None, None),
        Answer::OkAt(oid) => (None, Some(oid.to_string())),
        Answer::Rejected(reason) => (Some(reason), None),
    };
    WireAnswer { name: answer.name, rejected, new_oid }
}
