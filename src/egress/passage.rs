//! A way to one host, for clients that know no proxy.
//!
//! A client connects to an address of the machine, and is connected with the host: its name is
//! resolved once for each connection, and what is connected to is the address that was looked at.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tracing::{debug, warn};

use crate::domain::egress::AskedHost;
use crate::egress::reach::reach;
use crate::egress::refusal::Reporter;
use crate::egress::{ListenError, PAUSE, Refused, Settings, Traffic};
use crate::tasks::Tasks;

/// An open way; dropped, it ends with all its connections.
#[derive(Debug)]
pub struct Passage {
    address: SocketAddr,
    traffic: Traffic,
    tasks: Tasks,
}

/// What every connection needs.
#[derive(Debug)]
struct Passing {
    host: AskedHost,
    port: u16,
    settings: Settings,
    traffic: Traffic,
    reporter: Reporter,
    tasks: Tasks,
}

impl Passage {
    /// Opens a way to a host. Why it does not lead there comes out of the receiver, each reason once.
    ///
    /// # Errors
    ///
    /// When it cannot listen on this machine.
    pub async fn start(
        (host, port): (AskedHost, u16),
        settings: Settings,
    ) -> Result<(Self, mpsc::Receiver<Refused>), ListenError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let failed = |source| ListenError { place: any.to_string(), source };
        let listener = TcpListener::bind(any).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (reporter, refused) = Reporter::new(settings.list.clone());
        let (tasks, traffic) = (Tasks::default(), Traffic::default());
        let (own, counted) = (tasks.clone(), traffic.clone());
        let passing = Passing { host, port, settings, traffic: counted, reporter, tasks: own };
        drop(tasks.start(accept_all(listener, Arc::new(passing))));
        Ok((Self { address, traffic, tasks }, refused))
    }

    /// Where clients connect to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What went through so far.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

async fn accept_all(listener: TcpListener, passing: Arc<Passing>) {
    let places = Arc::new(Semaphore::new(passing.settings.limits.connections));
    let tasks = passing.tasks.clone();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = tasks.stopping() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((client, _)) => drop(tasks.start(pass(client, place, Arc::clone(&passing)))),
            Err(error) => {
                warn!("Could not accept a connection to pass on: {error}");
                tasks.pause(PAUSE).await;
            }
        }
    }
}

async fn pass(mut client: TcpStream, place: OwnedSemaphorePermit, passing: Arc<Passing>) {
    let Passing { host, port, settings, traffic, reporter, tasks } = passing.as_ref();
    let reached = tokio::select! {
        reached = reach(host, *port, settings, tasks) => reached,
        () = tasks.stopping() => return,
    };
    let stream = match reached {
        Ok(stream) => stream,
        Err(why) => {
            drop(reporter.tell(host.clone(), *port, why));
            return;
        }
    };
    let (mut stream, activity) = traffic.counted(stream);
    tokio::select! {
        passed = copy_bidirectional(&mut client, &mut stream) => {
            if let Err(error) = passed {
                debug!("A connection that is passed on broke: {error}");
            }
        }
        () = activity.silence(settings.limits.idle) => debug!("Cut a silent connection"),
        () = tasks.stopping() => {}
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn settings(entries: &[&str]) -> Settings {
        let rules: Vec<_> = entries.iter().map(|entry| entry.parse().unwrap()).collect();
        Settings { rules: rules.into(), list: "the list".to_owned(), ..Settings::default() }
    }

    #[tokio::test]
    async fn bytes_pass_to_a_host_of_the_list_and_are_counted() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let own = format!("127.0.0.1:{port}");
        let to = (AskedHost::read("127.0.0.1"), port);
        let (passage, _refused) = Passage::start(to, settings(&[&own])).await.unwrap();
        let mut client = TcpStream::connect(passage.address()).await.unwrap();
        let (mut accepted, _) = server.accept().await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let mut heard = [0; 4];
        accepted.read_exact(&mut heard).await.unwrap();
        accepted.write_all(b"pong!").await.unwrap();
        client.read_exact(&mut [0; 5]).await.unwrap();
        assert_eq!(&heard, b"ping");
        assert_eq!((passage.traffic().sent(), passage.traffic().received()), (4, 5));
    }

    #[tokio::test]
    async fn a_host_that_leads_inward_is_not_connected_to_and_told() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let to = (AskedHost::read("localhost"), port);
        let own = format!("localhost:{port}");
        let (passage, mut refused) = Passage::start(to, settings(&[&own])).await.unwrap();
        let mut client = TcpStream::connect(passage.address()).await.unwrap();
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        let told = refused.recv().await.unwrap().to_string();
        assert!(told.starts_with("localhost leads to "), "{told}");
        assert!(told.contains("an address of this machine"), "{told}");
    }
}
