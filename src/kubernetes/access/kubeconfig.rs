//! What a kubeconfig says, as far as it can be kept by somebody else.

use base64ct::{Base64, Encoding as _};
use kube::config::Kubeconfig;
use kube::config::{AuthInfo, Cluster, KubeconfigError};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::cluster::{Credentials, Identity};
use crate::kubernetes::access::{Access, AccessError, Verification};

/// Namespace of a context that names none.
const DEFAULT_NAMESPACE: &str = "default";

/// Reads one context of it, or the current one.
pub(super) fn read(text: &str, context: Option<&str>) -> Result<Access, AccessError> {
    let file = Kubeconfig::from_yaml(text).map_err(|error| not_one(&error))?;
    let names: Vec<_> = file.contexts.iter().map(|context| context.name.clone()).collect();
    if names.is_empty() && file.clusters.is_empty() {
        return Err(AccessError::Kubeconfig { line: None });
    }
    let name = context.map(str::to_owned).or(file.current_context).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| AccessError::NoContext(names.clone()))?;
    let context = file.contexts.into_iter().find(|context| context.name == name);
    let context = context
        .and_then(|context| context.context)
        .ok_or_else(|| unknown("context", &name, names))?;

    let names = file.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    let cluster = file.clusters.into_iter().find(|cluster| cluster.name == context.cluster);
    let cluster = cluster
        .and_then(|cluster| cluster.cluster)
        .ok_or_else(|| unknown("cluster", &context.cluster, names))?;

    let identity = match context.user.filter(|user| !user.is_empty()) {
        None => Identity::Nobody,
        Some(user) => {
            let names = file.auth_infos.iter().map(|info| info.name.clone()).collect();
            let info = file.auth_infos.into_iter().find(|info| info.name == user);
            let info = info
                .and_then(|info| info.auth_info)
                .ok_or_else(|| unknown("user", &user, names))?;
            identity(info)?
        }
    };
    let namespace = context.namespace.filter(|namespace| !namespace.is_empty());
    Ok(Access {
        namespace: namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
        credentials: Credentials { ca: authority(&cluster)?, identity },
        verification: match cluster.insecure_skip_tls_verify {
            Some(true) => Verification::Off,
            Some(false) | None => Verification::On,
        },
        address: cluster.server.ok_or(AccessError::NoServer(context.cluster))?,
    })
}

/// Only where it went wrong: the words of the parser quote the file, and its secrets.
fn not_one(error: &KubeconfigError) -> AccessError {
    let line = if let KubeconfigError::Parse(error) = error {
        error.location().and_then(|place| usize::try_from(place.line()).ok())
    } else {
        None
    };
    AccessError::Kubeconfig { line: line.filter(|line| *line > 0) }
}

fn unknown(what: &'static str, name: &str, known: Vec<String>) -> AccessError {
    AccessError::Unknown { what, name: name.to_owned(), known }
}

fn authority(cluster: &Cluster) -> Result<Option<String>, AccessError> {
    let unsupported = |what, why| Err(AccessError::Unsupported { what, why });
    if cluster.proxy_url.is_some() {
        return unsupported(
            "proxy-url",
            "clusters are reached without a proxy; give a direct address",
        );
    }
    if cluster.tls_server_name.is_some() {
        return unsupported(
            "tls-server-name",
            "a cluster is known by the name in its address; use an address that is in its certificate",
        );
    }
    content(
        "certificate-authority",
        cluster.certificate_authority.as_deref(),
        cluster.certificate_authority_data.as_deref(),
    )
}

fn identity(info: AuthInfo) -> Result<Identity, AccessError> {
    let unsupported = |what, why| Err(AccessError::Unsupported { what, why });
    if info.exec.is_some() {
        return unsupported(
            "exec plugin",
            "it runs a program of your machine; make a ServiceAccount and give its token",
        );
    }
    if info.auth_provider.is_some() {
        return unsupported(
            "auth provider",
            "Kubernetes removed them in 1.26; make a ServiceAccount and give its token",
        );
    }
    if info.username.is_some() || info.password.is_some() {
        return unsupported(
            "username and password",
            "Kubernetes removed basic auth in 1.19; make a ServiceAccount and give its token",
        );
    }
    if info.impersonate.is_some() {
        return unsupported("`as`", "deployments are made as who signs in; sign in as that user");
    }
    let is_set = |text: &SecretString| !text.expose_secret().is_empty();
    if let Some(token) = info.token.filter(is_set) {
        return Ok(Identity::Token(token));
    }
    if let Some(path) = info.token_file {
        return Err(AccessError::File { field: "tokenFile", path, instead: "`token`".to_owned() });
    }
    let key_data = info.client_key_data.as_ref().map(ExposeSecret::expose_secret);
    let certificate = content(
        "client-certificate",
        info.client_certificate.as_deref(),
        info.client_certificate_data.as_deref(),
    )?;
    let key = content("client-key", info.client_key.as_deref(), key_data)?;
    Ok(match (certificate, key) {
        (None, None) => Identity::Nobody,
        (certificate, key) => Identity::Certificate {
            certificate: certificate.unwrap_or_default(),
            key: key.unwrap_or_default().into(),
        },
    })
}

/// What is in a field, given as text and not as the path of a file.
fn content(
    field: &'static str,
    path: Option<&str>,
    data: Option<&str>,
) -> Result<Option<String>, AccessError> {
    match (data.filter(|data| !data.is_empty()), path.filter(|path| !path.is_empty())) {
        (Some(data), _) => {
            let data: String = data.split_ascii_whitespace().collect();
            let bytes =
                Base64::decode_vec(&data).map_err(|_no_base64| AccessError::NotBase64(field))?;
            let text =
                String::from_utf8(bytes).map_err(|_no_text| AccessError::NotBase64(field))?;
            Ok(Some(text))
        }
        (None, Some(path)) => {
            let instead = format!(
                "`{field}-data`, as `kubectl config view --raw --flatten --minify` prints it"
            );
            Err(AccessError::File { field, path: path.to_owned(), instead })
        }
        (None, None) => Ok(None),
    }
}
