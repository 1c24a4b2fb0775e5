//! The hook process: git's words in, the server's words out. Blocking, and without a runtime.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::config::HookEnvironment;
use crate::git::pkt_line::{self, Packet};
use crate::git_hook::message::{Ask, Reply, Request, WireAnswer};
use crate::push::RawUpdate;

/// Hooks that the server's repositories run; see githooks(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HookName {
    /// Checks the whole push before anything is stored.
    PreReceive,
    /// Decides about every ref.
    ProcReceive,
    /// Closes the push.
    PostReceive,
}

/// Why a hook could not do its part. git rejects the push.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It was started by hand.
    #[error("this is a git hook of the Pierhead server and does nothing by itself")]
    NoSession,
    /// The server is not there.
    #[error("the server does not answer; nothing was changed, push again")]
    NoServer(#[source] io::Error),
    /// The server went away in the middle.
    #[error("lost the server; a deployment that has begun goes on without it")]
    LostServer(#[source] io::Error),
    /// The server answered something else.
    #[error("the server answered `{0}`")]
    Answer(String),
    /// git broke off.
    #[error("git broke off")]
    Git(#[source] io::Error),
    /// git said something else than githooks(5) tells.
    #[error("git said `{0}`")]
    Words(String),
}

/// Does the part of one hook.
///
/// # Errors
///
/// When git or the server does not play its part.
pub fn run(name: HookName, environment: &HookEnvironment) -> Result<ExitCode, HookError> {
    let (Some(session), Some(socket)) = (&environment.session, &environment.socket) else {
        return Err(HookError::NoSession);
    };
    let (stdin, stdout) = (io::stdin().lock(), io::stdout().lock());
    let session = session.clone();
    let mut call = |ask| {
        let stream = UnixStream::connect(socket).map_err(HookError::NoServer)?;
        Call::begin(stream, &Request { session: session.clone(), ask })
    };
    match name {
        HookName::PreReceive => {
            let updates = read_updates(stdin)?;
            let options = environment.push_options.clone();
            let quarantine = environment.quarantine.clone();
            call(Ask::PreReceive { options, updates, quarantine })?.exit_code()
        }
        HookName::ProcReceive => proc_receive(stdin, stdout, &mut call),
        HookName::PostReceive => {
            // Read to its end, or git would be told of a broken pipe.
            io::copy(&mut stdin.take(u64::MAX), &mut io::sink()).map_err(HookError::Git)?;
            // Everything has happened by then: nothing of it is the pusher's concern.
            drop(call(Ask::PostReceive).and_then(Call::exit_code));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// One question to the server.
struct Call {
    replies: BufReader<UnixStream>,
}

impl Call {
    fn begin(mut stream: UnixStream, request: &Request) -> Result<Self, HookError> {
        let mut text = serde_json::to_vec(request).map_err(|e| HookError::LostServer(e.into()))?;
        text.push(b'\n');
        stream.write_all(&text).map_err(HookError::LostServer)?;
        Ok(Self { replies: BufReader::new(stream) })
    }

    /// Prints lines until the last reply comes.
    fn last_reply(mut self) -> Result<Reply, HookError> {
        let mut text = String::new();
        loop {
            text.clear();
            if self.replies.read_line(&mut text).map_err(HookError::LostServer)? == 0 {
                return Err(HookError::LostServer(io::ErrorKind::UnexpectedEof.into()));
            }
            let reply = serde_json::from_str(&text);
            match reply.map_err(|_other| HookError::Answer(text.trim().to_owned()))? {
                Reply::Line(mut line) => {
                    line.push('\n');
                    // One write a line: git passes on what it reads. A pusher that hung up does
                    // not change the answer.
                    io::stderr().write_all(line.as_bytes()).unwrap_or_default();
                }
                last @ (Reply::Answers(_) | Reply::Exit(_)) => return Ok(last),
            }
        }
    }

    fn exit_code(self) -> Result<ExitCode, HookError> {
        match self.last_reply()? {
            Reply::Exit(code) => Ok(code.into()),
            other @ (Reply::Line(_) | Reply::Answers(_)) => {
                Err(HookError::Answer(format!("{other:?}")))
            }
        }
    }

    fn answers(self) -> Result<Vec<WireAnswer>, HookError> {
        match self.last_reply()? {
            Reply::Answers(answers) => Ok(answers),
            other @ (Reply::Line(_) | Reply::Exit(_)) => {
                Err(HookError::Answer(format!("{other:?}")))
            }
        }
    }
}

/// `<old> <new> <ref>`, as every receiving hook is told.
fn read_update(line: &str) -> Result<RawUpdate, HookError> {
    let mut words = line.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some(old), Some(new), Some(name)) => {
            Ok(RawUpdate { old: old.to_owned(), new: new.to_owned(), name: name.to_owned() })
        }
        _ => Err(HookError::Words(line.to_owned())),
    }
}

fn read_updates(input: impl BufRead) -> Result<Vec<RawUpdate>, HookError> {
    let lines = input.split(b'\n').map(|line| line.map_err(HookError::Git));
    // The server refuses a name that is no text, in its own words.
    lines.map(|line| read_update(&String::from_utf8_lossy(&line?))).collect()
}

/// Speaks the protocol of the `proc-receive` hook, version 1.
fn proc_receive(
    mut input: impl Read,
    mut output: impl Write,
    call: &mut impl FnMut(Ask) -> Result<Call, HookError>,
) -> Result<ExitCode, HookError> {
    let hello = read_list(&mut input)?;
    let hello = hello.first().cloned().unwrap_or_default();
    let (version, features) = hello.split_once('\0').unwrap_or((&hello, ""));
    if version != "version=1" {
        return Err(HookError::Words(version.to_owned()));
    }
    let with_options = features.split(' ').any(|feature| feature == "push-options");
    let own = if with_options { "version=1\0push-options" } else { "version=1" };
    pkt_line::write(&mut output, own.as_bytes()).map_err(HookError::Git)?;
    pkt_line::flush(&mut output).map_err(HookError::Git)?;

    let updates = read_list(&mut input)?;
    let updates = updates.iter().map(|line| read_update(line)).collect::<Result<_, _>>()?;
    let options = if with_options { read_packets(&mut input)? } else { Vec::new() };
    for answer in call(Ask::ProcReceive { options, updates })?.answers()? {
        for line in answer_lines(&answer) {
            pkt_line::write(&mut output, line.as_bytes()).map_err(HookError::Git)?;
        }
    }
    pkt_line::flush(&mut output).map_err(HookError::Git)?;
    Ok(ExitCode::SUCCESS)
}

fn answer_lines(answer: &WireAnswer) -> Vec<String> {
    let name = &answer.name;
    match (&answer.rejected, &answer.new_oid) {
        (Some(reason), _) => vec![format!("ng {name} {reason}")],
        (None, Some(oid)) => vec![format!("ok {name}"), format!("option new-oid {oid}")],
        (None, None) => vec![format!("ok {name}")],
    }
}

fn read_packets(input: &mut impl Read) -> Result<Vec<Vec<u8>>, HookError> {
    let mut packets = Vec::new();
    loop {
        match pkt_line::read(input).map_err(HookError::Git)? {
            Some(Packet::Data(data)) => packets.push(data),
            Some(Packet::Flush) => return Ok(packets),
            None => return Err(HookError::Git(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

fn read_list(input: &mut impl Read) -> Result<Vec<String>, HookError> {
    let text = |data: Vec<u8>| String::from_utf8_lossy(&data).into_owned();
    Ok(read_packets(input)?.into_iter().map(text).collect())
}
