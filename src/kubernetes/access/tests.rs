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
        authority: Some(CA.to_owned()),
        identity,
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
    access(Identity::Anonymous).check().unwrap();
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
        let mut access = access(Identity::Anonymous);
        change(&mut access);
        fault(&access)
    };
    assert_snapshot!(with(|access| access.address = "http://c:6443".to_owned()), @"`http://c:6443` is not the address of a cluster's API: write it as https://host or https://host:port");
    assert_snapshot!(with(|access| access.address = "https://me:secret@c".to_owned()), @"");
    assert_snapshot!(with(|access| access.namespace = "Shop".to_owned()), @"");
    assert_snapshot!(with(|access| access.authority = Some("no".to_owned())), @"");
    assert_snapshot!(with(|access| access.authority = Some(CA.replace("MII", "XII"))), @"");
    assert_snapshot!(fault(&access(Identity::Token("two words".into()))), @"");
    assert_snapshot!(fault(&pair(KEY, KEY)), @"");
    assert_snapshot!(fault(&pair(CERTIFICATE, "none")), @"");
    assert_snapshot!(fault(&pair(CERTIFICATE, OTHER_KEY)), @"");
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
    assert_eq!(access.authority.as_deref(), Some(CA));
    assert_eq!(access.verification, Verification::On);
    let Identity::Certificate { certificate, key } = access.identity else { panic!("a pair") };
    assert_eq!((certificate.as_str(), key.expose_secret()), (CERTIFICATE, KEY));

    let text = kubeconfig("insecure-skip-tls-verify: true", "token: abc");
    let access = Access::from_kubeconfig(&text, Some("a")).unwrap();
    assert!(matches!(access.identity, Identity::Token(token) if token.expose_secret() == "abc"));
    assert_eq!(access.verification, Verification::Off);
}

#[test]
fn what_a_kubeconfig_cannot_give_is_refused_with_its_reason() {
    assert_snapshot!(refused(&kubeconfig("", "exec: {command: aws, apiVersion: v1}")), @"");
    assert_snapshot!(refused(&kubeconfig("", "auth-provider: {name: gcp}")), @"");
    assert_snapshot!(refused(&kubeconfig("", "username: a, password: b")), @"");
    assert_snapshot!(refused(&kubeconfig("", "as: b, token: c")), @"");
    assert_snapshot!(refused(&kubeconfig("proxy-url: 'http://p'", "token: c")), @"");
    assert_snapshot!(refused(&kubeconfig("tls-server-name: k", "token: c")), @"");
    assert_snapshot!(refused(&kubeconfig("certificate-authority: /etc/ca.pem", "token: c")), @"");
    assert_snapshot!(refused(&kubeconfig("", "tokenFile: /run/token")), @"");
    assert_snapshot!(refused(&kubeconfig("certificate-authority-data: '***'", "token: c")), @"");
    assert_snapshot!(refused("kind: Config\nusers: [{name: u, user: {token: [secret]}}]\n"), @"");
    assert_snapshot!(refused("hello"), @"");
    assert_snapshot!(refused(&kubeconfig("", "token: c").replace("current-context: a", "")), @"");
    assert_snapshot!(refused(&kubeconfig("", "token: c").replace("cluster: c,", "cluster: d,")), @"");
    let other = Access::from_kubeconfig(&kubeconfig("", "token: c"), Some("b")).unwrap_err();
    assert_snapshot!(other, @"");
}
