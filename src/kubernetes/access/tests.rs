//! Accesses as people paste them.

use insta::assert_snapshot;

use super::*;

const CA: &str = include_str!("../../../tests/keys/cluster-ca.pem");
const CERTIFICATE: &str = include_str!("../../../tests/keys/cluster-client.pem");
const KEY: &str = include_str!("../../../tests/keys/cluster-client-key.pem");
const OTHER_KEY: &str = include_str!("../../../tests/keys/cluster-other-key.pem");

fn access(identity: Identity) -> Access {
    Access {
        address: "https://10.0.0.1:6443".to_owned(),
        namespace: "shop".to_owned(),
        credentials: Credentials { ca: Some(CA.to_owned()), identity },
        verification: Verification::On,
    }
}

fn pair(certificate: &str, key: &str) -> Access {
    access(Identity::Certificate { certificate: certificate.to_owned(), key: key.into() })
}

fn fault(access: &Access) -> String {
    access.check().unwrap_err().to_string()
}

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
         clusters: [{{name: c, cluster: {{server: 'https://c:6443', {cluster}}}}}]\n\
         contexts: [{{name: a, context: {{cluster: c, user: u, namespace: shop}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    )
}

fn refused(text: &str) -> String {
    Access::from_kubeconfig(text, None).unwrap_err().to_string()
}

fn encoded(text: &str) -> String {
    Base64::encode_string(text.as_bytes())
}

#[test]
fn a_usable_access_passes_and_shows_no_secret() {
    access(Identity::Nobody).check().unwrap();
    let token = access(Identity::Token("secret-token".into()));
    let pair = pair(CERTIFICATE, KEY);
    for access in [&token, &pair] {
        access.check().unwrap();
        access.config().unwrap();
        let shown = format!("{access:?}");
        assert!(!shown.contains("secret-token") && !shown.contains("PRIVATE KEY"), "{shown}");
    }
}

#[test]
fn each_part_is_checked() {
    let with = |change: fn(&mut Access)| {
        let mut access = access(Identity::Nobody);
        change(&mut access);
        fault(&access)
    };
    assert_snapshot!(with(|access| access.address = "http://c:6443".to_owned()), @"`http://c:6443` is not the address of a cluster's API: write it as https://host or https://host:port");
    assert_snapshot!(with(|access| access.address = "https://me:secret@c".to_owned()), @"`c` is not the address of a cluster's API: write it as https://host or https://host:port");
    assert_snapshot!(with(|access| access.namespace = "Shop".to_owned()), @"`Shop` is not a namespace: use up to 63 of a-z, 0-9 and -, with none at the ends");
    assert_snapshot!(with(|access| access.credentials.ca = Some("no".to_owned())), @"the CA certificate holds no certificate: paste it in PEM, from -----BEGIN CERTIFICATE----- on");
    assert_snapshot!(with(|access| access.credentials.ca = Some(CA.replace("MII", "XII"))), @"the CA certificate is damaged: paste the whole PEM, with its BEGIN and END lines");
    assert_snapshot!(fault(&access(Identity::Token("two words".into()))), @"the token holds spaces or line breaks: paste it as one word");
    assert_snapshot!(fault(&pair(KEY, KEY)), @"the client certificate holds no certificate: paste it in PEM, from -----BEGIN CERTIFICATE----- on");
    assert_snapshot!(fault(&pair(CERTIFICATE, "none")), @"the client key is none: paste it in PEM, as PKCS#8, PKCS#1 or SEC1 without a password");
    assert_snapshot!(fault(&pair(CERTIFICATE, OTHER_KEY)), @"the client key does not belong to the client certificate: paste the two of one pair");
}

#[test]
fn a_kubeconfig_is_read_with_everything_in_it() {
    let cluster = format!("certificate-authority-data: {}", encoded(CA));
    let user = format!(
        "client-certificate-data: {}, client-key-data: {}",
        encoded(CERTIFICATE),
        encoded(KEY)
    );
    let access = Access::from_kubeconfig(&kubeconfig(&cluster, &user), None).unwrap();
    assert_eq!((access.address.as_str(), access.namespace.as_str()), ("https://c:6443", "shop"));
    assert_eq!(access.credentials.ca.as_deref(), Some(CA));
    assert_eq!(access.verification, Verification::On);
    let Identity::Certificate { certificate, key } = access.credentials.identity else {
        panic!("a pair")
    };
    assert_eq!((certificate.as_str(), key.expose_secret()), (CERTIFICATE, KEY));

    let text = kubeconfig("insecure-skip-tls-verify: true", "token: abc");
    let access = Access::from_kubeconfig(&text, Some("a")).unwrap();
    assert!(
        matches!(access.credentials.identity, Identity::Token(token) if token.expose_secret() == "abc")
    );
    assert_eq!(access.verification, Verification::Off);
}

#[test]
fn what_a_kubeconfig_cannot_give_is_refused_with_its_reason() {
    assert_snapshot!(refused(&kubeconfig("", "exec: {command: aws, apiVersion: v1}")), @"the kubeconfig's exec plugin cannot be used: it runs a program of your machine; make a ServiceAccount and give its token");
    assert_snapshot!(refused(&kubeconfig("", "auth-provider: {name: gcp}")), @"the kubeconfig's auth provider cannot be used: Kubernetes removed them in 1.26; make a ServiceAccount and give its token");
    assert_snapshot!(refused(&kubeconfig("", "username: a, password: b")), @"the kubeconfig's username and password cannot be used: Kubernetes removed basic auth in 1.19; make a ServiceAccount and give its token");
    assert_snapshot!(refused(&kubeconfig("", "as: b, token: c")), @"the kubeconfig's `as` cannot be used: deployments are made as who signs in; sign in as that user");
    assert_snapshot!(refused(&kubeconfig("proxy-url: 'http://p'", "token: c")), @"the kubeconfig's proxy-url cannot be used: clusters are reached without a proxy; give a direct address");
    assert_snapshot!(refused(&kubeconfig("tls-server-name: k", "token: c")), @"the kubeconfig's tls-server-name cannot be used: a cluster is known by the name in its address; use an address that is in its certificate");
    assert_snapshot!(refused(&kubeconfig("certificate-authority: /etc/ca.pem", "token: c")), @"the kubeconfig names the file `/etc/ca.pem` in `certificate-authority`: bring its content as `certificate-authority-data`, as `kubectl config view --raw --flatten --minify` prints it");
    assert_snapshot!(refused(&kubeconfig("", "tokenFile: /run/token")), @"the kubeconfig names the file `/run/token` in `tokenFile`: bring its content as `token`");
    assert_snapshot!(refused(&kubeconfig("certificate-authority-data: '***'", "token: c")), @"the kubeconfig's `certificate-authority` is not base64: copy it again as a whole");
    assert_snapshot!(refused("kind: Config\nusers: [{name: u, user: {token: [secret]}}]\n"), @"this is not a kubeconfig (line 2): paste the whole file");
    assert_snapshot!(refused("hello"), @"this is not a kubeconfig (line 1): paste the whole file");
    assert_snapshot!(refused(&kubeconfig("", "token: c").replace("current-context: a", "")), @"the kubeconfig has no current context: name one of its contexts: a");
    assert_snapshot!(refused(&kubeconfig("", "token: c").replace("cluster: c,", "cluster: d,")), @"the kubeconfig has no cluster `d`: it has c");
    let other = Access::from_kubeconfig(&kubeconfig("", "token: c"), Some("b")).unwrap_err();
    assert_snapshot!(other, @"the kubeconfig has no context `b`: it has a");
}
