//! Whether a target can be deployed to, asked by a worker for who cannot.

use secrecy::ExposeSecret as _;

use crate::db::models::cluster;
use crate::db::models::environment::Environment;
use crate::deploy::Deployer;
use crate::deploy::answers::Unanswered;
use crate::deploy::failure::Cause;
use crate::deploy::opened::logins;
use crate::deploy::trial::{Trial, try_target};
use crate::domain::causes::with_causes;
use crate::domain::cluster::Credentials;
use crate::domain::ids::ClusterId;
use crate::domain::question::Told;
use crate::domain::redact::{Redactor, Secrets};
use crate::questions::Asked;
use crate::tasks::blocking;

impl Deployer {
    pub(super) async fn tell_trial(&self, asked: &Asked, id: ClusterId) -> Result<(), Unanswered> {
        let environment = asked.environment;
        let found = self.jobs.db().run(async move |connection| {
            let project = Environment::find(connection, environment).await?.project_id;
            let targets = cluster::of_environment(connection, environment).await?;
            Ok::<_, diesel::result::Error>((project, targets))
        });
        let (project, targets) = found.await?;
        let target = targets.into_iter().find(|target| target.id == id);
        let target = target.ok_or(Unanswered::NoTarget)?;
        let sealed = target.credentials.clone().map(|sealed| (target.clone(), sealed));
        let opener = &self.settings.keyring.opener;
        let logins = logins(opener, project, sealed.into_iter().collect());
        let login = logins.await.map_err(Cause::from)?.remove(&id);
        let tried = try_target(&target, login.as_ref(), &self.settings.kubernetes).await;
        // Whoever answers there may repeat what they were sent.
        let redactor = redactor(login.as_ref()).await;
        let Trial { summary, missing } =
            tried.map_err(|error| Unanswered::NotTried(redactor.text(&with_causes(&error))))?;
        let missing = missing.iter().map(|line| redactor.text(line)).collect();
        let told = Told::Tried { summary: redactor.text(&summary), missing };
        // Whoever does not hear it has gone.
        let _heard: bool = asked.tell(vec![told]).await;
        Ok(())
    }
}

/// Hides who signs in.
async fn redactor(login: Option<&Credentials>) -> Redactor {
    let mut secrets = Secrets::default();
    for (name, secret) in login.into_iter().flat_map(Credentials::secrets) {
        // What cannot be hidden was refused when it was set.
        secrets.add(name, secret.expose_secret()).ok();
    }
    blocking(move || Redactor::new(&secrets)).await
}
