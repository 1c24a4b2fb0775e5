//! Which right each page needs: one table, from which requests are handed on.

use actix_web::http::Method;
use actix_web::web::{ServiceConfig, get, method, post};

use crate::domain::access::Verb;
use crate::web::admin::visit::see;
use crate::web::admin::{
    HOME, accounts, audit, clusters, environment, first_run, health, jobs, keys, members, overview,
    password, project, second_factor, settings, sign_in, source, targets, tokens, trash, users,
    variables,
};
use crate::web::routes::Route;
use crate::web::{job_page, live, log};

/// Declares the table, and what hands requests on by it.
macro_rules! pages {
    ($($method:ident $path:literal $verb:ident => $module:ident :: $handler:ident,)*) => {
        /// Every page there is behind a sign-in, and every form.
        pub const PAGES: &[Route] = &[
            $(Route { method: stringify!($method), path: $path, verb: Verb::$verb },)*
        ];

        fn hand_on(config: &mut ServiceConfig) {
            $(config.route($path, method(Method::$method).to($module::$handler));)*
        }
    };
}

pages! {
    POST "/admin/sign-out" Identify => sign_in::sign_out,
    GET "/admin/password" ChangePassword => password::page,
    POST "/admin/password" ChangePassword => password::change,
    GET "/admin/second-factor" ChangePassword => second_factor::page,
    POST "/admin/second-factor" ChangePassword => second_factor::begin,
    POST "/admin/second-factor/confirm" ChangePassword => second_factor::confirm,
    POST "/admin/second-factor/delete" ChangePassword => second_factor::delete,
    GET "/admin" ListProjects => overview::page,
    GET "/admin/keys" ListKeys => keys::page,
    POST "/admin/keys" ChangeKeys => keys::add,
    POST "/admin/keys/delete" ChangeKeys => keys::delete,
    GET "/admin/tokens" ListTokens => tokens::page,
    POST "/admin/tokens" ChangeTokens => tokens::make,
    POST "/admin/tokens/delete" ChangeTokens => tokens::delete,
    GET "/admin/accounts" ListProjects => accounts::list,
    POST "/admin/accounts" Administrate => accounts::make,
    GET "/admin/accounts/{account}" LookAtAccount => accounts::page,
    POST "/admin/accounts/{account}" Administrate => accounts::change,
    POST "/admin/accounts/{account}/members" ChangeMembers => members::set,
    POST "/admin/accounts/{account}/members/delete" ChangeMembers => members::delete,
    POST "/admin/accounts/{account}/projects" CreateProject => accounts::make_project,
    GET "/admin/projects/{account}/{project}" Look => project::page,
    POST "/admin/projects/{account}/{project}/redeploy" Deploy => jobs::redeploy,
    POST "/admin/projects/{account}/{project}/rollback" Deploy => jobs::roll_back,
    GET "/admin/projects/{account}/{project}/environments/{environment}" Look
        => environment::page,
    GET "/admin/projects/{account}/{project}/environments/{environment}/diff" Look
        => environment::diff,
    GET "/admin/projects/{account}/{project}/environments/{environment}/containers" Look
        => environment::containers,
    GET "/admin/projects/{account}/{project}/environments/{environment}/output" Look
        => environment::output,
    GET "/admin/projects/{account}/{project}/variables" ReadVariables => variables::page,
    POST "/admin/projects/{account}/{project}/variables" ChangeVariables => variables::set,
    POST "/admin/projects/{account}/{project}/variables/delete" ChangeVariables
        => variables::unset,
    GET "/admin/projects/{account}/{project}/clusters" ChangeTargets => targets::list,
    POST "/admin/projects/{account}/{project}/clusters" ChangeTargets => targets::add,
    GET "/admin/projects/{account}/{project}/clusters/{cluster}" ChangeTargets => targets::page,
    POST "/admin/projects/{account}/{project}/clusters/{cluster}" ChangeTargets
        => targets::change,
    POST "/admin/projects/{account}/{project}/clusters/{cluster}/test" ChangeTargets
        => targets::test,
    POST "/admin/projects/{account}/{project}/clusters/{cluster}/delete" ChangeTargets
        => targets::delete,
    GET "/admin/projects/{account}/{project}/settings" ChangeProject => settings::page,
    POST "/admin/projects/{account}/{project}/settings" ChangeProject => settings::change,
    POST "/admin/projects/{account}/{project}/rules" ChangeProject => settings::set_one_rule,
    POST "/admin/projects/{account}/{project}/rules/delete" ChangeProject
        => settings::delete_one_rule,
    POST "/admin/projects/{account}/{project}/registry" ChangeTargets
        => settings::change_registry,
    POST "/admin/projects/{account}/{project}/registry/delete" ChangeTargets
        => settings::delete_registry,
    POST "/admin/projects/{account}/{project}/source" ChangeTargets => source::change,
    POST "/admin/projects/{account}/{project}/source/delete" ChangeTargets => source::delete,
    POST "/admin/projects/{account}/{project}/source/check" Deploy => source::check_now,
    POST "/admin/projects/{account}/{project}/delete" ChangeProject => settings::delete,
    GET "/jobs/{job}" Look => job_page::job_page,
    GET "/jobs/{job}/history" Look => live::history,
    GET "/jobs/{job}/log" Look => log::log,
    POST "/jobs/{job}/cancel" Cancel => jobs::cancel,
    GET "/admin/users" Inspect => users::page,
    POST "/admin/users" Administrate => users::make,
    POST "/admin/users/password" Administrate => users::reset,
    POST "/admin/users/change" Administrate => users::change,
    GET "/admin/clusters" Inspect => clusters::page,
    POST "/admin/users/second-factor" Administrate => second_factor::unset,
    POST "/admin/users/delete" Administrate => users::delete,
    POST "/admin/accounts/{account}/delete" Administrate => accounts::delete,
    GET "/admin/deleted" Inspect => trash::page,
    POST "/admin/deleted/restore" Administrate => trash::restore,
    POST "/admin/deleted/purge" Administrate => trash::purge,
    GET "/admin/audit" Inspect => audit::page,
    GET "/admin/health" Inspect => health::page,
}

/// What comes before a sign-in.
pub const OPEN: [(&str, &str); 5] = [
    ("GET", "/admin/first-run"),
    ("POST", "/admin/first-run"),
    ("GET", "/admin/sign-in"),
    ("POST", "/admin/sign-in"),
    ("POST", "/admin/sign-in/code"),
];

/// Hands requests on.
pub(in crate::web) fn configure(config: &mut ServiceConfig) {
    config
        .configure(hand_on)
        .route("/", get().to(async || see(HOME)))
        .route("/admin/first-run", get().to(first_run::page))
        .route("/admin/first-run", post().to(first_run::make))
        .route("/admin/sign-in", get().to(sign_in::page))
        .route("/admin/sign-in", post().to(sign_in::sign_in))
        .route("/admin/sign-in/code", post().to(sign_in::code));
}
