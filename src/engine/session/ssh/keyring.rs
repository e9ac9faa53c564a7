//! An agent in this process, for private keys that `--ssh` names as files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use zeroize::Zeroizing;

use super::super::secrets::SecretValue;
use super::SshError;
use super::key::{Key, sign_request};
use super::keyfile::{self, NoKey};
use super::protocol::FAILURE;
use super::wire::put;

/// `SSH_AGENT_IDENTITIES_ANSWER`.
const IDENTITIES: u8 = 12;
/// `SSH_AGENT_SIGN_RESPONSE`.
const SIGNED: u8 = 14;

/// The keys, which can be listed and signed with.
#[derive(Debug)]
pub(super) struct Keyring(Vec<Key>, Vec<SecretValue>);

impl Keyring {
    /// Reads key files.
    pub(super) fn load(paths: &[PathBuf]) -> Result<Self, SshError> {
        let read = paths.iter().map(|path| load(path)).collect::<Result<Vec<_>, _>>()?;
        let (keys, texts) = read.into_iter().unzip();
        Ok(Self(keys, texts))
    }

    /// The files as they are: nothing of them may be in an image.
    pub(super) fn texts(&self) -> &[SecretValue] {
        &self.1
    }

    /// The answer to a request to list.
    pub(super) fn list(&self) -> Bytes {
        let mut body = vec![IDENTITIES];
        body.extend_from_slice(&u32::try_from(self.0.len()).unwrap_or(0).to_be_bytes());
        for key in &self.0 {
            put(&mut body, &key.public);
            put(&mut body, &key.comment);
        }
        message(&body)
    }

    /// The answer to a request to sign, which is given without its length and type.
    pub(super) fn sign(&self, request: &[u8]) -> Bytes {
        let signature = sign_request(request).ok().and_then(|(public, data, flags)| {
            self.0.iter().find(|key| key.public == public)?.sign(data, flags)
        });
        let Some(signature) = signature else { return Bytes::from_static(FAILURE) };
        let mut body = vec![SIGNED];
        put(&mut body, &signature);
        message(&body)
    }
}

fn message(body: &[u8]) -> Bytes {
    let mut message = Vec::with_capacity(body.len() + 4);
    put(&mut message, body);
    message.into()
}

fn load(path: &Path) -> Result<(Key, SecretValue), SshError> {
    let wrong = |source| SshError::Read { path: path.to_path_buf(), source };
    let mut text = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let file = File::open(path).map_err(wrong)?;
    file.take(keyfile::LARGEST).read_to_end(&mut text).map_err(wrong)?;
    let key = keyfile::read(&text).map_err(|why| {
        let path = path.to_path_buf();
        match why {
            NoKey::Encrypted => SshError::Encrypted { path },
            NoKey::Unknown => SshError::NoKey { path },
            NoKey::Unsupported => SshError::Unsupported { path },
        }
    })?;
    Ok((key, SecretValue::new(std::mem::take(&mut *text))))
}
