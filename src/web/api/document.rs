//! The API described for programs: `OpenAPI` 3.1, made from the handlers and the table of routes.

use utoipa::OpenApi as _;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required, Response, Server,
};

use crate::domain::access::Subject;
use crate::web::api::answer::PREFIX;
use crate::web::api::routes::{Described, ROUTES};
use crate::web::routes::Route;

/// What the way to sign in is called in the document.
const SCHEME: &str = "token";

/// The document.
pub fn document() -> OpenApi {
    let mut document = Described::openapi();
    document.info = InfoBuilder::new()
        .title("Pierhead")
        .version("1")
        .description(Some(
            "Deployments, and what they are made of. `docs/api.md` tells how it is used.",
        ))
        .build();
    document.servers = Some(vec![Server::new(PREFIX)]);
    let http = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token, made by `tokens add` over SSH or by an administrator"));
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme(SCHEME, SecurityScheme::Http(http.build()));
    for route in ROUTES {
        let item = document.paths.paths.get_mut(route.path);
        if let Some(operation) = item.and_then(|item| operation(item, route.method)) {
            complete(operation, route);
        }
    }
    document
}

fn operation<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Adds what follows from the table: who may, what the address is made of, what else is answered.
fn complete(operation: &mut Operation, route: &Route) {
    let Route { method, path, verb } = *route;
    operation.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
    let right = format!("Needs the right `{verb}`.");
    let told = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(match told {
        Some(text) => format!("{text}\n\n{right}"),
        None => right,
    });
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let parameters = operation.parameters.get_or_insert_default();
    for (place, name) in names.enumerate() {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(segment(name)));
        parameters.insert(place, RefOr::T(parameter.build()));
    }
    let is_conditional = is_conditional(route);
    if is_conditional {
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some("The `ETag` of what is changed, or `*`"))
            .schema(Some(text()));
        parameters.push(RefOr::T(parameter.build()));
    }
    let mut problems = vec![("401", "Who asks is not known"), ("403", "You may not do this")];
    if has_query(parameters) {
        problems.push(("400", "A parameter cannot be read"));
    }
    if path.contains('{') || verb.subject() == Subject::Project {
        problems.push(("404", "There is no such thing, or you may not know of it"));
    }
    if operation.request_body.is_some() {
        problems.extend([
            ("400", "The body is no JSON"),
            ("404", "Something that is named is not there"),
            ("408", "The body took too long to arrive"),
            ("413", "The body is too large"),
            ("415", "The body is not said to be JSON"),
            ("422", "What was sent cannot be stored"),
        ]);
    }
    if method != "GET" {
        problems.push(("409", "It cannot be done as things stand"));
    }
    if is_conditional {
        problems.extend([("412", "Somebody else changed it"), ("428", "There is no If-Match")]);
    }
    problems.extend([
        ("500", "The server could not do it"),
        ("503", "The server cannot reach what it needs"),
    ]);
    for (status, description) in problems {
        let response = RefOr::T(problem(description));
        operation.responses.responses.entry(status.to_owned()).or_insert(response);
    }
    add_headers(operation, route);
}

/// What an answer that went well has besides its body.
fn add_headers(operation: &mut Operation, route: &Route) {
    let shows_state = route.method == "GET"
        && ROUTES.iter().any(|other| other.path == route.path && is_conditional(other));
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let mut add = |name: &str, description: &str| {
            let header = HeaderBuilder::new().schema(Some(text())).description(Some(description));
            response.headers.insert(name.to_owned(), RefOr::T(header.build()));
        };
        match status.as_str() {
            "200" if shows_state => add("ETag", "The state that is shown, for `If-Match`"),
            "201" => add("Location", "Where what was made is"),
            _ => {}
        }
    }
}

/// Whether a change has to say which state it was made from.
fn is_conditional(route: &Route) -> bool {
    let is_rules = route.path.ends_with("/deploy-rules");
    route.method == "PATCH" || (route.method == "PUT" && is_rules)
}

fn has_query(parameters: &[RefOr<utoipa::openapi::path::Parameter>]) -> bool {
    parameters.iter().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == ParameterIn::Query,
        RefOr::Ref(_) => false,
    })
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

fn text() -> Schema {
    ObjectBuilder::new().schema_type(Type::String).build().into()
}

/// What a part of an address looks like.
fn segment(name: &str) -> RefOr<Schema> {
    let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    match name {
        "account" => Ref::from_schema_name("AccountSlug").into(),
        "project" => Ref::from_schema_name("ProjectSlug").into(),
        "environment" => Ref::from_schema_name("EnvironmentName").into(),
        "key" | "token" => {
            let id = ObjectBuilder::new().schema_type(Type::String).format(Some(uuid));
            RefOr::T(id.build().into())
        }
        _ => RefOr::T(text()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::access::Verb;

    /// Whether a right is one that reads.
    fn reads(verb: Verb) -> bool {
        matches!(
            verb,
            Verb::Identify
                | Verb::ListProjects
                | Verb::ListKeys
                | Verb::ListTokens
                | Verb::Look
                | Verb::ReadVariables
                | Verb::LookAtAccount
                | Verb::Inspect
        )
    }

    #[test]
    fn the_document_has_every_route_and_no_other() {
        let document = document();
        let mut described = BTreeSet::new();
        for (path, item) in &document.paths.paths {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                if operation(&mut item.clone(), method).is_some() {
                    described.insert(format!("{method} {path}"));
                }
            }
        }
        let table = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path));
        assert_eq!(described, table.collect());
    }

    #[test]
    fn only_a_get_needs_a_right_that_reads() {
        for Route { method, path, verb } in ROUTES {
            assert_eq!(*method == "GET", reads(*verb), "{method} {path}");
        }
    }

    #[test]
    fn everything_that_the_document_refers_to_is_in_it() {
        let text = document().to_json().unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        for rest in text.split("\"$ref\":\"#").skip(1) {
            let pointer = rest.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
