//! Services, ingresses and what runs by a schedule.

use std::net::SocketAddr;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::push::kubernetes::{CHECK, Harbour, RUNNER, serving};
use crate::support::PATIENCE;
use crate::support::certificate::{Shown, shown};
use crate::support::http::{body, say, status};

/// Where the ingress of a cluster for tests answers, without TLS and with it.
const INGRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 8081);
const SECURE_INGRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 8444);

const CERTIFICATE: &str = include_str!("../../../keys/cluster-client.pem");
const KEY: &str = include_str!("../../../keys/cluster-client-key.pem");

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("        {line}\n")).collect()
}

fn file(namespace: &str) -> String {
    format!(
        "paas: {{version: v1.1}}
images: {{runner: {{path: .}}}}
secrets:
  site:
    provider: map
    type: tls
    options:
      tls.crt: |
{}      tls.key: |
{}pods:
  web:
    containers: {{app: {{image: runner, listen: [8080, 8125, 8443], variables: {{RUN: {}}}, {CHECK}}}}}
  api:
    containers: {{app: {{image: runner, listen: [8080], variables: {{RUN: {}}}, {CHECK}}}}}
services:
  web: {{ports: [{{listen: 80, target: 8080}}]}}
  api: {{ports: [{{listen: 80, target: 8080}}]}}
  stats: {{pod: web, protocol: UDP, ports: [{{listen: 8125, target: 8125}}]}}
  vault: {{pod: web, protocol: HTTPS, ports: [{{listen: 443, target: 8443}}]}}
ingresses:
  site:
    host: {namespace}.example
    aliases: [www.{namespace}.example]
    tls: {{secret: site}}
    service: {{name: web, port: 80}}
    paths: [{{path: /api, service: {{name: api, port: 80}}}}]
jobs:
  nightly:
    schedule: '15 2 * * *'
    pods: {{dump: {{containers: {{app: {{image: runner, variables: {{RUN: 'true'}}}}}}}}}}
",
        indented(CERTIFICATE),
        indented(KEY),
        serving("web"),
        serving("api").replace("/www/", "/www/api/").replace("/www;", "/www/api; echo > /www/index.html;"),
    )
}

#[tokio::test]
async fn services_ingresses_and_schedules_are_what_the_file_says() {
    let Some(harbour) = Harbour::open("entrances").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    copy.write("Dockerfile", RUNNER);
    let namespace = harbour.ground.namespace.clone();
    copy.write(".paas.yaml", &file(&namespace));
    let push = harbour.push(&copy, "First").await;
    push.assert_ok().assert_says(&format!("https://{namespace}.example"));
    assert_eq!(harbour.ask("web:80", "/").await, Ok("web".to_owned()));

    let stats = harbour.object("v1", "Service", "stats").await;
    let port = &stats["spec"]["ports"][0];
    assert_eq!((&port["protocol"], &port["port"]), (&json!("UDP"), &json!(8125)));
    let vault = harbour.object("v1", "Service", "vault").await;
    let port = &vault["spec"]["ports"][0];
    assert_eq!((&port["protocol"], &port["appProtocol"]), (&json!("TCP"), &json!("https")));
    assert_eq!(port["name"], "https-vault-443");
    let nightly = harbour.object("batch/v1", "CronJob", "nightly-dump-cronjob").await;
    assert_eq!(nightly["spec"]["schedule"], "15 2 * * *");
    let site = harbour.object("networking.k8s.io/v1", "Ingress", "site-ingress").await;
    let hosts = [format!("{namespace}.example"), format!("www.{namespace}.example")];
    assert_eq!(site["spec"]["tls"], json!([{"hosts": hosts, "secretName": "site-secret"}]));

    let address = SocketAddr::from(INGRESS);
    if TcpStream::connect(address).await.is_ok() {
        let own = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        for host in &hosts {
            let deadline = Instant::now() + PATIENCE;
            loop {
                let request =
                    format!("GET /api/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                let Shown { certificate, answer } =
                    shown(SECURE_INGRESS.into(), host, request).await;
                if certificate.as_ref() == Some(&own) && status(&answer) == 200 {
                    assert!(body(&answer).contains("api"), "{host}: {answer}");
                    break;
                }
                assert!(Instant::now() < deadline, "{host}: {certificate:?} {answer}");
            }
            for (path, said) in [("/", "web"), ("/api/", "api")] {
                let deadline = Instant::now() + PATIENCE;
                loop {
                    let request =
                        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                    let answer = say(address, request).await;
                    if status(&answer) == 200 && body(&answer).contains(said) {
                        break;
                    }
                    assert!(Instant::now() < deadline, "{host}{path}: {answer}");
                }
            }
        }
    }
    harbour.close().await;
}
