//! TLS towards an engine: whom to trust and what to show, checked before anything is dialled.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::certificate::validity;
use super::unverified::Anybody;

/// A file of a TLS endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds nothing of the kind.
    #[error("{} holds no {what} in PEM form", path.display())]
    Nothing {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A pass phrase would be needed.
    #[error("the private key in {} is encrypted, which is not supported", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// Its time is over.
    #[error("the certificate in {} expired on {since}", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// RFC 3339.
        since: String,
    },
    /// Its time has not come.
    #[error("the certificate in {} is not valid before {from}", path.display())]
    Early {
        /// The file.
        path: PathBuf,
        /// RFC 3339.
        from: String,
    },
    /// Only one half of a pair is there.
    #[error("{} is there and {} is not: a client certificate needs both", there.display(), missing.display())]
    Half {
        /// The half that is there.
        there: PathBuf,
        /// The other one.
        missing: PathBuf,
    },
    /// The halves do not belong together, or are of a kind that cannot be used.
    #[error("{} and {} cannot be used together: {reason}", cert.display(), key.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        reason: String,
    },
    /// The machine trusts nobody.
    #[error("there is no ca.pem, and this machine has no certificate authorities of its own")]
    NoRoots,
}

/// What TLS is made with; a path that is given names a file that must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Authorities that the engine's certificate may be signed by; without it, the machine's.
    pub ca: Option<PathBuf>,
    /// The client's certificate.
    pub cert: Option<PathBuf>,
    /// The client's private key.
    pub key: Option<PathBuf>,
    /// The name that the engine's certificate must bear, if it is not the address.
    pub server_name: Option<String>,
    /// Whether HTTP/2 is spoken from the first byte: a buildkitd wants to hear so beforehand.
    pub http2: bool,
    /// Whether any certificate will do (`DOCKER_TLS` without `DOCKER_TLS_VERIFY`).
    pub skip_verify: bool,
}

/// TLS that is ready to be used.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    config: Arc<ClientConfig>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.files.fmt(f)
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}
impl Eq for Tls {}

impl Tls {
    /// Reads the files and checks what can be checked without the engine.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|_| TlsError::NoRoots)?;
        let builder = if files.skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody::new(&provider)))
        } else {
            let roots = Arc::new(roots(files.ca.as_deref())?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
                .build()
                .map_err(|_| TlsError::NoRoots)?;
            builder.with_webpki_verifier(verifier)
        };
        let mut config = match pair(&files)? {
            None => builder.with_no_client_auth(),
            Some((cert, key)) => {
                let certificates = certificates(cert)?;
                if let Some(leaf) = certificates.first() {
                    check_dates(leaf, cert)?;
                }
                let private = private_key(key)?;
                builder.with_client_auth_cert(certificates, private).map_err(|error| {
                    TlsError::Mismatch {
                        cert: cert.to_path_buf(),
                        key: key.to_path_buf(),
                        reason: words(&error),
                    }
                })?
            }
        };
        if files.http2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        Ok(Self { files, config: Arc::new(config) })
    }

    /// Shakes hands over an open connection to `address`, `host:port`.
    pub(super) async fn wrap(
        &self,
        stream: TcpStream,
        address: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = self.files.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(host.to_string()).map_err(std::io::Error::other)?;
        let connector = TlsConnector::from(self.config.clone());
        connector.connect(name, stream).await.map_err(|error| self.explain(error, host))
    }

    /// Says what is wrong in words that name the file to look at.
    fn explain(&self, error: std::io::Error, host: &str) -> std::io::Error {
        use rustls::{CertificateError as Bad, Error};
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        let trusted = self
            .files
            .ca
            .as_deref()
            .map_or("this machine's authorities".into(), |ca| ca.display().to_string());
        let words = match inner {
            Some(Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. })) => {
                format!("the engine's own certificate expired; it was shown by {host}")
            }
            Some(Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature)) => {
                format!("the certificate of {host} is signed by none of those in {trusted}")
            }
            Some(Error::InvalidCertificate(
                Bad::NotValidForName | Bad::NotValidForNameContext { .. },
            )) => format!("the certificate that was shown is not one of {host}"),
            Some(Error::InvalidMessage(_)) => {
                format!("{host} does not speak TLS; is DOCKER_TLS_VERIFY set by mistake?")
            }
            Some(other) => format!("TLS with {host} failed: {other}"),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                format!("{host} hung up during the TLS handshake")
            }
            None => return error,
        };
        std::io::Error::new(error.kind(), words)
    }
}

/// The client's certificate and key, if there are any.
fn pair(files: &TlsFiles) -> Result<Option<(&Path, &Path)>, TlsError> {
    let half = |there: &Path, missing: &str| TlsError::Half {
        there: there.to_path_buf(),
        missing: there.with_file_name(missing),
    };
    match (files.cert.as_deref(), files.key.as_deref()) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some((cert, key))),
        (Some(cert), None) => Err(half(cert, "key.pem")),
        (None, Some(key)) => Err(half(key, "cert.pem")),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) };
    };
    let certificates = certificates(path)?;
    // One that is good is enough: bundles keep their dead.
    let mut dates = certificates.iter().map(|certificate| check_dates(certificate, path));
    if let Some(Err(error)) = dates.next()
        && dates.all(|checked| checked.is_err())
    {
        return Err(error);
    }
    roots.add_parsable_certificates(certificates);
    if roots.is_empty() {
        return Err(TlsError::Nothing { path: path.to_path_buf(), what: "certificate" });
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let bytes = std::fs::read(path);
    bytes.map(Zeroizing::new).map_err(|source| TlsError::Read { path: path.to_path_buf(), source })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(TlsError::Nothing { path: path.to_path_buf(), what: "certificate" }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = read(path)?;
    // Either kind of encryption says so in its header.
    let encrypted =
        |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains("ENCRYPTED"));
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        if pem.lines().any(|line| encrypted(&line)) {
            TlsError::Encrypted { path: path.to_path_buf() }
        } else {
            TlsError::Nothing { path: path.to_path_buf(), what: "private key" }
        }
    })
}

fn check_dates(certificate: &CertificateDer<'_>, path: &Path) -> Result<(), TlsError> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    // What cannot be read here is for the handshake to judge.
    let Some(dates) = validity(certificate) else { return Ok(()) };
    if dates.not_after < now {
        return Err(TlsError::Expired { path: path.to_path_buf(), since: date(dates.not_after) });
    }
    if dates.not_before > now {
        return Err(TlsError::Early { path: path.to_path_buf(), from: date(dates.not_before) });
    }
    Ok(())
}

fn date(seconds: i64) -> String {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    SystemTime::UNIX_EPOCH
        .checked_add(since)
        .map_or_else(String::new, |at| humantime::format_rfc3339_seconds(at).to_string())
}

fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "the key is not the certificate's".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
