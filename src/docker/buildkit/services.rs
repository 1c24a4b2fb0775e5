//! What an engine may ask for during a build.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::{Health, HealthServer};
use bollard::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use bollard::moby::buildkit::secrets::v1::secrets_server::{Secrets, SecretsServer};
use bollard::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use bollard::moby::filesync::packet::file_sync_server::FileSyncServer;
use bollard::moby::filesync::v1::auth_server::{Auth, AuthServer};
use bollard::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use futures::stream::Empty;
use hyper::body::Incoming;
use hyper::{Request as HttpRequest, Response as HttpResponse};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::{Request, Response, Status, async_trait};

use crate::building::Materials;
use crate::docker::buildkit::files::{Fault, Files};
use crate::domain::registry::Registry;
use crate::image::ImageBuild;

/// The methods that an engine is told of.
pub(super) const METHODS: [&str; 6] = [
    "/grpc.health.v1.Health/Check",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.Auth/FetchToken",
    "/moby.filesync.v1.Auth/GetTokenAuthority",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
];

/// Where engines ask for the registry that people call docker.io.
const DOCKER_HUB: [&str; 3] = ["docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"];

/// All that is answered.
#[derive(Clone)]
pub(super) struct Services {
    health: HealthServer<Alive>,
    files: FileSyncServer<Files>,
    logins: AuthServer<Logins>,
    secrets: SecretsServer<Shown>,
}

impl Services {
    pub(super) fn new(
        build: &ImageBuild,
        materials: &Materials<'_>,
        (dockerfile, prefix): (String, &str),
        lines: &mpsc::Sender<String>,
        fault: &Fault,
    ) -> Self {
        let own =
            |(id, secret): (&String, &SecretString)| (format!("{prefix}{id}"), secret.clone());
        let secrets = materials.secrets.iter().map(own).collect();
        let files = Files {
            root: materials.root.to_owned(),
            context: build.context.path.clone(),
            limits: materials.limits,
            dockerfile: Arc::from(dockerfile),
            lines: lines.clone(),
            fault: fault.clone(),
            is_ignored_told: Arc::default(),
        };
        Self {
            health: HealthServer::new(Alive),
            files: FileSyncServer::new(files),
            logins: AuthServer::new(Logins(materials.registries.to_vec())),
            secrets: SecretsServer::new(Shown(secrets)),
        }
    }

    /// Answers one request.
    pub(super) async fn answer(
        mut self,
        request: HttpRequest<Incoming>,
    ) -> Result<HttpResponse<Body>, Infallible> {
        let service = request.uri().path().trim_start_matches('/').split('/').next();
        match service.unwrap_or_default() {
            "grpc.health.v1.Health" => self.health.call(request).await,
            "moby.filesync.v1.FileSync" => self.files.call(request).await,
            "moby.filesync.v1.Auth" => self.logins.call(request).await,
            "moby.buildkit.secrets.v1.Secrets" => self.secrets.call(request).await,
            _ => Ok(Status::unimplemented("").into_http()),
        }
    }
}

/// Says that the session lives.
struct Alive;

#[async_trait]
impl Health for Alive {
    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn list(
        &self,
        _request: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn watch(
        &self,
        _request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// Who signs in at registries.
struct Logins(Vec<Registry>);

impl Logins {
    fn of(&self, host: &str) -> CredentialsResponse {
        let is_meant = |registry: &&Registry| {
            let own = registry.address.host();
            own == host || (DOCKER_HUB.contains(&own) && DOCKER_HUB.contains(&host))
        };
        let login = self.0.iter().find(is_meant).and_then(|registry| registry.login.as_ref());
        // Nobody is an answer too: then the registry is asked without a name.
        login.map_or_else(CredentialsResponse::default, |login| CredentialsResponse {
            username: login.username.clone(),
            secret: login.password.expose_secret().to_owned(),
        })
    }
}

#[async_trait]
impl Auth for Logins {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        Ok(Response::new(self.of(&request.get_ref().host)))
    }

    async fn fetch_token(
        &self,
        _request: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_token_authority(
        &self,
        _request: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        // The engine then signs in itself: this process speaks to no registry.
        Err(Status::unavailable(""))
    }

    async fn verify_token_authority(
        &self,
        _request: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unavailable(""))
    }
}

/// Secrets that commands are shown.
struct Shown(BTreeMap<String, SecretString>);

#[async_trait]
impl Secrets for Shown {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        let secret = self.0.get(id).ok_or_else(|| Status::not_found(format!("secret {id}")))?;
        Ok(Response::new(GetSecretResponse { data: secret.expose_secret().as_bytes().to_vec() }))
    }
}
