//! Credentials, services and ingresses.

use base64ct::{Base64, Encoding as _};
use secrecy::SecretString;
use serde_json::json;

use super::*;
use crate::domain::registry::RegistryLogin;
use crate::manifests::{CertManager, Flavour, IssuerKind};
use crate::paas::compiled::{Backend, PathRule};

#[test]
fn credentials_go_under_every_name_that_pods_ask_for() {
    let mut mine = web();
    mine.oci_registry_config_name = Val::Text("pull".to_owned());
    let mut theirs = Pod::new("api", vec![container("api")]);
    theirs.oci_registry_config_name = Val::Text("mirror-secret".to_owned());
    let mut scene = Scene::new(vec![mine, theirs]);
    let auths = [(".dockerconfigjson", "{}")];
    scene.deployment.secrets.push(secret("mirror", "kubernetes.io/dockerconfigjson", &auths));
    assert_eq!(scene.names()[0], "Secret mirror-secret");
    scene.registry = Some(Registry {
        address: "docker.io/acme".parse().unwrap(),
        login: Some(RegistryLogin {
            username: "acme".to_owned(),
            password: SecretString::from("hunter2"),
        }),
        plain_http: false,
    });
    assert_eq!(scene.names()[..2], ["Secret pull", "Secret mirror-secret"]);
    let pull = scene.get("pull");
    assert_eq!((pull.is_put_back(), pull.yields()), (false, true));
    let data = pull.object.value()["data"][".dockerconfigjson"].as_str().unwrap();
    let data = String::from_utf8(Base64::decode_vec(data).unwrap()).unwrap();
    assert_eq!(
        data,
        r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YWNtZTpodW50ZXIy","password":"hunter2","username":"acme"}}}"#
    );
    let named = scene.at("web-dplmt", &format!("{POD}/imagePullSecrets"));
    assert_eq!(named, json!([{"name": "pull"}]));
}

#[test]
fn controllers_are_told_of_services_that_speak_tls() {
    let mut scene = Scene::new(vec![web()]);
    scene.deployment.services = vec![
        service("vault", "web", Protocol::Https, &[(443, 80)]),
        service("site", "web", Protocol::Tcp, &[(80, 80)]),
    ];
    let mut ingress = Ingress::new("site", "shop.example");
    ingress.default_service = Some(Backend { name: "vault".to_owned(), port: 443 });
    let rule = PathRule { path: "/site".to_owned(), service: "site".to_owned(), port: 80 };
    ingress.paths.push(rule);
    ingress.provider = Some("edge".to_owned());
    scene.deployment.ingresses.push(ingress);
    let told = |scene: &Scene| {
        let annotations = |name: &str| scene.at(name, "/metadata/annotations").to_string();
        let notes = scene.render().unwrap().notes;
        let notes: Vec<_> = notes.iter().map(ToString::to_string).collect();
        let names = ["site-ingress", "vault", "site"].map(annotations);
        format!("{} | {}", names.join(" "), notes.join(", "))
    };
    let mut all = format!("unknown: {}\n", told(&scene));
    for controller in [
        "k8s.io/ingress-nginx",
        "traefik.io/ingress-controller",
        "k8s.io/ingress-gce",
        "projectcontour.io/contour",
        "nginx.org/ingress-controller",
    ] {
        scene.target.controllers = [("edge".to_owned(), controller.to_owned())].into();
        for https_backend in [false, true] {
            scene.deployment.ingresses[0].https_backend = https_backend;
            all.push_str(&format!("{controller} {https_backend}: {}\n", told(&scene)));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn an_ingress_without_a_class_is_for_the_controller_of_the_cluster_s_default() {
    let mut scene = Scene::new(vec![web()]);
    scene.deployment.services = vec![service("vault", "web", Protocol::Tcp, &[(443, 80)])];
    let mut ingress = Ingress::new("site", "shop.example");
    ingress.default_service = Some(Backend { name: "vault".to_owned(), port: 443 });
    ingress.https_backend = true;
    scene.deployment.ingresses.push(ingress);
    let nginx = "k8s.io/ingress-nginx".to_owned();
    scene.target.controllers = [("edge".to_owned(), nginx)].into();
    let told = |scene: &Scene| {
        let is_noted = !scene.render().unwrap().notes.is_empty();
        (scene.at("site-ingress", "/metadata/annotations"), is_noted)
    };
    assert_eq!(told(&scene), (Json::Null, true));
    scene.target.default_class = Some("edge".to_owned());
    let by_nginx = json!({"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"});
    assert_eq!(told(&scene), (by_nginx, false));
    assert_eq!(scene.at("site-ingress", "/spec/ingressClassName"), Json::Null);
    scene.target.default_class = Some("inner".to_owned());
    scene.settings.ingress.flavours = [("inner".to_owned(), Flavour::NginxInc)].into();
    assert_eq!(told(&scene), (json!({"nginx.org/ssl-services": "vault"}), false));
    scene.settings.ingress.default_class = Some("other".to_owned());
    assert_eq!(told(&scene), (Json::Null, true), "the operator's default goes first");
}

#[test]
fn certificates_are_issued_unless_the_file_has_one() {
    let mut ingress = Ingress::new("site", "shop.example");
    let on = ("letsencrypt".to_owned(), Value::Bool(true));
    ingress.meta = Value::Mapping(IndexMap::from([on]));
    let mut scene = Scene::new(vec![web()]);
    scene.deployment.ingresses.push(ingress);
    let notes = scene.render().unwrap().notes;
    assert_eq!(
        notes[0].to_string(),
        "ingresses.site: nobody issues its certificate: this platform has no issuer"
    );
    scene.settings.ingress.cert_manager =
        Some(CertManager { kind: IssuerKind::Issuer, name: "le".to_owned() });
    let told = |scene: &Scene| {
        let annotations = scene.at("site-ingress", "/metadata/annotations");
        (annotations, scene.at("site-ingress", "/spec/tls/0/secretName"))
    };
    let issued = json!({"cert-manager.io/issuer": "le"});
    assert_eq!(told(&scene), (issued.clone(), json!("site-tls")));
    scene.deployment.ingresses[0].tls_secret = Some("cert".to_owned());
    assert_eq!(told(&scene), (issued, json!("cert-secret")));
    let pair = [("tls.crt", ""), ("tls.key", "")];
    scene.deployment.secrets.push(secret("cert", "tls", &pair));
    assert_eq!(told(&scene), (Json::Null, json!("cert-secret")));
    assert_eq!(
        scene.at("site-ingress", "/spec/rules"),
        json!([{"host": "shop.example"}]),
        "nobody answers"
    );
}
