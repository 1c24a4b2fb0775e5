//! The certificate that a server shows for a name, and what it answers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, StreamOwned,
};

/// What a server showed and said.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) certificate: Option<CertificateDer<'static>>,
    pub(crate) answer: String,
}

/// Takes every certificate for good, if the server has its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Sends these bytes over TLS to a server that is asked for by a name, and reads until it closes.
pub(crate) async fn shown(address: SocketAddr, name: &str, bytes: String) -> Shown {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let asked = tokio::task::spawn_blocking(move || ask(address, name, &bytes));
    asked.await.expect("nothing panics there")
}

fn ask(address: SocketAddr, name: ServerName<'static>, bytes: &str) -> Shown {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let mut answer = Vec::new();
    // A server without a certificate for the name ends the handshake, which is an answer too.
    let said = stream.write_all(bytes.as_bytes());
    drop(said.and_then(|()| stream.read_to_end(&mut answer)));
    let certificate = stream.conn.peer_certificates().and_then(<[_]>::first);
    Shown {
        certificate: certificate.map(|certificate| certificate.clone().into_owned()),
        answer: String::from_utf8_lossy(&answer).into_owned(),
    }
}
