//! The page of whoever administrates, and of everybody else.

mod forms;
mod hostile;
mod releases;
mod rights;
mod second_factor;
mod settings;
mod sign_in;
mod walk;

use std::net::SocketAddr;
use std::time::Duration;

use pierhead::db::acting::Acting;
use pierhead::db::pool::Db;
use pierhead::domain::access::{Role, Standing};
use pierhead::domain::audit::{Actor, Entrance};
use pierhead::domain::cluster::{ClusterKind, KubernetesOptions};
use pierhead::people;
use pierhead::projects::{NewTarget, create_account, create_cluster, create_project, set_member};
use pierhead::tasks::Tasks;
use pierhead::web::serve;
use tokio::net::TcpListener;

use crate::support::database::TestDatabase;
use crate::support::signed_in::Visitor;
use crate::support::site::parts;

/// A server of pages, with the administrator root, and ana who owns `acme/shop`.
struct House {
    address: SocketAddr,
    tasks: Tasks,
    db: Db,
    // Last, so that it is dropped when nobody needs it any more.
    _database: TestDatabase,
}

impl House {
    /// Without anybody in it.
    async fn empty() -> Self {
        let database = TestDatabase::create().await;
        let tasks = Tasks::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let db = database.db();
        let (parts, own) = (parts(&database, &tasks), tasks.clone());
        drop(tasks.start(async move { serve(listener, parts, own).await.unwrap() }));
        Self { address, tasks, db, _database: database }
    }

    async fn start() -> Self {
        let house = Self::empty().await;
        house.person("root", Standing::Administrator, None).await;
        let acme = "acme".parse().unwrap();
        create_account(&house.acting(), acme, None).await.unwrap();
        house.person("ana", Standing::Person, Some(Role::Owner)).await;
        let shop = ("acme".parse().unwrap(), "shop".parse().unwrap());
        create_project(&house.acting(), shop, "main").await.unwrap();
        let target = NewTarget {
            project: "acme/shop".parse().unwrap(),
            name: "engine".to_owned(),
            environment: "production".parse().unwrap(),
            kind: ClusterKind::Docker,
            address: "unix:///nonexistent/docker.sock".to_owned(),
            namespace: None,
            kubernetes: KubernetesOptions::default(),
        };
        create_cluster(&house.acting(), target, None).await.unwrap();
        house
    }

    fn acting(&self) -> Acting {
        let actor = Actor {
            entrance: Entrance::Admin,
            who: "test".to_owned(),
            user: None,
            key: None,
            origin: "test".to_owned(),
        };
        Acting { db: self.db.clone(), actor }
    }

    /// Adds somebody, and gives the password that is for one sign-in.
    async fn person(&self, name: &str, standing: Standing, role: Option<Role>) -> String {
        let email = format!("{name}@example.org");
        let password = people::create_user(&self.acting(), &email, name, standing).await.unwrap();
        if let Some(role) = role {
            set_member(&self.acting(), "acme".parse().unwrap(), email, role).await.unwrap();
        }
        password
    }

    /// Somebody who has chosen a password and is signed in.
    async fn visitor(&self, name: &str) -> Visitor {
        self.execute(format!(
            "UPDATE users SET password_once = false WHERE email = '{name}@example.org'"
        ))
        .await;
        Visitor::signed_in(self.address, &self.db, &format!("{name}@example.org")).await
    }

    async fn execute(&self, sql: String) {
        use diesel_async::RunQueryDsl as _;

        let done: diesel::QueryResult<usize> =
            self.db.run(async move |c| diesel::sql_query(sql).execute(c).await).await;
        done.unwrap();
    }

    async fn stop(self) {
        self.tasks.shut_down(Duration::from_secs(10)).await.unwrap();
    }
}
