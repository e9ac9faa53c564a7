use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::engine::Endpoint;

/// An authority, and a directory as `DOCKER_CERT_PATH` names one.
struct Authority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

type Years = (i32, i32);
const NOW: Years = (2020, 2090);
const PAST: Years = (2001, 2002);
const FUTURE: Years = (2080, 2090);

fn dated(names: &[&str], years: Years) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut parameters = CertificateParams::new(names).unwrap();
    parameters.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    parameters
}

impl Authority {
    fn new(years: Years) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = dated(&[], years);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        let authority = Self {
            directory: tempfile::tempdir().unwrap(),
            issuer: Issuer::new(parameters, key),
            certificate: certificate.der().clone(),
        };
        authority.write("ca.pem", &certificate.pem());
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Signs `cert.pem` and writes it with its `key.pem`.
    fn client(&self, years: Years) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = dated(&["client"], years);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        self.write("cert.pem", &certificate.pem());
        self.write("key.pem", &key.serialize_pem());
    }

    fn files(&self) -> TlsFiles {
        let file = |name: &str| Some(self.path(name)).filter(|path| path.exists());
        let (ca, cert, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
        TlsFiles { ca, cert, key, ..TlsFiles::default() }
    }

    /// A server that greets whoever it believes; its address.
    async fn server(&self, names: &[&str], years: Years, wants_client: bool) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = dated(names, years).signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if wants_client {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"hello").await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        address
    }
}

/// What the server says, or what went wrong.
async fn greeting(address: &str, files: TlsFiles) -> Result<String, String> {
    let tls = Tls::load(files).map_err(|error| error.to_string())?;
    let endpoint = Endpoint::Tcp(address.into()).with_tls(tls);
    let mut io = endpoint.dial().await.map_err(|error| error.to_string())?;
    let mut text = String::new();
    io.read_to_string(&mut text).await.map_err(|error| error.to_string())?;
    Ok(text)
}

#[tokio::test]
async fn both_sides_show_what_they_are() {
    let authority = Authority::new(NOW);
    authority.client(NOW);
    let address = authority.server(&["127.0.0.1"], NOW, true).await;
    assert_eq!(greeting(&address, authority.files()).await.unwrap(), "hello");
    let without = TlsFiles { cert: None, key: None, ..authority.files() };
    let refused = greeting(&address, without).await.unwrap_err();
    assert!(refused.contains("CertificateRequired"), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_somebody_else_is_not_believed() {
    let (ours, theirs) = (Authority::new(NOW), Authority::new(NOW));
    let address = theirs.server(&["127.0.0.1"], NOW, false).await;
    let error = greeting(&address, ours.files()).await.unwrap_err();
    assert!(error.contains("signed by none") && error.contains("ca.pem"), "{error}");
    let careless = TlsFiles { ca: None, skip_verify: true, ..TlsFiles::default() };
    assert_eq!(greeting(&address, careless.clone()).await.unwrap(), "hello");

    let address = theirs.server(&["elsewhere.example"], NOW, false).await;
    let error = greeting(&address, theirs.files()).await.unwrap_err();
    assert!(error.contains("not one of 127.0.0.1"), "{error}");
    let named = TlsFiles { server_name: Some("elsewhere.example".into()), ..theirs.files() };
    assert_eq!(greeting(&address, named).await.unwrap(), "hello");

    let address = theirs.server(&["127.0.0.1"], PAST, false).await;
    let error = greeting(&address, theirs.files()).await.unwrap_err();
    assert!(error.contains("engine's own certificate expired"), "{error}");
    assert_eq!(greeting(&address, careless).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_with_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _ = stream.read(&mut [0; 512]).await;
        }
    });
    let error = greeting(&address, Authority::new(NOW).files()).await.unwrap_err();
    assert!(error.contains("does not speak TLS"), "{error}");
}

#[test]
fn files_are_judged_before_anything_is_dialled() {
    let told = |prepare: &dyn Fn(&Authority), words: &[&str]| {
        let authority = Authority::new(NOW);
        authority.client(NOW);
        prepare(&authority);
        let error = Tls::load(authority.files()).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!error.contains("PRIVATE"), "{error}");
    };
    told(&|a| a.client(PAST), &["cert.pem", "expired on 2002-01-01"]);
    told(&|a| a.client(FUTURE), &["cert.pem", "not valid before 2080-01-01"]);
    told(
        &|a| std::fs::remove_file(a.path("key.pem")).unwrap(),
        &["cert.pem is there", "key.pem is not"],
    );
    told(
        &|a| std::fs::remove_file(a.path("cert.pem")).unwrap(),
        &["key.pem is there", "cert.pem is not"],
    );
    told(&|a| a.write("ca.pem", "nothing"), &["ca.pem", "no certificate"]);
    told(&|a| a.write("cert.pem", ""), &["cert.pem", "no certificate"]);
    told(&|a| a.write("key.pem", "nothing"), &["key.pem", "no private key"]);
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    told(&|a| a.write("key.pem", encrypted), &["key.pem", "encrypted"]);
    told(
        &|a| a.write("key.pem", &KeyPair::generate().unwrap().serialize_pem()),
        &["cert.pem", "key.pem", "not the certificate's"],
    );
    told(
        &|a| {
            std::fs::remove_file(a.path("ca.pem")).unwrap();
            std::fs::create_dir(a.path("ca.pem")).unwrap();
        },
        &["cannot read", "ca.pem"],
    );
    let old = Authority::new(PAST);
    let error = Tls::load(old.files()).unwrap_err().to_string();
    assert!(error.contains("ca.pem") && error.contains("expired"), "{error}");
    // One authority of a bundle that is still good is enough.
    let good = Authority::new(NOW);
    let bundle = [old.path("ca.pem"), good.path("ca.pem")]
        .map(|path| std::fs::read_to_string(path).unwrap())
        .concat();
    old.write("ca.pem", &bundle);
    assert!(Tls::load(old.files()).is_ok());
}
