//! What a server of pages is built from in a test.

use std::path::PathBuf;
use std::time::Duration;

use pierhead::config::{SshConfig, WebConfig};
use pierhead::git::bare_repository::Repositories;
use pierhead::jobs::Jobs;
use pierhead::people::SignIns;
use pierhead::seal::OwnKey;
use pierhead::tasks::Tasks;
use pierhead::web::Parts;

use crate::support::app::secrets::public_key;
use crate::support::database::TestDatabase;

/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3_600);

/// A key for second factors, of this server alone.
fn own_key() -> OwnKey {
    let folder = tempfile::tempdir().unwrap();
    OwnKey::load_or_make(&folder.path().join("key")).unwrap()
}

/// Rows of this database; no repository is asked for.
pub(crate) fn parts(database: &TestDatabase, tasks: &Tasks) -> Parts {
    let repositories = Repositories::new(PathBuf::from("/nonexistent"));
    let lease = Duration::from_secs(30);
    let ssh = "ssh git@example.org".to_owned();
    let jobs = Jobs::new(database.db(), database.db(), repositories, lease, ssh);
    Parts {
        jobs,
        feed: database.feed(tasks),
        sign_ins: SignIns::new(database.db(), HOUR, HOUR).unwrap().with_key(own_key()),
        public_key: public_key(),
        ssh: SshConfig::default(),
        web: WebConfig::default(),
    }
}
