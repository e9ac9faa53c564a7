//! A private key that signs. Its parts leave memory when it is dropped.
//!
//! Source: RFC 4253, section 6.6 (RSA), RFC 8332 (RSA with SHA-2), RFC 5656 (ECDSA), RFC 8709
//! (Ed25519).

use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding,
};
use zeroize::Zeroizing;

use super::wire::{Malformed, Reader, put, put_integer, trimmed};

/// Asks for SHA-256 (`SSH_AGENT_RSA_SHA2_256`).
const SHA2_256: u32 = 2;
/// Asks for SHA-512 (`SSH_AGENT_RSA_SHA2_512`).
const SHA2_512: u32 = 4;

/// A curve of ECDSA keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    /// By its name in ssh.
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"nistp256" => Some(Self::P256),
            b"nistp384" => Some(Self::P384),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::P256 => "nistp256",
            Self::P384 => "nistp384",
        }
    }

    /// Bytes of a number on it.
    fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

enum Signer {
    Rsa(rsa::KeyPair),
    Ecdsa(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key, with the public half as ssh writes it.
pub(super) struct Key {
    pub(super) public: Vec<u8>,
    pub(super) comment: Vec<u8>,
    signer: Signer,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[ssh key]")
    }
}

/// Numbers of an RSA key, without leading zeros.
#[derive(Clone, Copy)]
pub(super) struct RsaNumbers<'a> {
    pub n: &'a [u8],
    pub e: &'a [u8],
    pub d: &'a [u8],
    pub p: &'a [u8],
    pub q: &'a [u8],
    pub q_inverse: &'a [u8],
}

impl Key {
    fn new(signer: Signer, comment: &[u8]) -> Self {
        let mut public = Vec::new();
        match &signer {
            Signer::Rsa(pair) => {
                let key: rsa::PublicKeyComponents<Vec<u8>> = pair.public().into();
                put(&mut public, b"ssh-rsa");
                put_integer(&mut public, &key.e);
                put_integer(&mut public, &key.n);
            }
            Signer::Ecdsa(curve, pair) => {
                put(&mut public, format!("ecdsa-sha2-{}", curve.name()).as_bytes());
                put(&mut public, curve.name().as_bytes());
                put(&mut public, pair.public_key().as_ref());
            }
            Signer::Ed25519(pair) => {
                put(&mut public, b"ssh-ed25519");
                put(&mut public, pair.public_key().as_ref());
            }
        }
        Self { public, comment: comment.to_vec(), signer }
    }

