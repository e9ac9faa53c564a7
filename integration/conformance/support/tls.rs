//! TLS in front of an engine's socket, with an authority of its own.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Takes nobody without a certificate of its authority.
pub struct TlsRelay {
    /// `127.0.0.1:PORT`.
    pub address: String,
    issuer: Issuer<'static, KeyPair>,
    authority: String,
}

fn dated(name: &str, years: (i32, i32)) -> CertificateParams {
    let mut parameters = CertificateParams::new(vec![name.to_string()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    parameters
}

impl TlsRelay {
    pub fn start(engine: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = dated("authority", (2020, 2090));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&key).unwrap();
        let issuer = Issuer::new(parameters, key);

        let key = KeyPair::generate().unwrap();
        let certificate = dated("127.0.0.1", (2020, 2090)).signed_by(&key, &issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
            )
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let engine = engine.to_path_buf();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                listener.set_nonblocking(true).unwrap();
                let listener = TcpListener::from_std(listener).unwrap();
                let acceptor = TlsAcceptor::from(Arc::new(config));
                while let Ok((client, _)) = listener.accept().await {
                    let (acceptor, engine) = (acceptor.clone(), engine.clone());
                    tokio::spawn(async move {
                        let mut client = acceptor.accept(client).await?;
                        let mut server = UnixStream::connect(engine).await?;
                        tokio::io::copy_bidirectional(&mut client, &mut server).await
                    });
                }
            });
        });
        Self { address, issuer, authority: authority.pem() }
    }

    /// Writes `ca.pem`, and a client's `cert.pem` and `key.pem`.
    pub fn client(&self, directory: &Path, years: (i32, i32)) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = dated("client", years);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(directory.join("ca.pem"), &self.authority).unwrap();
        std::fs::write(directory.join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
    }
}
