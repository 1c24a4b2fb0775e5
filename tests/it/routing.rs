//! Routes from the rows to the entrance, and the wait for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_query;
use diesel_async::RunQueryDsl as _;
use insta::assert_snapshot;
use pierhead::db::feed::Feed;
use pierhead::db::models::release::Release;
use pierhead::db::models::router;
use pierhead::db::pool::Db;
use pierhead::domain::ids::RouteVersion;
use pierhead::domain::route::{Host, Route, RouteTable};
use pierhead::routing::{NotServed, follow, wait_until_served};
use pierhead::tasks::Tasks;
use tokio::sync::watch;

use crate::support::database::TestDatabase;
use crate::support::rows::Shop;
use crate::support::{PATIENCE, soon};

const SHORT: Duration = Duration::from_millis(50);

fn shop_at(port: u16) -> Vec<Route> {
    let upstreams = vec![SocketAddr::from(([10, 213, 0, 2], port))];
    vec![Route { host: shop(), path: "/".to_owned(), upstreams }]
}

fn shop() -> Host {
    "shop.localhost".parse().unwrap()
}

fn port(routes: &RouteTable) -> Option<u16> {
    routes.find(&shop(), "/").map(|route| route.upstreams[0].port())
}

async fn serves(routes: &mut watch::Receiver<Arc<RouteTable>>, wanted: Option<u16>) {
    soon(routes.wait_for(|routes| port(routes) == wanted)).await.unwrap();
}

async fn routers(db: &Db) -> Vec<RouteVersion> {
    db.run(async |connection| router::served(connection, 15).await).await.unwrap()
}

async fn report(db: &Db, id: &'static str, version: RouteVersion) {
    db.run(async move |connection| router::report(connection, id, version).await).await.unwrap();
}

/// A shop whose release is about to be routed to.
struct Scene {
    tasks: Tasks,
    feed: Feed,
    db: Db,
    shop: Shop,
    release: Release,
    // Last, so that it is dropped when nobody needs it any more.
    database: TestDatabase,
}

impl Scene {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let tasks = Tasks::default();
        let (db, feed) = (database.db(), database.feed(&tasks));
        let shop = Shop::new(db.clone()).await;
        let job = shop.job("Add cart").await;
        let fence = shop.claim(&job).await;
        let release = shop.release(&job, fence).await;
        Self { tasks, feed, db, shop, release, database }
    }

    async fn route(&self, port: u16) -> RouteVersion {
        self.shop.route(&self.release, shop_at(port)).await
    }

    async fn wait(&self, version: RouteVersion, at_most: Duration) -> Result<(), NotServed> {
        wait_until_served(&self.db, &self.feed, version, at_most).await
    }

    async fn stop(self) {
        self.tasks.shut_down(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn routes_are_served_as_they_change_and_the_version_is_told() {
    let scene = Scene::start().await;
    let first = scene.route(1).await;
    let mut routes = follow(&scene.db, &scene.feed, &scene.tasks).await.unwrap();
    assert_eq!(port(&routes.borrow()), Some(1));
    assert_eq!(routers(&scene.db).await, [first]);

    let second = scene.route(2).await;
    scene.wait(second, PATIENCE).await.unwrap();
    // What was waited for is what is served.
    assert_eq!(port(&routes.borrow()), Some(2));

    let third = scene.shop.route(&scene.release, Vec::new()).await;
    serves(&mut routes, None).await;
    scene.wait(third, PATIENCE).await.unwrap();
    scene.stop().await;
}

#[tokio::test]
async fn a_change_is_served_long_before_the_next_regular_look() {
    let scene = Scene::start().await;
    let first = scene.route(1).await;
    let _routes = follow(&scene.db, &scene.feed, &scene.tasks).await.unwrap();
    scene.wait(first, PATIENCE).await.unwrap();
    let mut longest = Duration::ZERO;
    for port in 2..12 {
        let begin = tokio::time::Instant::now();
        let version = scene.route(port).await;
        scene.wait(version, PATIENCE).await.unwrap();
        longest = longest.max(begin.elapsed());
    }
    // Looks without a bell are five seconds apart; ten of them would be noticed.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    scene.stop().await;
}

#[tokio::test]
async fn a_router_that_stops_is_gone_and_its_next_start_is_another() {
    let scene = Scene::start().await;
    let router = scene.tasks.child();
    let mut routes = follow(&scene.db, &scene.feed, &router).await.unwrap();
    assert_eq!(routers(&scene.db).await.len(), 1);
    router.shut_down(Duration::from_secs(5)).await.unwrap();
    assert_eq!(routers(&scene.db).await, []);
    // Nothing will ever change them again.
    soon(async { while routes.changed().await.is_ok() {} }).await;

    let _one = follow(&scene.db, &scene.feed, &scene.tasks).await.unwrap();
    let _two = follow(&scene.db, &scene.feed, &scene.tasks).await.unwrap();
    assert_eq!(routers(&scene.db).await.len(), 2);
    scene.stop().await;
}

#[tokio::test]
async fn a_router_asked_to_stop_before_it_has_routes_has_none() {
    let tasks = Tasks::default();
    let nowhere = "postgres:///nothing?host=/nowhere";
    let (db, feed) = (Db::open(nowhere, 1).unwrap(), Feed::start(nowhere, &tasks));
    let (routes, ()) = tokio::join!(follow(&db, &feed, &tasks), async { tasks.stop() });
    assert!(routes.is_none());
    tasks.shut_down(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_version_is_waited_for_as_long_as_there_is_somebody_to_serve_it() {
    let scene = Scene::start().await;
    let version = scene.route(1).await;
    let none = scene.wait(version, PATIENCE).await.unwrap_err();
    assert_snapshot!(none, @"no router is running: start `pierhead router`, or `pierhead serve`");

    report(&scene.db, "behind", RouteVersion(version.0 - 1)).await;
    let late = scene.wait(version, SHORT).await.unwrap_err();
    assert_snapshot!(late, @"1 of 1 routers did not take over the routes in time");

    report(&scene.db, "ahead", RouteVersion(version.0 + 1)).await;
    let (served, ()) =
        tokio::join!(scene.wait(version, SHORT), report(&scene.db, "behind", version),);
    served.unwrap();
    scene.stop().await;
}

#[tokio::test]
async fn a_router_that_was_killed_a_moment_ago_is_waited_for_until_it_is_known_to_be_dead() {
    let scene = Scene::start().await;
    let version = scene.route(1).await;
    report(&scene.db, "good", version).await;
    report(&scene.db, "killed", RouteVersion(0)).await;
    let age = "UPDATE routers SET seen_at = now() - interval '14 s' WHERE id = 'killed'";
    scene.db.run(async |connection| sql_query(age).execute(connection).await).await.unwrap();
    // Others serve: that it says nothing more is no reason to give up.
    scene.wait(version, SHORT).await.unwrap();
    scene.stop().await;
}

#[tokio::test]
async fn while_the_database_is_away_the_routes_stay() {
    let scene = Scene::start().await;
    scene.route(1).await;
    let routes = follow(&scene.db, &scene.feed, &scene.tasks).await.unwrap();
    scene.database.go_away().await;
    assert_eq!(port(&routes.borrow()), Some(1));
    scene.database.come_back().await;
    assert_eq!(port(&routes.borrow()), Some(1));
    let second = scene.route(2).await;
    scene.wait(second, PATIENCE).await.unwrap();
    assert_eq!(port(&routes.borrow()), Some(2));
    scene.stop().await;
}
