//! What the server of pages and of the API is built from.

use tracing::{info, warn};

use crate::config::Config;
use crate::db::feed::Feed;
use crate::jobs::Jobs;
use crate::people::{PeopleError, SignIns, is_first_run};
use crate::seal::OwnKey;
use crate::tasks::blocking;
use crate::web::Parts;

/// Brings it together, and says how an administrator is made where there is none.
pub(super) async fn parts(config: &Config, jobs: Jobs, feed: Feed) -> Result<Parts, PeopleError> {
    let (idle, limit) = (config.web.session_idle, config.web.session_limit);
    let mut sign_ins = SignIns::new(jobs.db().clone(), idle.duration(), limit.duration())?;
    let path = config.web.key.clone();
    match blocking(move || OwnKey::load_or_make(&path)).await {
        Ok(key) => sign_ins = sign_ins.with_key(key),
        // Everybody else signs in as ever.
        Err(error) => warn!("Nobody can have a second factor: setting `web.key`: {error}"),
    }
    if is_first_run(jobs.db()).await? {
        info!(
            "Nobody administrates this installation: `pierhead admin first-run` prints where the \
             first administrator is made"
        );
    }
    Ok(Parts {
        jobs,
        feed,
        sign_ins,
        public_key: config.seal.public_key.clone(),
        ssh: config.ssh.clone(),
        web: config.web.clone(),
    })
}
