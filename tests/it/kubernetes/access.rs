//! Who may not come in, or may not do everything, is told what is missing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, DeleteParams, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use pierhead::domain::cluster::Identity;
use pierhead::domain::level::Level;
use pierhead::kubernetes::{Access, Cluster, Connection, Error, Extra, Limits, ObjectRef};
use serde_json::{Value, json};

use crate::kubernetes::{Ground, map, options};

const ROLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kubernetes-role.yaml");

/// Objects of the whole cluster, removed when dropped.
struct Granted<'g> {
    ground: &'g Ground,
    names: Vec<ObjectRef>,
}

impl Ground {
    async fn refused(&self, change: impl FnOnce(&mut Access)) -> String {
        let mut access = self.access.clone();
        change(&mut access);
        let limits = Limits { patience: Duration::from_secs(1), ..Limits::default() };
        let cluster = Cluster::connect(&access, limits).unwrap();
        let error = cluster.version().await.unwrap_err().to_string();
        error.replace(&access.address, "[address]")
    }

    /// Signs in as an account of the namespace.
    async fn signed_in_as(&self, account: &str) -> Cluster {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin.clone(), &self.namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec { audiences: Vec::new(), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let token = accounts.create_token_request(account, &PostParams::default(), &request).await;
        let token = token.unwrap().status.unwrap().token;
        let mut access = self.access.clone();
        access.credentials.identity = Identity::Token(token.into());
        Cluster::connect(&access, Limits::default()).unwrap()
    }
}

fn cluster_api(ground: &Ground, name: &ObjectRef) -> Api<DynamicObject> {
    let (group, version) = name.api_version.split_once('/').unwrap();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &name.kind));
    Api::all_with(ground.admin.clone(), &resource)
}

impl<'g> Granted<'g> {
    /// Applies the documented role, in the test's namespace and under its name.
    async fn role(ground: &'g Ground) -> Self {
        let text = fs::read_to_string(Path::new(ROLE)).unwrap();
        let text = text.replace("namespace: shop", &format!("namespace: {}", ground.namespace));
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let mut granted = Self { ground, names: Vec::new() };
        for mut document in documents {
            if document["kind"].as_str().unwrap().starts_with("Cluster") {
                for path in ["/metadata/name", "/roleRef/name"] {
                    if let Some(name) = document.pointer_mut(path) {
                        *name = ground.namespace.clone().into();
                    }
                }
                let name = ObjectRef::of(&document);
                let object: DynamicObject = serde_json::from_value(document).unwrap();
                cluster_api(ground, &name).create(&PostParams::default(), &object).await.unwrap();
                granted.names.push(name);
            } else {
                ground.create(document).await;
            }
        }
        granted
    }

    async fn take_back(self) {
        for name in &self.names {
            let api = cluster_api(self.ground, name);
            api.delete(&name.name, &DeleteParams::default()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_access_is_told() {
    let Some(ground) = Ground::open("access").await else { return };
    let other = include_str!("../../keys/cluster-ca.pem");
    let wrong = ground.refused(|access| access.credentials.ca = Some(other.to_owned())).await;
    assert_snapshot!(wrong, @"the cluster at [address] cannot prove who it is: another CA issued its certificate; store the CA certificate that its kubeconfig holds");
    let token =
        ground.refused(|access| access.credentials.identity = Identity::Token("old".into())).await;
    assert_snapshot!(token, @"the cluster at [address] does not accept who signs in: the token or client certificate is wrong, revoked or has run out; store a new one");
    let away = ground.refused(|access| access.address = "https://127.0.0.1:9".to_owned()).await;
    assert_snapshot!(away, @"the cluster at [address] does not answer: connection refused; see that it runs, and that this machine may connect to it");
}

#[tokio::test]
async fn the_documented_role_is_all_that_is_needed() {
    let Some(ground) = Ground::open("role").await else { return };
    let granted = Granted::role(&ground).await;
    let cluster = ground.signed_in_as("pierhead").await;
    let tested = cluster.test_connection(&[]).await;
    let with_extras = cluster.test_connection(&[Extra::CreateNamespaces]).await;
    let applied = cluster.apply(&map("settings-map", json!({})), &options()).await;
    let classes = cluster.ingress_classes().await;
    granted.take_back().await;
    let Connection { level, has_namespace, missing } = tested.unwrap();
    assert!(level >= Some(Level::OLDEST) && has_namespace);
    assert_eq!(missing, []);
    let missing = with_extras.unwrap().missing;
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["create namespaces in the whole cluster"]);
    applied.unwrap();
    classes.unwrap();
}

#[tokio::test]
async fn everything_that_is_missing_is_listed() {
    let Some(ground) = Ground::open("rights").await else { return };
    ground
        .create(
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody"}}),
        )
        .await;
    let cluster = ground.signed_in_as("nobody").await;
    let connection = cluster.test_connection(&[]).await.unwrap();
    assert_eq!(connection.missing.len(), pierhead::kubernetes::needed("x", &[]).len());
    let named = format!("create deployments.apps in namespace {}", ground.namespace);
    assert!(connection.missing.iter().any(|right| right.to_string() == named));
    let error = cluster.apply(&map("settings-map", json!({})), &options()).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "no permission to get configmaps in namespace {}: grant it, as docs/kubernetes-role.yaml does",
            ground.namespace
        )
    );
}