    /// From an Ed25519 seed.
    pub(super) fn ed25519(seed: &[u8], public: &[u8], comment: &[u8]) -> Result<Self, Malformed> {
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_| Malformed)?;
        Ok(Self::new(Signer::Ed25519(pair), comment))
    }

    /// From an ECDSA scalar and its point.
    pub(super) fn ecdsa(
        curve: Curve,
        scalar: &[u8],
        point: &[u8],
        comment: &[u8],
    ) -> Result<Self, Malformed> {
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let scalar = trimmed(scalar);
        let missing = curve.size().checked_sub(scalar.len()).ok_or(Malformed)?;
        let padded = Zeroizing::new([&vec![0; missing], scalar].concat());
        let random = SystemRandom::new();
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &padded, point, &random)
                .map_err(|_| Malformed)?;
        Ok(Self::new(Signer::Ecdsa(curve, pair), comment))
    }

    /// From the numbers of an RSA key.
    pub(super) fn rsa(numbers: RsaNumbers<'_>, comment: &[u8]) -> Result<Self, Malformed> {
        let RsaNumbers { n, e, d, p, q, q_inverse } = numbers;
        let (d_p, d_q) = (remainder_below(d, p)?, remainder_below(d, q)?);
        let components = rsa::KeyPairComponents {
            public_key: rsa::PublicKeyComponents { n, e },
            d,
            p,
            q,
            dP: trimmed(&d_p),
            dQ: trimmed(&d_q),
            qInv: q_inverse,
        };
        let pair = rsa::KeyPair::from_components(&components).map_err(|_| Malformed)?;
        Ok(Self::new(Signer::Rsa(pair), comment))
    }

    /// From `RSA PRIVATE KEY` and `PRIVATE KEY` files.
    pub(super) fn from_der(pkcs8: bool, der: &[u8]) -> Result<Self, Malformed> {
        let random = SystemRandom::new();
        if !pkcs8 {
            let pair = rsa::KeyPair::from_der(der).map_err(|_| Malformed)?;
            return Ok(Self::new(Signer::Rsa(pair), b""));
        }
        let ecdsa = |algorithm, curve| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, der, &random).ok()?;
            Some(Signer::Ecdsa(curve, pair))
        };
        let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Signer::Ed25519);
        let signer = ed25519()
            .or_else(|| ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, Curve::P256))
            .or_else(|| ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, Curve::P384))
            .or_else(|| rsa::KeyPair::from_pkcs8(der).ok().map(Signer::Rsa));
        signer.map(|signer| Self::new(signer, b"")).ok_or(Malformed)
    }

    /// The signature of `data` in ssh's format; none for what this key does not do.
    ///
    /// RSA with SHA-1, which old clients ask for by asking for nothing, is not among it.
    pub(super) fn sign(&self, data: &[u8], flags: u32) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        let mut out = Vec::new();
        match &self.signer {
            Signer::Rsa(pair) => {
                let (name, padding): (&[u8], &dyn RsaEncoding) = match flags {
                    _ if flags & SHA2_512 != 0 => (b"rsa-sha2-512", &RSA_PKCS1_SHA512),
                    _ if flags & SHA2_256 != 0 => (b"rsa-sha2-256", &RSA_PKCS1_SHA256),
                    _ => return None,
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, data, &mut signature).ok()?;
                put(&mut out, name);
                put(&mut out, &signature);
            }
            Signer::Ecdsa(curve, pair) => {
                let signature = pair.sign(&random, data).ok()?;
                let (r, s) = signature.as_ref().split_at_checked(curve.size())?;
                let mut numbers = Vec::new();
                put_integer(&mut numbers, r);
                put_integer(&mut numbers, s);
                put(&mut out, format!("ecdsa-sha2-{}", curve.name()).as_bytes());
                put(&mut out, &numbers);
            }
            Signer::Ed25519(pair) => {
                put(&mut out, b"ssh-ed25519");
                put(&mut out, pair.sign(data).as_ref());
            }
        }
        Some(out)
    }
}

/// `d mod (prime - 1)`, by shifting and subtracting: files of OpenSSH leave it out.
fn remainder_below(d: &[u8], prime: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let mut modulus = Zeroizing::new(prime.to_vec());
    // A prime is odd, so nothing is borrowed.
    *modulus.last_mut().filter(|last| **last & 1 == 1).ok_or(Malformed)? &= !1;
    let mut rest = Zeroizing::new(vec![0u8; modulus.len() + 1]);
    modulus.insert(0, 0);
    for bit in d.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
        let mut carry = bit;
        for byte in rest.iter_mut().rev() {
            (*byte, carry) = (*byte << 1 | carry, *byte >> 7);
        }
        if rest.as_slice() >= modulus.as_slice() {
            let mut borrow = false;
            for (byte, minus) in rest.iter_mut().zip(modulus.iter()).rev() {
                let (less, one) = byte.overflowing_sub(*minus);
                let (less, two) = less.overflowing_sub(u8::from(borrow));
                (*byte, borrow) = (less, one || two);
            }
        }
    }
    Ok(rest)
}

/// What a signature was asked for: the key, the data and the flags.
pub(super) fn sign_request(body: &[u8]) -> Result<(&[u8], &[u8], u32), Malformed> {
    let mut reader = Reader(body);
    Ok((reader.string()?, reader.string()?, reader.number()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_are_right() {
        for (d, prime) in [(1_000_003u32, 1009u32), (5, 7), (0, 3), (u32::MAX, 65_537)] {
            let rest = remainder_below(&d.to_be_bytes(), trimmed(&prime.to_be_bytes())).unwrap();
            let rest = rest.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte));
            assert_eq!(rest, d % (prime - 1), "{d} {prime}");
        }
    }
}
