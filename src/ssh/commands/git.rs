//! Serves git.

use russh::Channel;
use russh::server::Msg;
use tracing::warn;
use uuid::Uuid;

use crate::db::models::project::Project;
use crate::domain::ids::PushId;
use crate::domain::slug::ProjectName;
use crate::git::wire::{Serve, Service};
use crate::projects::{ProjectError, find};
use crate::push::{PushSession, Ticket};
use crate::ssh::Door;
use crate::ssh::commands::{Caller, Status, refuse};
use crate::ssh::git_session::relay;
use crate::ssh::rights::of_service;
use crate::tasks::blocking;

/// Runs one of git's services for a client.
pub(super) async fn serve(
    channel: Channel<Msg>,
    door: &Door,
    caller: &Caller,
    service: Service,
    name: &ProjectName,
) {
    match find(&door.db, &caller.identity.who(), name, of_service(service)).await {
        Ok(project) => start(channel, door, caller, service, &project).await,
        // One and the same answer, whether there is no such project or it is not theirs.
        Err(ProjectError::NotFound(_)) => {
            refuse(channel, "repository not found", Status::NOT_FOUND).await;
        }
        Err(
            error @ (ProjectError::Forbidden(_)
            | ProjectError::Key(_)
            | ProjectError::Barred(_)
            | ProjectError::Ambiguous { .. }),
        ) => {
            refuse(channel, &error.to_string(), Status::NOT_FOUND).await;
        }
        Err(error) => {
            warn!("Could not find a project: {error}");
            refuse(channel, "the server cannot reach its database", Status::NOT_FOUND).await;
        }
    }
}

async fn start(
    channel: Channel<Msg>,
    door: &Door,
    caller: &Caller,
    service: Service,
    project: &Project,
) {
    let identity = &caller.identity;
    let push = (service == Service::ReceivePack).then(|| {
        door.sessions.open(PushSession::new(
            PushId::from(Uuid::now_v7()),
            project.id,
            identity.user.id,
            identity.user.name.clone(),
            identity.actor(caller.origin.clone()),
        ))
    });
    let repositories = door.jobs.repositories();
    let repository = repositories.path(project.id);
    let (made_in, id) = (repositories.clone(), project.id);
    let branch = project.default_branch().to_owned();
    if let Err(error) = blocking(move || made_in.ensure(id, &branch)).await {
        warn!("Could not make a repository: {error:?}");
        return refuse(channel, "the server cannot make the repository", Status::NOT_FOUND).await;
    }
    let serve = Serve {
        service,
        repository: &repository,
        session: push.as_ref().map(Ticket::key),
        protocol: caller.protocol.as_deref(),
    };
    match door.wire.start(&serve) {
        Ok(child) => {
            let session = push.as_ref().map(|ticket| ticket.session().as_ref());
            relay(channel, child, session, door.wire.time_limit).await;
            if let Some(session) = session
                && let Err(error) = door.pushes.finish(session).await
            {
                warn!("Could not close the record of a push: {error}");
            }
        }
        Err(error) => {
            warn!("Could not start {}: {error}", door.wire.git.display());
            refuse(channel, "the server cannot start git", Status::NOT_FOUND).await;
        }
    }
}
