//! Which right each request needs: one table, from which requests are handed on and described.

use actix_web::http::{Method, header};
use actix_web::web::{ServiceConfig, method, scope};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;

use crate::domain::access::Verb;
use crate::web::api::answer::PREFIX;
use crate::web::api::document::document;
use crate::web::api::problem::{Body, Kind, Place, Problem};
use crate::web::api::{
    accounts, audit, clusters, environments, health, jobs, keys, me, members, projects, registry,
    releases, rules, source, tokens, trash, users, variables,
};
use crate::web::routes::{self, Route, pattern_of};

/// Declares the table, what hands requests on by it, and what describes them.
macro_rules! routes {
    ($($method:ident $path:literal $verb:ident => $module:ident :: $handler:ident,)*) => {
        /// Every request there is.
        pub const ROUTES: &[Route] = &[
            $(Route { method: stringify!($method), path: $path, verb: Verb::$verb },)*
        ];

        fn hand_on(config: &mut ServiceConfig) {
            $(config.route($path, method(Method::$method).to($module::$handler));)*
        }

        #[derive(OpenApi)]
        #[openapi(
            paths($($module::$handler,)*),
            components(schemas(Body, Place)),
        )]
        pub(super) struct Described;
    };
}

routes! {
    GET "/users/me" Identify => me::show,
    GET "/users/me/keys" ListKeys => keys::list,
    POST "/users/me/keys" ChangeKeys => keys::create,
    DELETE "/users/me/keys/{key}" ChangeKeys => keys::delete,
    GET "/users/me/tokens" ListTokens => tokens::list,
    POST "/users/me/tokens" ChangeTokens => tokens::create,
    DELETE "/users/me/tokens/{token}" ChangeTokens => tokens::delete,
    GET "/projects" ListProjects => projects::list,
    GET "/projects/{account}/{project}" Look => projects::show,
    PATCH "/projects/{account}/{project}" ChangeProject => projects::change,
    DELETE "/projects/{account}/{project}" ChangeProject => projects::delete,
    GET "/projects/{account}/{project}/environments" Look => environments::list,
    GET "/projects/{account}/{project}/environments/{environment}/releases" Look
        => environments::releases,
    POST "/projects/{account}/{project}/environments/{environment}/jobs" Deploy
        => environments::deploy,
    POST "/projects/{account}/{project}/environments/{environment}/rollbacks" Deploy
        => releases::roll_back,
    GET "/projects/{account}/{project}/environments/{environment}/diff" Look => releases::diff,
    GET "/projects/{account}/{project}/environments/{environment}/containers" Look
        => releases::containers,
    GET "/projects/{account}/{project}/environments/{environment}/output" Look
        => releases::output,
    PUT "/projects/{account}/{project}/environments/{environment}/variables/{variable}"
        ChangeVariables => variables::set_of_environment,
    DELETE "/projects/{account}/{project}/environments/{environment}/variables/{variable}"
        ChangeVariables => variables::unset_of_environment,
    GET "/projects/{account}/{project}/variables" ReadVariables => variables::list,
    PUT "/projects/{account}/{project}/variables/{variable}" ChangeVariables => variables::set,
    DELETE "/projects/{account}/{project}/variables/{variable}" ChangeVariables
        => variables::unset,
    GET "/projects/{account}/{project}/deploy-rules" Look => rules::list,
    PUT "/projects/{account}/{project}/deploy-rules" ChangeProject => rules::replace,
    GET "/projects/{account}/{project}/clusters" Look => clusters::list,
    POST "/projects/{account}/{project}/clusters" ChangeTargets => clusters::create,
    GET "/projects/{account}/{project}/clusters/{cluster}" Look => clusters::show,
    PATCH "/projects/{account}/{project}/clusters/{cluster}" ChangeTargets => clusters::change,
    DELETE "/projects/{account}/{project}/clusters/{cluster}" ChangeTargets => clusters::delete,
    POST "/projects/{account}/{project}/clusters/{cluster}/test" ChangeTargets => clusters::test,
    GET "/projects/{account}/{project}/registry" Look => registry::show,
    PUT "/projects/{account}/{project}/registry" ChangeTargets => registry::set,
    DELETE "/projects/{account}/{project}/registry" ChangeTargets => registry::unset,
    GET "/projects/{account}/{project}/source" Look => source::show,
    PUT "/projects/{account}/{project}/source" ChangeTargets => source::change,
    DELETE "/projects/{account}/{project}/source" ChangeTargets => source::unset,
    POST "/projects/{account}/{project}/source/checks" Deploy => source::check_now,
    GET "/projects/{account}/{project}/jobs" Look => jobs::of_project,
    GET "/jobs" ListProjects => jobs::list,
    GET "/jobs/{job}" Look => jobs::show,
    GET "/jobs/{job}/history" Look => jobs::history,
    POST "/jobs/{job}/cancel" Cancel => jobs::cancel,
    GET "/accounts" ListProjects => accounts::list,
    POST "/accounts" Administrate => accounts::create,
    GET "/accounts/{account}" LookAtAccount => accounts::show,
    PATCH "/accounts/{account}" Administrate => accounts::change,
    DELETE "/accounts/{account}" Administrate => accounts::delete,
    GET "/accounts/{account}/quota-use" LookAtAccount => accounts::quota_use,
    GET "/accounts/{account}/members" LookAtAccount => members::list,
    PUT "/accounts/{account}/members/{user}" ChangeMembers => members::set,
    DELETE "/accounts/{account}/members/{user}" ChangeMembers => members::delete,
    POST "/accounts/{account}/projects" CreateProject => projects::create,
    GET "/users" Inspect => users::list,
    POST "/users" Administrate => users::create,
    GET "/users/{user}" Inspect => users::show,
    PATCH "/users/{user}" Administrate => users::change,
    DELETE "/users/{user}" Administrate => users::delete,
    POST "/users/{user}/password" Administrate => users::reset_password,
    DELETE "/users/{user}/second-factor" Administrate => users::unset_factor,
    GET "/users/{user}/keys" Inspect => keys::list_of,
    GET "/deleted" Inspect => trash::list,
    POST "/deleted/restore" Administrate => trash::restore,
    POST "/deleted/purge" Administrate => trash::purge,
    GET "/audit" Inspect => audit::list,
    GET "/health" Inspect => health::show,
}

