//! Build secrets: held in memory, handed to the engine when a step mounts one, never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use cofferdam_search::Needles;
use sha2::{Digest as _, Sha256};
use tonic::{Request, Response, Status};
use zeroize::Zeroizing;

/// The one type that holds a secret's bytes: no `Debug`, no `Display`, wiped when dropped.
#[derive(Clone)]
pub struct SecretValue(Arc<Zeroizing<Vec<u8>>>);

impl SecretValue {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// Size in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// SHA-256 of files that would hold the value and nothing else: as it is, and without or with
    /// a newline at its end. None for a value so short that other files may hold it by chance.
    ///
    /// They stay in this process: a digest of a secret helps to guess it.
    pub fn digests_of_copies(&self) -> Vec<[u8; 32]> {
        const TOO_SHORT: usize = 8;
        let trimmed = self.0.trim_ascii_end();
        if trimmed.len() < TOO_SHORT {
            return Vec::new();
        }
        let with_newline = Zeroizing::new([trimmed, b"\n"].concat());
        [self.0.as_slice(), trimmed, &with_newline]
            .map(|bytes| Sha256::digest(bytes).into())
            .to_vec()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The secrets of one build by id.
#[derive(Clone, Debug, Default)]
pub struct SecretStore(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    values: BTreeMap<String, SecretValue>,
    needles: OnceLock<Needles>,
}

impl SecretStore {
    /// Holds `values`.
    pub fn new(values: BTreeMap<String, SecretValue>) -> Self {
        Self(Arc::new(Held { values, needles: OnceLock::new() }))
    }

    /// The secrets by id, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.0.values.iter().map(|(id, value)| (id.as_str(), value))
    }

    /// Their ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.values.keys().map(String::as_str)
    }

    /// The values, made ready to be searched for, in the order of their ids.
    pub fn needles(&self) -> &Needles {
        let values = || self.0.values.iter().map(|(id, value)| (id.as_str(), value.0.as_slice()));
        self.0.needles.get_or_init(|| Needles::new(values()))
    }
}

#[tonic::async_trait]
impl Secrets for SecretStore {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        match self.0.values.get(&id) {
            Some(value) => Ok(Response::new(GetSecretResponse { data: value.0.to_vec() })),
            None => Err(Status::not_found(format!(
                "secret {id} was not given: --secret id={id},src=FILE"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_shows() {
        let value = SecretValue::new(b"hunter2".to_vec());
        let store = SecretStore::new([("db".to_string(), value.clone())].into());
        let shown = format!("{value:?} {store:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("db"));
    }

    #[test]
    fn a_copy_is_known_with_and_without_its_newline_and_chance_is_not_taken_for_one() {
        let value = SecretValue::new(b"s3cret-value\n".to_vec());
        let copies = value.digests_of_copies();
        for copy in ["s3cret-value", "s3cret-value\n"] {
            assert!(copies.contains(&Sha256::digest(copy).into()), "{copy:?}");
        }
        assert!(SecretValue::new(b"1234567\n".to_vec()).digests_of_copies().is_empty());
    }

    #[tokio::test]
    async fn only_what_was_given_is_served() {
        let store = SecretStore::new([("a".to_string(), SecretValue::new(b"x".to_vec()))].into());
        let ask = |id: &str| GetSecretRequest { id: id.into(), ..GetSecretRequest::default() };
        let given = store.get_secret(Request::new(ask("a"))).await.unwrap();
        assert_eq!(given.into_inner().data, b"x");
        let missing = store.get_secret(Request::new(ask("b"))).await.unwrap_err();
        assert_eq!(missing.code(), tonic::Code::NotFound);
    }
}
