//! `pierhead admin list quotas`.

use serde_json::json;

use crate::cli::admin_error::AdminError;
use crate::cli::lists::Table;
use crate::db::pool::Db;
use crate::domain::slug::AccountSlug;
use crate::projects::{self, QuotaUse};

/// Lists what an account grants, and how much of it is used.
pub(super) async fn list(
    table: &mut Table,
    db: &Db,
    account: AccountSlug,
) -> Result<(), AdminError> {
    let (id, quotas) = projects::quotas_of(db, account).await?;
    let uses = projects::quota_use(db, id, &quotas).await?;
    for (quota, QuotaUse { most, .. }) in quotas.into_iter().zip(uses) {
        let (place, share) = most.unzip();
        let value = json!({"type": quota.kind, "category": quota.category,
            "capacity": quota.capacity, "requires": quota.requires, "deployment": place,
            "percent": share.as_ref().map(|share| share.percent)});
        let used = share
            .zip(place)
            .map(|(share, place)| format!("{} % by {place}: {}", share.percent, share.limit));
        let used = used.unwrap_or_else(|| "unused".to_owned());
        table.push([quota.kind, quota.category, quota.capacity, used], value);
    }
    Ok(())
}