/// Hands requests on; what is not in the table is refused.
pub(in crate::web) fn configure(config: &mut ServiceConfig) {
    let api = scope(PREFIX)
        .route("/openapi.json", web::get().to(described))
        .configure(hand_on)
        .default_service(web::route().to(unknown));
    config.service(api);
}

/// `GET /api/v1/openapi.json`
async fn described() -> HttpResponse {
    match document().to_json() {
        Ok(text) => HttpResponse::Ok().content_type("application/json").body(text),
        Err(_unwritable) => HttpResponse::InternalServerError().finish(),
    }
}

async fn unknown(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(nothing_at(&request))
}

/// What is told of an address or a method that is not in the table.
fn nothing_at(request: &HttpRequest) -> Problem {
    let path = request.path().strip_prefix(PREFIX).unwrap_or_default();
    let pattern = pattern_of(ROUTES, path);
    let methods = ROUTES.iter().filter(|route| Some(route.path) == pattern);
    let methods: Vec<&str> = methods.map(|route| route.method).collect();
    let allow = match (path, pattern) {
        ("/openapi.json", _) => "GET".to_owned(),
        (_, Some(_)) => methods.join(", "),
        (_, None) => {
            let next = "GET /api/v1/openapi.json lists every address";
            return Problem::not_found("this address is").next(next);
        }
    };
    let detail = format!("{} is none of {allow}", request.method());
    Problem::new(Kind::MethodNotAllowed, detail).header(header::ALLOW, allow)
}

/// The right that a request needs which is handed on.
///
/// # Errors
///
/// When there is none: then nobody has it.
pub(super) fn right_of(request: &HttpRequest) -> Result<Verb, Problem> {
    routes::right_of(ROUTES, PREFIX, request).ok_or_else(|| nothing_at(request))
}
