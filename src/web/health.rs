//! Whether this process can do its work.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::db::pool::ping;
use crate::web::site::Site;

/// Time the database has to answer: whoever asks wants to know soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`
pub(super) async fn healthz(site: Data<Site>) -> HttpResponse {
    let db = site.db();
    let ping = async move { tokio::time::timeout(PATIENCE, db.run(ping)).await };
    match site.run(ping).await {
        Ok(Ok(())) => HttpResponse::Ok().body("ok\n"),
        Ok(Err(_)) | Err(_) => {
            HttpResponse::ServiceUnavailable().body("the database does not answer\n")
        }
    }
}
