//! Messages of the ssh agent protocol: a length of four bytes, a type, and its fields.
//!
//! Source: draft-ietf-sshm-ssh-agent.

use bytes::{Buf as _, Bytes, BytesMut};

/// Longest request, in bytes, as OpenSSH has it.
pub(super) const LONGEST: usize = 256 * 1024;
/// Longest answer: an agent may hold many certificates.
pub(super) const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// `SSH_AGENTC_REQUEST_RSA_IDENTITIES`: keys of ssh's first version, which nobody has.
const LIST_V1: u8 = 1;
/// `SSH_AGENTC_REQUEST_IDENTITIES`.
const LIST: u8 = 11;
/// `SSH_AGENTC_SIGN_REQUEST`.
const SIGN: u8 = 13;
/// `SSH_AGENT_FAILURE`, as a message.
pub(super) const FAILURE: &[u8] = &[0, 0, 0, 1, 5];
/// `SSH_AGENT_RSA_IDENTITIES_ANSWER` without keys, as a message.
pub(super) const NO_V1_KEYS: &[u8] = &[0, 0, 0, 5, 2, 0, 0, 0, 0];

/// What a step may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The list of keys.
    List,
    /// A signature.
    Sign,
    /// Keys of the first version.
    ListV1,
    /// Something that changes the agent, or that is not known.
    Other,
}

/// A message is longer than any that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Takes the first whole message, with its length in front, from what was read so far.
pub(super) fn take(read: &mut BytesMut, longest: usize) -> Result<Option<Bytes>, TooLong> {
    let Some(length) = read.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| TooLong)?;
    if length > longest {
        return Err(TooLong);
    }
    Ok((read.len() >= 4 + length).then(|| read.split_to(4 + length).freeze()))
}

/// What a message asks for.
pub(super) fn asked(message: &Bytes) -> Asked {
    let mut body = message.clone();
    body.advance(4.min(body.len()));
    match body.first() {
        Some(&LIST) => Asked::List,
        Some(&SIGN) => Asked::Sign,
        Some(&LIST_V1) => Asked::ListV1,
        _ => Asked::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_where_they_end() {
        let mut read = BytesMut::from(&[0, 0, 0, 1, 11, 0, 0, 0, 2, 13][..]);
        let first = take(&mut read, LONGEST).unwrap().unwrap();
        assert_eq!((asked(&first), first.len()), (Asked::List, 5));
        assert_eq!(take(&mut read, LONGEST), Ok(None));
        read.extend_from_slice(&[9]);
        assert_eq!(asked(&take(&mut read, LONGEST).unwrap().unwrap()), Asked::Sign);
        let mut endless = BytesMut::from(&[255; 9][..]);
        assert_eq!(take(&mut endless, LONGEST), Err(TooLong));
        let mut empty = BytesMut::from(&[0; 4][..]);
        assert_eq!(asked(&take(&mut empty, LONGEST).unwrap().unwrap()), Asked::Other);
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_fall_over(bytes: Vec<u8>) {
            let mut read = BytesMut::from(&bytes[..]);
            while let Ok(Some(message)) = take(&mut read, LONGEST) {
                let _ = asked(&message);
            }
        }
    }
}
