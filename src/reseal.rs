//! Everything sealed anew with the newest key, so that the keys before it can be removed.

use std::collections::BTreeMap;

use diesel::QueryResult;
use serde::Deserialize as _;
use serde_json::Value;
use uuid::Uuid;

use crate::db::models::sealed::{
    self as rows, SealedJob, SealedPassword, SealedRelease, SealedVariable,
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
        let mut round = Round { db, keyring, anew: 0, unopened: Vec::new(), done: BTreeMap::new() };
        round.variables().await?;
        round.passwords().await?;
        round.jobs().await?;
        round.releases().await?;
        total += round.anew;
        if round.anew == 0 {
            round.unopened.sort_unstable();
            round.unopened.dedup();
            return Ok(Resealed { anew: total, unopened: round.unopened });
        }
    }
    let unopened = vec!["rows change all the time: run it once more".to_owned()];
    Ok(Resealed { anew: total, unopened })
}

/// One walk over all rows.
struct Round<'a> {
    db: &'a Db,
    keyring: &'a Keyring,
    anew: usize,
    unopened: Vec<String>,
    /// What was sealed anew, by what it was before: jobs have copies of variables.
    done: BTreeMap<String, Sealed>,
}

impl Round<'_> {
    /// The same value under the newest key; nothing when it is under that already, or does not open.
    fn again(&mut self, sealed: &Sealed, place: &Place) -> Option<Sealed> {
        if sealed.kid == self.keyring.sealer.key_id() {
            return None;
        }
        if let Some(done) = self.done.get(&sealed.body) {
            self.anew += 1;
            return Some(done.clone());
        }
        match self.keyring.opener.open(sealed, place) {
            Ok(value) => {
                let anew = self.keyring.sealer.seal(&value, place);
                self.done.insert(sealed.body.clone(), anew.clone());
                self.anew += 1;
                Some(anew)
            }
            Err(NotOpened { .. }) => {
                self.unopened.push(format!("{place} (key {})", sealed.kid));
                None
            }
        }
    }

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
                if let Some(anew) = self.again(sealed, &place) {
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
            if let Some(anew) = self.again(sealed, &place) {
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
            if let Some(anew) = self.again(&login.password, &place) {
                login.password = anew;
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
            self.again(sealed, &place).unwrap_or_else(|| sealed.clone())
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
            let sealed = match Sealed::deserialize(stored) {
                Ok(sealed) => self.again(&sealed, &place),
                Err(_not_sealed) => {
                    self.anew += 1;
                    Some(self.keyring.sealer.seal(stored.to_string().as_bytes(), &place))
                }
            };
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
