//! Asks a container whether it is well.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::docker::{Engine, EngineError};
use crate::domain::output::Lines;
use crate::stack::{Answer, Probe};

/// Time a container has to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// Asks one container, one question at a time.
///
/// http and tcp are asked from this machine at the container's address, commands run inside.
#[derive(Debug)]
pub struct Prober {
    container: String,
    address: Ipv4Addr,
    /// A command that did not end in time; it cannot be ended from here, and is not joined by more.
    hanging: Option<String>,
}

impl Prober {
    /// Asks a container, by its id or name, that is found at this address.
    pub fn new(container: &str, address: Ipv4Addr) -> Self {
        Self { container: container.to_owned(), address, hanging: None }
    }

    /// Asks once.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn ask(&mut self, engine: &Engine, probe: &Probe) -> Result<Answer, EngineError> {
        let answer = match probe {
            Probe::Tcp { port } => in_time(connect((self.address, *port).into())).await,
            Probe::Http { port, path } => in_time(get((self.address, *port).into(), path)).await,
            Probe::Command { argv } => match self.run(engine, argv).await {
                // The container may end at any moment.
                Err(EngineError::Refused { words, .. }) => Err(words),
                other => other?,
            },
        };
        Ok(answer.map_or_else(Answer::Bad, |()| Answer::Good))
    }

    async fn run(
        &mut self,
        engine: &Engine,
        argv: &[String],
    ) -> Result<Result<(), String>, EngineError> {
        if let Some(id) = &self.hanging {
            if engine.docker.inspect_exec(id).await?.running == Some(true) {
                return Ok(Err("the last command is still running".to_owned()));
            }
            self.hanging = None;
        }
        let options = CreateExecOptions {
            cmd: Some(argv.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let id = engine.docker.create_exec(&self.container, options).await?.id;
        let started = engine.docker.start_exec(&id, None).await?;
        let lines = Lines::new(&engine.redactor);
        let last_line = match started {
            StartExecResults::Attached { output, .. } => {
                match tokio::time::timeout(ANSWER_LIMIT, last_line(output, lines)).await {
                    Ok(line) => line,
                    Err(_elapsed) => {
                        self.hanging = Some(id);
                        return Ok(Err(too_slow()));
                    }
                }
            }
            StartExecResults::Detached => String::new(),
        };
        let code = engine.docker.inspect_exec(&id).await?.exit_code.unwrap_or_default();
        Ok(match (code, last_line.as_str()) {
            (0, _) => Ok(()),
            (code, "") => Err(format!("exited {code}")),
            (code, line) => Err(format!("exited {code}: {line}")),
        })
    }
}

fn too_slow() -> String {
    format!("no answer within {} s", ANSWER_LIMIT.as_secs())
}

async fn in_time(question: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::time::timeout(ANSWER_LIMIT, question).await.unwrap_or_else(|_elapsed| Err(too_slow()))
}

/// The innermost cause, which is what a person understands.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    match innermost.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(std::io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(std::io::ErrorKind::ConnectionReset) => "connection reset".to_owned(),
        _ => innermost.to_string(),
    }
}

async fn connect(address: SocketAddr) -> Result<(), String> {
    TcpStream::connect(address).await.map(drop).map_err(|error| cause(&error))
}

async fn get(address: SocketAddr, path: &str) -> Result<(), String> {
    let stream = TcpStream::connect(address).await.map_err(|error| cause(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| cause(&error))?;
    let request = hyper::Request::get(path)
        .header(hyper::header::HOST, address.to_string())
        .header(hyper::header::USER_AGENT, "pierhead-probe")
        .header(hyper::header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| cause(&error))?;
    let response = pin!(sender.send_request(request));
    // The connection does the work, and ends with the body, which nobody reads.
    let answered = match futures::future::select(response, pin!(connection)).await {
        futures::future::Either::Left((response, _)) => response,
        futures::future::Either::Right((Err(error), _)) => Err(error),
        futures::future::Either::Right((Ok(()), response)) => response.await,
    };
    let status = answered.map_err(|error| cause(&error))?.status();
    if status.is_success() || status.is_redirection() {
        Ok(())
    } else {
        Err(format!("answered {}", status.as_u16()))
    }
}

/// The last line with something in it, once the output has ended.
async fn last_line(
    output: impl Stream<Item = Result<LogOutput, bollard::errors::Error>>,
    mut lines: Lines,
) -> String {
    let mut output = pin!(output);
    let mut last = String::new();
    while let Some(Ok(chunk)) = output.next().await {
        let mut complete = lines.push(&chunk.into_bytes()).into_iter();
        last = complete.rfind(|line| !line.trim().is_empty()).unwrap_or(last);
    }
    lines.finish().into_iter().rfind(|line| !line.trim().is_empty()).unwrap_or(last)
}
