//! Jobs begin and end by a form.

use actix_web::HttpResponse;

use crate::db::models::audit::NewEntry;
use crate::domain::audit::Deed;
use crate::domain::cache::Cache;
use crate::domain::ids::JobId;
use crate::jobs::CancelAnswer;
use crate::projects::find_environment;
use crate::sources::BY_PAGE;
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::project::show;
use crate::web::admin::visit::{Visit, see};
use crate::web::page_error::PageError;

/// Notes what is not noted by what does it.
async fn note(visit: &Visit, entry: NewEntry) -> Result<(), PageError> {
    let db = visit.db();
    let note = async move { db.run(async move |connection| entry.insert(connection).await).await };
    Ok(visit.run(note).await?)
}

/// `POST /jobs/{job}/cancel`
pub(super) async fn cancel(posted: Posted) -> Result<HttpResponse, PageError> {
    let visit = posted.visit;
    let (id, number) = (visit.job()?.0.id, visit.job()?.0.number);
    let (jobs, by) = (visit.site.jobs(), visit.session.user.name.clone());
    let answer = visit.run(async move { jobs.cancel(id, by).await }).await?;
    note(&visit, visit.acting().entry(Deed::Cancel, &format!("job {number}"))).await?;
    match answer {
        // Its page tells how it ends.
        CancelAnswer::Cancelled | CancelAnswer::Asked | CancelAnswer::Ended(_) => {
            Ok(see(&format!("/jobs/{id}")))
        }
        CancelAnswer::TooLate(release) => Err(PageError::Refused(format!(
            "It is too late to cancel job {number}: {release} is live."
        ))),
    }
}

/// `POST /admin/projects/{account}/{project}/redeploy`
pub(super) async fn redeploy(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    match begin(&visit, &form).await {
        Ok(job) => Ok(see(&format!("/jobs/{job}"))),
        Err(error) => show(&visit, None, Some(error.told()?)).await,
    }
}

async fn begin(visit: &Visit, form: &Form) -> Result<JobId, PageError> {
    let project = visit.project()?.clone();
    project.check_active()?;
    let cache = if form.is_checked("no_cache") { Cache::Dropped } else { Cache::Used };
    let environment = form.read("environment")?;
    let (db, jobs, user) = (visit.db(), visit.site.jobs(), visit.session.user.clone());
    let create = async move {
        let environment = find_environment(&db, &project, environment).await?;
        let created = jobs.redeploy(&project, &environment, (&user, BY_PAGE), cache).await?;
        Ok::<_, PageError>((environment.name, created))
    };
    let (environment, created) = visit.run(create).await?;
    let job = created.job();
    let entry = visit.acting().entry(Deed::Redeploy, &visit.project()?.name());
    let entry = entry.with("environment", environment.to_string());
    note(visit, entry.with("job", job.number.0)).await?;
    Ok(job.id)
}

/// `POST /admin/projects/{account}/{project}/rollback`
pub(super) async fn roll_back(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    match begin_rollback(&visit, &form).await {
        Ok(job) => Ok(see(&format!("/jobs/{job}"))),
        Err(error) => show(&visit, None, Some(error.told()?)).await,
    }
}

async fn begin_rollback(visit: &Visit, form: &Form) -> Result<JobId, PageError> {
    let project = visit.project()?.clone();
    project.check_active()?;
    let (environment, release) = (form.read("environment")?, form.read("release")?);
    let (db, jobs, user) = (visit.db(), visit.site.jobs(), visit.session.user.clone());
    let create = async move {
        let environment = find_environment(&db, &project, environment).await?;
        let by = (&user, BY_PAGE);
        let created = jobs.roll_back(&project, &environment, Some(release), by).await?;
        Ok::<_, PageError>((environment.name, created))
    };
    let (environment, created) = visit.run(create).await?;
    let job = created.job();
    let entry = visit.acting().entry(Deed::Rollback, &visit.project()?.name());
    let entry = entry.with("environment", environment.to_string());
    let entry = entry.with("release", job.source.map(|source| source.to_string()));
    note(visit, entry.with("job", job.number.0)).await?;
    Ok(job.id)
}
