//! Everything sealed anew with the newest key, so that the keys before it can be removed.

use std::collections::BTreeMap;

use diesel::QueryResult;
use serde::Deserialize as _;
use serde_json::Value;
use uuid::Uuid;

use crate::db::models::sealed::{
    self as rows, SealedCredentials, SealedJob, SealedPassword, SealedRelease, SealedSource,
    SealedVariable,
};
use crate::db::pool::Db;
use crate::domain::ids::{JobNumber, ReleaseId};
use crate::domain::sealed::{Place, ReleasePart, Sealed};
use crate::domain::stored_variables::{Origin, SecretValue, StoredVariables};
use crate::seal::{Keyring, NotOpened};

/// Most rounds: each finds what somebody has changed during the one before.
const MOST_ROUNDS: usize = 5;

/// What came of sealing everything anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many values were sealed anew.
    pub anew: usize,
    /// What could not be opened, each named once.
    pub unopened: Vec<String>,
}

/// Seals with the newest key whatever is sealed with another one, or was stored before there were
/// keys.
///
/// # Errors
///
/// When the database does not answer.
pub async fn reseal(db: &Db, keyring: &Keyring) -> QueryResult<Resealed> {
    let mut total = 0;
    for _round in 0..MOST_ROUNDS {
        let mut round = Round { db, seals: Seals::new(keyring) };
        round.variables().await?;
        round.passwords().await?;
        round.credentials().await?;
        round.sources().await?;
        round.jobs().await?;
        round.releases().await?;
        let Seals { anew, mut unopened, .. } = round.seals;
        total += anew;
        if anew == 0 {
            unopened.sort_unstable();
            unopened.dedup();
            return Ok(Resealed { anew: total, unopened });
        }
    }
    let unopened = vec!["rows change all the time: run it once more".to_owned()];
    Ok(Resealed { anew: total, unopened })
}

/// One walk over all rows.
struct Round<'a> {
    db: &'a Db,
    seals: Seals<'a>,
}

/// What a walk does with each value, and what came of it so far.
struct Seals<'a> {
    keyring: &'a Keyring,
    anew: usize,
    unopened: Vec<String>,
    /// What was sealed anew, by what it was before, of values that several rows have copies of.
    copied: BTreeMap<String, Sealed>,
}

impl<'a> Seals<'a> {
    const fn new(keyring: &'a Keyring) -> Self {
        Self { keyring, anew: 0, unopened: Vec::new(), copied: BTreeMap::new() }
    }

    /// The same value under the newest key; nothing when it is under that already, or does not open.
    fn again(&mut self, sealed: &Sealed, place: &Place) -> Option<Sealed> {
        if sealed.kid == self.keyring.sealer.key_id() {
            return None;
        }
        match self.keyring.opener.open(sealed, place) {
            Ok(value) => {
                self.anew += 1;
                Some(self.keyring.sealer.seal(&value, place))
            }
            Err(NotOpened { .. }) => {
                self.unopened.push(format!("{place} (key {})", sealed.kid));
                None
            }
        }
    }

    /// The same, for a value that jobs have copies of: these stay copies of each other.
    fn again_copied(&mut self, sealed: &Sealed, place: &Place) -> Option<Sealed> {
        if let Some(done) = self.copied.get(&sealed.body) {
            self.anew += 1;
            return Some(done.clone());
        }
        let anew = self.again(sealed, place)?;
        self.copied.insert(sealed.body.clone(), anew.clone());
        Some(anew)
    }

    /// A part of a release. It is nobody's copy, and large: nothing of it is kept.
    fn part_again(&mut self, stored: &Value, place: &Place) -> Option<Sealed> {
        match Sealed::deserialize(stored) {
            Ok(sealed) => self.again(&sealed, place),
            Err(_not_sealed) => {
                self.anew += 1;
                Some(self.keyring.sealer.seal(stored.to_string().as_bytes(), place))
            }
        }
    }
}

