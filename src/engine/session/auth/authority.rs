//! The key that tells an engine which of its clients may share a token.
//!
//! An engine keeps tokens longer than a session. It lets another session use one if that session
//! signs with the key that belonged to the first: a key that only a client with the same seed and
//! the same registry login can make. Source: moby/buildkit, session/auth/authprovider.

use std::path::PathBuf;

use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::seed::{SeedError, Seeds};

/// Makes keys.
#[derive(Debug)]
pub(super) struct TokenAuthority {
    seeds: Seeds,
}

/// An Ed25519 key of a registry's host and an engine's salt.
pub(super) struct Key(Ed25519KeyPair);

impl TokenAuthority {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { seeds: Seeds::new(directory) }
    }

    /// The key for `host`; everybody without a login (`secret`) has the same one.
    pub(super) async fn key(
        &self,
        host: &str,
        salt: &[u8],
        secret: bool,
    ) -> Result<Key, SeedError> {
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, salt));
        if secret {
            mac.update(&self.seeds.of(host).await?);
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(mac.sign().as_ref());
        pair.map(Key).map_err(|_| SeedError::Key)
    }
}

impl Key {
    /// Its public half, 32 bytes.
    pub(super) fn public(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    /// The payload behind its signature, as NaCl's `sign` puts them.
    pub(super) fn sign(&self, payload: &[u8]) -> Vec<u8> {
        [self.0.sign(payload).as_ref(), payload].concat()
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[tokio::test]
    async fn a_key_is_the_hosts_the_salts_and_the_seeds() {
        let directory = tempfile::tempdir().unwrap();
        let authority = TokenAuthority::new(directory.path().to_path_buf());
        let public = |host: &'static str, salt: &'static [u8], secret| {
            let authority = &authority;
            async move { authority.key(host, salt, secret).await.unwrap().public() }
        };
        let key = public("r", b"salt", true).await;
        assert_eq!(key, public("r", b"salt", true).await);
        for other in [("s", &b"salt"[..], true), ("r", b"pepper", true), ("r", b"salt", false)] {
            assert_ne!(key, public(other.0, other.1, other.2).await);
        }
        // Without a login there is nothing to keep apart, and no file to write.
        assert_eq!(public("r", b"salt", false).await, public("s", b"salt", false).await);
    }

    #[tokio::test]
    async fn a_signature_is_verified_as_engines_do() {
        let authority = TokenAuthority::new("/nonexistent".into());
        let key = authority.key("r", b"salt", false).await.unwrap();
        let signed = key.sign(b"payload");
        let (signature, payload) = signed.split_at(64);
        assert_eq!(payload, b"payload");
        UnparsedPublicKey::new(&ED25519, key.public()).verify(payload, signature).unwrap();
    }
}
