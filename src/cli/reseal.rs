//! `pierhead admin reseal`: everything sealed with the newest key, so that older ones can go.

use crate::cli::admin_error::AdminError;
use crate::config::Config;
use crate::db::pool::Db;
use crate::reseal::reseal;
use crate::seal::load;

/// Seals anew what was sealed with another key, and says how much that was.
pub(super) async fn run(config: &Config, db: &Db) -> Result<String, AdminError> {
    let keyring = load(&config.seal)?;
    let resealed = reseal(db, &keyring).await?;
    let (anew, key) = (resealed.anew, keyring.sealer.key_id());
    if !resealed.unopened.is_empty() {
        return Err(AdminError::Unopened { anew, left: resealed.unopened });
    }
    Ok(format!("{anew} values were sealed anew; all are sealed with key {key}."))
}
