//! Changes while requests are under way: of the routes, and of the entrance itself.

use std::sync::Arc;
use std::time::Duration;

use pierhead::router::Settings;
use pierhead::tasks::Tasks;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};

use crate::support::entrance::{Entrance, patient};
use crate::support::http::{body, read_all, read_until, status};
use crate::support::soon;
use crate::support::upstream::{Upstream, answer};

/// An application that tells when a request has come, and answers once it may.
struct Slow {
    upstream: Upstream,
    come: mpsc::Receiver<()>,
    may_answer: Arc<Semaphore>,
}

impl Slow {
    async fn start(tasks: &Tasks) -> Self {
        let (told, come) = mpsc::channel(16);
        let may_answer = Arc::new(Semaphore::new(0));
        let may = Arc::clone(&may_answer);
        let upstream = Upstream::start(tasks, move |_| {
            let (told, may) = (told.clone(), Arc::clone(&may));
            async move {
                told.send(()).await.unwrap();
                may.acquire().await.unwrap().forget();
                answer("slow")
            }
        })
        .await;
        Self { upstream, come, may_answer }
    }
}

async fn begin_request(entrance: &Entrance) -> TcpStream {
    let mut socket = entrance.connect().await;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").await.unwrap();
    socket
}

#[tokio::test]
async fn a_request_under_way_ends_where_it_began() {
    let entrance = Entrance::start(patient()).await;
    let mut old = Slow::start(&entrance.tasks).await;
    let new = Upstream::saying(&entrance.tasks, "new").await;
    entrance.route_shop(&[old.upstream.address]);
    let mut under_way = begin_request(&entrance).await;
    soon(old.come.recv()).await.unwrap();

    entrance.route_shop(&[new.address]);
    assert_eq!(body(&entrance.get("shop.localhost", "/").await), "new");
    old.may_answer.add_permits(1);
    read_until(&mut under_way, "slow").await;
    // The same connection follows the routes with its next request.
    under_way.write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n").await.unwrap();
    read_until(&mut under_way, "new").await;
    drop(under_way);
    entrance.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switching_back_and_forth_under_load_drops_no_request() {
    const CLIENTS: usize = 8;
    const REQUESTS: usize = 60;

    let entrance = Arc::new(Entrance::start(patient()).await);
    let blue = Upstream::saying(&entrance.tasks, "blue").await;
    let green = Upstream::saying(&entrance.tasks, "green").await;
    entrance.route_shop(&[blue.address]);

    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let entrance = Arc::clone(&entrance);
            let address = entrance.address;
            entrance.tasks.start(async move {
                let mut kept = TcpStream::connect(address).await.unwrap();
                for _ in 0..REQUESTS {
                    kept.write_all(b"GET / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
                        .await
                        .unwrap();
                    assert_eq!(status(&read_until(&mut kept, "e").await), 200);
                    let post = "POST / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\
                                Content-Length: 2\r\n\r\nhi";
                    let mut own = TcpStream::connect(address).await.unwrap();
                    own.write_all(post.as_bytes()).await.unwrap();
                    assert_eq!(status(&read_all(&mut own).await), 200);
                }
            })
        })
        .collect();
    let mut colours = [&green, &blue].into_iter().cycle();
    let mut pace = tokio::time::interval(Duration::from_millis(2));
    while !clients.iter().all(tokio::task::JoinHandle::is_finished) {
        entrance.route_shop(&[colours.next().unwrap().address]);
        pace.tick().await;
    }
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(blue.requests() + green.requests(), CLIENTS * REQUESTS * 2);
    assert!(blue.requests() > 0 && green.requests() > 0);
    Arc::into_inner(entrance).unwrap().stop().await;
}

#[tokio::test]
async fn stopping_waits_for_requests_and_takes_no_new_ones() {
    // The application outlives the entrance, as applications do.
    let outside = Tasks::default();
    let entrance = Entrance::start(patient()).await;
    let mut slow = Slow::start(&outside).await;
    entrance.route_shop(&[slow.upstream.address]);
    let mut under_way = begin_request(&entrance).await;
    soon(slow.come.recv()).await.unwrap();
    let idle = entrance.connect().await;

    entrance.tasks.stop();
    let refused = async {
        while TcpStream::connect(entrance.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(refused).await;
    slow.may_answer.add_permits(1);
    let answer = read_all(&mut under_way).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert_eq!(body(&answer), "slow");
    entrance.stop().await;
    drop(idle);
    outside.shut_down(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_end_within_the_grace_is_cut() {
    let outside = Tasks::default();
    let grace = Duration::from_millis(100);
    let entrance = Entrance::start(Settings { grace, ..patient() }).await;
    let mut slow = Slow::start(&outside).await;
    entrance.route_shop(&[slow.upstream.address]);
    let mut under_way = begin_request(&entrance).await;
    soon(slow.come.recv()).await.unwrap();
    entrance.stop().await;
    assert_eq!(read_all(&mut under_way).await, "");
    outside.shut_down(Duration::from_secs(5)).await.unwrap();
}
