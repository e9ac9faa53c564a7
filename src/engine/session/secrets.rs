//! Build secrets: held in memory, handed to the engine when a step mounts one, never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use cofferdam_search::Needles;
use ring::rand::SecureRandom as _;
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

/// The secrets of one build by id, and what else must not be in its image.
#[derive(Clone, Debug, Default)]
pub struct SecretStore(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    values: BTreeMap<String, SecretValue>,
    also: Vec<Also>,
    needles: OnceLock<Needles>,
}

/// What a value is that is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of `--secret`.
    Secret,
    /// A build argument that is a secret, and that an exception let through: the history of steps
    /// and the record hold it.
    Argument,
    /// A private key that steps may have things signed with.
    Key,
}

/// A value that is searched for and that no step may mount.
#[derive(Debug)]
struct Also {
    kind: Kind,
    id: String,
    /// What the engine asks for it by; nobody can guess it, so that no step gets a private key.
    served: String,
    value: SecretValue,
}

/// A value that is searched for, by everything but itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its id, or the name of the build argument.
    pub id: &'a str,
    /// What the engine asks for it by.
    pub served: &'a str,
}

impl Sought<'_> {
    /// What people call it.
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Secret => format!("secret {}", self.id),
            Kind::Argument => format!("build argument {}", self.id),
            Kind::Key => format!("private key of --ssh {}", self.id),
        }
    }

    /// The same in a list of secrets.
    pub fn listed(&self) -> String {
        if self.kind == Kind::Secret { self.id.to_string() } else { self.name() }
    }
}

impl SecretStore {
    /// Holds `values`.
    pub fn new(values: BTreeMap<String, SecretValue>) -> Self {
        Self(Arc::new(Held { values, also: Vec::new(), needles: OnceLock::new() }))
    }

    /// Searches for more than what steps may mount; `None` if there is no chance to hide it from them.
    pub fn searching_for(self, more: Vec<(Kind, String, SecretValue)>) -> Option<Self> {
        let values = self.0.values.clone();
        let also = more.into_iter().map(|(kind, id, value)| {
            let mut random = [0; 24];
            ring::rand::SystemRandom::new().fill(&mut random).ok()?;
            let served = random.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(Also { kind, id, served, value })
        });
        let also = also.collect::<Option<_>>()?;
        Some(Self(Arc::new(Held { values, also, needles: OnceLock::new() })))
    }

    /// What is searched for, in the order of the needles.
    pub fn sought(&self) -> impl Iterator<Item = Sought<'_>> {
        let secrets = self.ids().map(|id| Sought { kind: Kind::Secret, id, served: id });
        let also = self.0.also.iter().map(|also| {
            let Also { kind, id, served, value: _ } = also;
            Sought { kind: *kind, id, served }
        });
        secrets.chain(also)
    }

    /// What one of the needles is.
    pub fn sought_at(&self, needle: usize) -> Option<Sought<'_>> {
        self.sought().nth(needle)
    }

    /// The secrets by id, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.0.values.iter().map(|(id, value)| (id.as_str(), value))
    }

    /// Their ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.values.keys().map(String::as_str)
    }

    /// The values, made ready to be searched for, in the order of [`Self::sought`].
    pub fn needles(&self) -> &Needles {
        let values = || {
            let also = self.0.also.iter().map(|also| (also.id.as_str(), &also.value));
            self.iter().chain(also).map(|(id, value)| (id, value.0.as_slice()))
        };
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
        let also = || self.0.also.iter().find(|also| also.served == id).map(|also| &also.value);
        match self.0.values.get(&id).or_else(also) {
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
    async fn a_private_key_is_searched_for_and_nobody_can_name_it() {
        let key = SecretValue::new(b"a-private-key".to_vec());
        let store = SecretStore::new([("a".to_string(), SecretValue::new(b"x".to_vec()))].into());
        let store = store.searching_for(vec![(Kind::Key, "default".into(), key)]).unwrap();
        let ask = |id: &str| GetSecretRequest { id: id.into(), ..GetSecretRequest::default() };
        assert!(store.get_secret(Request::new(ask("default"))).await.is_err());
        let sought = store.sought_at(1).unwrap();
        assert_eq!((sought.id, sought.served.len()), ("default", 48));
        assert!(store.get_secret(Request::new(ask(sought.served))).await.is_ok());
        assert_eq!(store.needles().search(b"a-private-key").hits[0].needle, 1);
        assert_eq!(store.ids().collect::<Vec<_>>(), ["a"]);
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