impl Round<'_> {
    async fn variables(&mut self) -> QueryResult<()> {
        let mut behind = Uuid::nil();
        loop {
            let page = self.db.run(async move |c| rows::variables(c, behind).await).await?;
            let Some(last) = page.last() else { return Ok(()) };
            behind = last.id;
            for row in page {
                let SealedVariable { project, environment, ref name, ref sealed, .. } = row;
                let Some(sealed) = sealed else { continue };
                let origin =
                    if environment.is_some() { Origin::Environment } else { Origin::Project };
                let place = Place::variable(origin, (project, environment), name);
                if let Some(anew) = self.seals.again_copied(sealed, &place) {
                    self.db.run(async move |c| row.replace(c, &anew).await).await?;
                }
            }
        }
    }

    async fn passwords(&mut self) -> QueryResult<()> {
        for row in self.db.run(async move |c| rows::passwords(c).await).await? {
            let SealedPassword { project, address, username, password } = &row;
            let (Some(username), Some(sealed)) = (username, password) else { continue };
            let place = Place::registry(*project, address, username);
            if let Some(anew) = self.seals.again_copied(sealed, &place) {
                self.db.run(async move |c| row.replace(c, &anew).await).await?;
            }
        }
        Ok(())
    }

    async fn credentials(&mut self) -> QueryResult<()> {
        for row in self.db.run(async move |c| rows::credentials(c).await).await? {
            let SealedCredentials { project, address, name, credentials, .. } = &row;
            let Some(sealed) = credentials else { continue };
            let place = Place::cluster(*project, address, name);
            if let Some(anew) = self.seals.again_copied(sealed, &place) {
                self.db.run(async move |c| row.replace(c, &anew).await).await?;
            }
        }
        Ok(())
    }

    async fn sources(&mut self) -> QueryResult<()> {
        for row in self.db.run(async move |c| rows::sources(c).await).await? {
            let SealedSource { project, url, username, secret } = &row;
            let Some(sealed) = secret else { continue };
            let place = Place::source(*project, url, username);
            if let Some(anew) = self.seals.again(sealed, &place) {
                self.db.run(async move |c| row.replace(c, &anew).await).await?;
            }
        }
        Ok(())
    }

    async fn jobs(&mut self) -> QueryResult<()> {
        let mut behind = JobNumber(0);
        loop {
            let page = self.db.run(async move |c| rows::jobs(c, behind).await).await?;
            let Some(last) = page.last() else { return Ok(()) };
            behind = last.number;
            for row in page {
                self.job(row).await?;
            }
        }
    }

    async fn job(&mut self, row: SealedJob) -> QueryResult<()> {
        let mut snapshot = row.snapshot.clone();
        snapshot.variables = self.resealed(&row, &row.snapshot.variables);
        let variables = self.resealed(&row, &row.variables);
        if let Some(registry) = &mut snapshot.registry
            && let Some(login) = &mut registry.login
        {
            let place = Place::registry(row.project, &registry.address, &login.username);
            if let Some(anew) = self.seals.again_copied(&login.password, &place) {
                login.password = anew;
            }
        }
        for cluster in &mut snapshot.clusters {
            let Some(sealed) = &cluster.credentials else { continue };
            let place = Place::cluster(row.project, &cluster.address, &cluster.name);
            if let Some(anew) = self.seals.again_copied(sealed, &place) {
                cluster.credentials = Some(anew);
            }
        }
        if snapshot == row.snapshot && variables == row.variables {
            return Ok(());
        }
        self.db.run(async move |c| row.replace(c, &snapshot, &variables).await).await
    }

    fn resealed(&mut self, job: &SealedJob, variables: &StoredVariables) -> StoredVariables {
        variables.resealed(|name, SecretValue { origin, sealed }| {
            let place = Place::variable(*origin, (job.project, Some(job.environment)), name);
            self.seals.again_copied(sealed, &place).unwrap_or_else(|| sealed.clone())
        })
    }

    async fn releases(&mut self) -> QueryResult<()> {
        let mut behind = ReleaseId::from(Uuid::nil());
        loop {
            let page = self.db.run(async move |c| rows::releases(c, behind).await).await?;
            let Some(last) = page.last() else { return Ok(()) };
            behind = last.id;
            for row in page {
                self.release(row).await?;
            }
        }
    }

    async fn release(&mut self, row: SealedRelease) -> QueryResult<()> {
        let parts = [
            (ReleasePart::Model, &row.model),
            (ReleasePart::Variables, &row.variables),
            (ReleasePart::Objects, &row.objects),
        ];
        let anew = parts.map(|(part, stored)| {
            let place = Place::release(row.environment, row.job, part);
            let sealed = self.seals.part_again(stored, &place);
            sealed.map_or_else(|| stored.clone(), |sealed| json(&sealed))
        });
        if [&row.model, &row.variables, &row.objects].into_iter().eq(&anew) {
            return Ok(());
        }
        self.db.run(async move |c| row.replace(c, &anew).await).await
    }
}

fn json(sealed: &Sealed) -> Value {
    serde_json::to_value(sealed).expect("a sealed value is a mapping of texts")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;
    use crate::config::SealConfig;
    use crate::domain::ids::{EnvironmentId, JobId, ProjectId};
    use crate::seal::{load, load_public};

    /// Seals with the next key of tests, and opens what the one before it sealed.
    fn rotating() -> Keyring {
        let (keys, folder) = (Path::new("tests/keys"), tempfile::tempdir().unwrap());
        // A checkout leaves them readable to everybody.
        let own = |name: &str| {
            let copy = folder.path().join(name);
            fs::copy(keys.join(name), &copy).unwrap();
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
            copy
        };
        let private_keys = ["next-private.pem", "worker-private.pem"].map(own).to_vec();
        load(&SealConfig { public_key: keys.join("next-public.pem"), private_keys }).unwrap()
    }

    #[test]
    fn copies_stay_copies_and_of_releases_nothing_is_kept() {
        let (keyring, id) = (rotating(), Uuid::nil());
        let old = load_public(Path::new("tests/keys/worker-public.pem")).unwrap();
        let mut seals = Seals::new(&keyring);

        let place = Place::variable(Origin::Project, (ProjectId::from(id), None), "A");
        let variable = old.seal(b"hunter2", &place);
        let twice = [(); 2].map(|()| seals.again_copied(&variable, &place).unwrap());
        assert_eq!(twice[0], twice[1]);
        assert_eq!(seals.copied.len(), 1);

        let place = Place::release(EnvironmentId::from(id), JobId::from(id), ReleasePart::Model);
        let part = json(&old.seal(b"{}", &place));
        assert_eq!(seals.part_again(&part, &place).unwrap().kid, keyring.sealer.key_id());
        assert_eq!((seals.copied.len(), seals.anew), (1, 3));
    }
}
