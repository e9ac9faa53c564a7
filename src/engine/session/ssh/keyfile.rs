//! Files with private keys: OpenSSH's format, PKCS#1, PKCS#8 and SEC 1.
//!
//! Source: openssh-portable, PROTOCOL.key; RFC 8017, RFC 5958, RFC 5915.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::key::{Curve, Key, RsaNumbers};
use super::wire::{Malformed, Reader};

/// Largest file that is read, in bytes, as other clients have it.
pub(super) const LARGEST: u64 = 100 * 1024;

/// Why a file gives no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// It needs a passphrase.
    Encrypted,
    /// It is none of the formats, or damaged.
    Unknown,
    /// It is a key of a kind that is not signed with here.
    Unsupported,
}

impl From<Malformed> for NoKey {
    fn from(Malformed: Malformed) -> Self {
        Self::Unknown
    }
}

/// Reads a key file.
pub(super) fn read(text: &[u8]) -> Result<Key, NoKey> {
    let text = std::str::from_utf8(text).map_err(|_| NoKey::Unknown)?;
    let (_, rest) = text.split_once("-----BEGIN ").ok_or(NoKey::Unknown)?;
    let (label, rest) = rest.split_once("-----").ok_or(NoKey::Unknown)?;
    let (body, _) = rest.split_once("-----END ").ok_or(NoKey::Unknown)?;
    if body.contains("ENCRYPTED") || label == "ENCRYPTED PRIVATE KEY" {
        return Err(NoKey::Encrypted);
    }
    let mut packed = Zeroizing::new(String::with_capacity(body.len()));
    packed.extend(body.chars().filter(|c| !c.is_ascii_whitespace()));
    let bytes = Zeroizing::new(STANDARD.decode(packed.as_bytes()).map_err(|_| NoKey::Unknown)?);
    match label {
        "OPENSSH PRIVATE KEY" => openssh(&bytes),
        "RSA PRIVATE KEY" => Ok(Key::from_der(false, &bytes)?),
        // A key that is whole and not taken is of another kind.
        "PRIVATE KEY" => Key::from_der(true, &bytes).map_err(|_| NoKey::Unsupported),
        "EC PRIVATE KEY" => sec1(&bytes),
        "DSA PRIVATE KEY" => Err(NoKey::Unsupported),
        _ => Err(NoKey::Unknown),
    }
}

fn openssh(bytes: &[u8]) -> Result<Key, NoKey> {
    let mut reader = Reader(bytes);
    if reader.take(15)? != b"openssh-key-v1\0" {
        return Err(NoKey::Unknown);
    }
    if reader.string()? != b"none" {
        return Err(NoKey::Encrypted);
    }
    let (_kdf, _options) = (reader.string()?, reader.string()?);
    if reader.number()? != 1 {
        return Err(NoKey::Unsupported);
    }
    let _public = reader.string()?;
    let mut key = Reader(reader.string()?);
    if key.number()? != key.number()? {
        return Err(NoKey::Unknown);
    }
    match key.string()? {
        b"ssh-ed25519" => {
            let public = key.string()?;
            let seed = key.string()?.get(..32).ok_or(Malformed)?;
            Ok(Key::ed25519(seed, public, key.string()?)?)
        }
        b"ssh-rsa" => {
            let (n, e, d) = (key.integer()?, key.integer()?, key.integer()?);
            let (q_inverse, p, q) = (key.integer()?, key.integer()?, key.integer()?);
            let numbers = RsaNumbers { n, e, d, p, q, q_inverse };
            Ok(Key::rsa(numbers, key.string()?).map_err(|_| NoKey::Unsupported)?)
        }
        kind if kind.starts_with(b"ecdsa-sha2-") => {
            let curve = Curve::named(key.string()?).ok_or(NoKey::Unsupported)?;
            let (point, scalar) = (key.string()?, key.integer()?);
            Ok(Key::ecdsa(curve, scalar, point, key.string()?)?)
        }
        _ => Err(NoKey::Unsupported),
    }
}

/// `ECPrivateKey`: the scalar, the curve's name and the point.
fn sec1(bytes: &[u8]) -> Result<Key, NoKey> {
    /// Object identifiers of the curves.
    const CURVES: [(&[u8], Curve); 2] = [
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], Curve::P256),
        (&[0x2b, 0x81, 4, 0, 0x22], Curve::P384),
    ];
    let mut all = Reader(bytes);
    let mut fields = Reader(der(&mut all, 0x30)?);
    let _version = der(&mut fields, 2)?;
    let scalar = der(&mut fields, 4)?;
    let mut parameters = Reader(der(&mut fields, 0xa0)?);
    let name = der(&mut parameters, 6).map_err(|_| NoKey::Unsupported)?;
    let curve = CURVES.iter().find(|(oid, _)| *oid == name).ok_or(NoKey::Unsupported)?.1;
    let mut public = Reader(der(&mut fields, 0xa1)?);
    // A bit string says first how many bits of its last byte are unused.
    let point = der(&mut public, 3)?.strip_prefix(&[0]).ok_or(Malformed)?;
    Ok(Key::ecdsa(curve, scalar, point, b"")?)
}

/// The content of the next DER value, which must have a tag.
fn der<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<&'a [u8], Malformed> {
    let [found, length] = *reader.take(2)?.first_chunk::<2>().ok_or(Malformed)?;
    if found != tag {
        return Err(Malformed);
    }
    // A short length is there itself, a longer one in one or two further bytes.
    let length = match length.checked_sub(0x80) {
        None => usize::from(length),
        Some(more @ (1 | 2)) => {
            let bytes = reader.take(usize::from(more))?;
            bytes.iter().fold(0, |all, byte| all << 8 | usize::from(*byte))
        }
        Some(_) => return Err(Malformed),
    };
    reader.take(length)
}
