//! `pierhead admin first-run`.

use crate::cli::admin_error::AdminError;
use crate::cli::note;
use crate::config::Config;
use crate::db::pool::Db;
use crate::people::first_run_token;

/// Makes the address of the page on which the first administrator is made.
pub(super) async fn run(config: &Config, db: &Db) -> Result<String, AdminError> {
    let token = first_run_token(db).await?;
    note("Open this within a day. It makes one administrator, and is shown only now.");
    let base = match config.web.url.trim_end_matches('/') {
        "" => format!("http://{}", config.web.listen),
        url => url.to_owned(),
    };
    Ok(format!("{base}/admin/first-run?token={}", token.secret()))
}
