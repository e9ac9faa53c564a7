//! Certificates of a buildkitd that asks for its clients'.

use std::io::{Error, Result};
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Reads `ca.pem`, `server.pem` and `server-key.pem` of a directory.
pub fn acceptor(directory: &Path) -> Result<TlsAcceptor> {
    let mut authority = RootCertStore::empty();
    for certificate in certificates(&directory.join("ca.pem"))? {
        authority.add(certificate).map_err(Error::other)?;
    }
    let clients =
        WebPkiClientVerifier::builder(Arc::new(authority)).build().map_err(Error::other)?;
    let key = directory.join("server-key.pem");
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| wrong(&key, error))?;
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(certificates(&directory.join("server.pem"))?, key)
        .map_err(Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(path, error))
}

fn wrong(path: &Path, error: impl std::fmt::Display) -> Error {
    Error::other(format!("{}: {error}", path.display()))
}
