//! What a request is about, found for whoever may do with it what they ask for: one decision for
//! pages and programs, before anything else is done.

use std::str::FromStr;

use actix_web::HttpRequest;

use crate::config::WebConfig;
use crate::db::models::account::Account;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::pool::Db;
use crate::domain::access::{Role, Subject, Verb, What, Who, authorise};
use crate::domain::ids::JobName;
use crate::domain::slug::{AccountSlug, ProjectName};
use crate::projects::{find, find_account, find_job};
use crate::web::refusal::Refusal;

/// What a request names, as far as a decision needs it.
#[derive(Debug)]
pub(super) enum Asked {
    Nothing,
    Account(AccountSlug),
    Project(ProjectName),
    Job(JobName),
}

/// What was found of it.
#[derive(Debug)]
pub(super) enum Found {
    /// Whoever asks, or everything.
    Nothing,
    /// An account, with what they are there for.
    Account(Box<(Account, Option<Role>)>),
    Project(Box<Project>),
    /// A job, with its project.
    Job(Box<(Job, Project)>),
}

impl Asked {
    /// What a request names that needs this right. What cannot be a name names nothing.
    pub(super) fn of(request: &HttpRequest, verb: Verb) -> Result<Self, Refusal> {
        Ok(match verb.subject() {
            Subject::Oneself | Subject::Installation => Self::Nothing,
            Subject::Account => Self::Account(segment(request, "account")?),
            Subject::Project if request.match_info().get("job").is_some() => {
                Self::Job(segment(request, "job")?)
            }
            Subject::Project => Self::Project(ProjectName {
                account: Some(segment(request, "account")?),
                project: segment(request, "project")?,
            }),
        })
    }

    /// Finds it for somebody who may do that to it.
    pub(super) async fn find(self, db: &Db, who: &Who, verb: Verb) -> Result<Found, Refusal> {
        Ok(match self {
            Self::Nothing => {
                let is_all = verb.subject() == Subject::Installation;
                let what = if is_all { What::Installation } else { What::Oneself };
                authorise(who, verb, what)?;
                Found::Nothing
            }
            Self::Account(slug) => {
                Found::Account(Box::new(find_account(db, who, &slug, verb).await?))
            }
            Self::Project(name) => Found::Project(Box::new(find(db, who, &name, verb).await?)),
            Self::Job(name) => Found::Job(Box::new(find_job(db, who, name, verb).await?)),
        })
    }
}

impl Found {
    /// The account, if it is one that was asked for.
    pub(super) fn account(&self) -> Option<&(Account, Option<Role>)> {
        match self {
            Self::Account(found) => Some(found),
            Self::Nothing | Self::Project(_) | Self::Job(_) => None,
        }
    }

    /// The project, if it is one that was asked for.
    pub(super) fn project(&self) -> Option<&Project> {
        match self {
            Self::Project(project) => Some(project),
            Self::Nothing | Self::Account(_) | Self::Job(_) => None,
        }
    }

    /// The job, if it is one that was asked for.
    pub(super) fn job(&self) -> Option<&(Job, Project)> {
        match self {
            Self::Job(found) => Some(found),
            Self::Nothing | Self::Account(_) | Self::Project(_) => None,
        }
    }
}

/// A part of the address; what cannot be one names nothing.
pub(super) fn segment<T: FromStr>(request: &HttpRequest, name: &str) -> Result<T, Refusal> {
    let info = request.match_info();
    let place = info.iter().position(|(other, _)| other == name);
    // Read as a list, so that what is escaped in the address is what it stands for.
    let texts: Vec<String> = info.load().unwrap_or_default();
    let text = place.and_then(|place| texts.get(place)).filter(|text| !text.contains('\0'));
    let value = text.and_then(|text| text.parse().ok());
    value.ok_or_else(|| Refusal::NotFound(format!("{name} is not found")))
}

/// Where a request comes from: the address of the connection, or what our proxy says.
pub(super) fn origin(request: &HttpRequest, web: &WebConfig) -> String {
    let said = request.headers().get_all("X-Forwarded-For").last();
    let said = said.filter(|_| web.behind_proxy).and_then(|field| field.to_str().ok());
    // What stands before the last one was said by whoever asks.
    let last = said.and_then(|field| field.rsplit(',').next()).map(str::trim);
    let last = last.and_then(|address| address.parse::<std::net::IpAddr>().ok());
    let address = last.or_else(|| request.peer_addr().map(|peer| peer.ip()));
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_part_of_an_address_is_what_it_stands_for() {
        let request = TestRequest::default().param("account", "acme").param("user", "ana%40x%2Fy");
        let request = request.to_http_request();
        assert_eq!(segment::<String>(&request, "user").unwrap(), "ana@x/y");
        assert_eq!(segment::<AccountSlug>(&request, "account").unwrap().as_str(), "acme");
        assert!(segment::<AccountSlug>(&request, "user").is_err());
        assert!(segment::<String>(&request, "project").is_err());
        let request = TestRequest::default().param("user", "a%00").to_http_request();
        assert!(segment::<String>(&request, "user").is_err());
    }

    #[test]
    fn where_somebody_is_says_the_proxy_only_if_there_is_one() {
        let request = TestRequest::default()
            .peer_addr("192.0.2.1:5".parse().unwrap())
            .insert_header(("X-Forwarded-For", "6.6.6.6, 198.51.100.7"))
            .to_http_request();
        let behind_proxy = WebConfig { behind_proxy: true, ..WebConfig::default() };
        assert_eq!(origin(&request, &WebConfig::default()), "192.0.2.1");
        assert_eq!(origin(&request, &behind_proxy), "198.51.100.7");
        let request = TestRequest::default().insert_header(("X-Forwarded-For", "<script>"));
        assert_eq!(origin(&request.to_http_request(), &behind_proxy), "unknown");
    }
}
