//! Pages for people: jobs, followed live, and whatever else is administrated. An API for programs.
//!
//! Everything shown was written by somebody who may push, so it is escaped, and scripts come from
//! `/assets` only.

use std::io;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{Data, ServiceConfig, get, resource, route};
use actix_web::{App, HttpServer};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::tasks::Tasks;
use crate::web::page_error::PageError;
use crate::web::site::Site;

pub use routes::Route;
pub use site::Parts;

pub mod admin;
pub mod api;
mod asked;
mod assets;
mod blocks;
mod followed;
mod health;
mod job_page;
mod live;
mod log;
mod page_error;
mod refusal;
mod routes;
mod sent;
mod sgr;
mod site;
mod source;
mod targets;
mod trash;
mod view;

/// Threads that answer.
const THREADS: usize = 2;

/// Most connections of one thread; each follower of a job has one. Past it new ones wait
/// unanswered in the listener's backlog.
const MOST_CONNECTIONS: usize = 1_024;

/// Time in seconds that requests have to end when the server is stopped.
const GRACE: u64 = 5;

/// What pages may load and do: nothing but what is served here.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Serves pages until asked to stop.
///
/// # Errors
///
/// When the listener cannot be used.
pub async fn serve(listener: TcpListener, parts: Parts, tasks: Tasks) -> io::Result<()> {
    let stopping = tasks.clone();
    let site = Data::new(Site::new(parts, tasks, Handle::current()));
    server(listener.into_std()?, site, async move { stopping.stopping().await })?.await
}

fn server(
    listener: std::net::TcpListener,
    site: Data<Site>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Server> {
    let app =
        move || App::new().app_data(Data::clone(&site)).wrap(security_headers()).configure(pages);
    let server = HttpServer::new(app)
        .workers(THREADS)
        .max_connections(MOST_CONNECTIONS)
        .shutdown_timeout(GRACE)
        .shutdown_signal(stop)
        .listen(listener)?;
    Ok(server.run())
}

fn pages(config: &mut ServiceConfig) {
    config
        .configure(api::configure)
        .service(resource("/healthz").route(get().to(health::healthz)))
        .service(resource("/assets/{name}").route(get().to(assets::asset)))
        .configure(admin::configure)
        .default_service(route().to(async || Err::<&str, _>(PageError::NotFound)));
}

fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::X_FRAME_OPTIONS, "DENY"))
        .add((header::CACHE_CONTROL, "no-store"))
        .add(("Cross-Origin-Resource-Policy", "same-origin"))
        .add(("X-Robots-Tag", "noindex"))
}
