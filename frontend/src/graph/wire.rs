//! Edits of encoded protobuf that keep every byte they do not mean to change.
//!
//! Decoding an op and encoding it again would drop fields that a newer engine has and this
//! program does not know. An edit on the wire format keeps them.
//! Source: <https://protobuf.dev/programming-guides/encoding/>.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

/// The bytes are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a protobuf message")]
pub struct Malformed;

/// Replaces the content of every length-delimited field that `path` leads to.
///
/// `path` is the field numbers from the outermost message inwards; `edit` gets the content of the
/// last one and says what stands there afterwards, or `None` to leave it.
pub fn replace(
    message: &[u8],
    path: &[u32],
    edit: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, Malformed> {
    let Some((&wanted, inner)) = path.split_first() else {
        return Ok(edit(message).unwrap_or_else(|| message.to_vec()));
    };
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut rest = message;
    while !rest.is_empty() {
        let before = rest;
        let (tag, wire) = decode_key(&mut rest).map_err(|_| Malformed)?;
        let content = content(&mut rest, wire)?;
        if tag == wanted && wire == WireType::LengthDelimited {
            let content = replace(content, inner, edit)?;
            encode_key(tag, wire, &mut out);
            encode_varint(content.len() as u64, &mut out);
            out.extend_from_slice(&content);
        } else {
            let used = before.len() - rest.len();
            out.extend_from_slice(before.get(..used).ok_or(Malformed)?);
        }
    }
    Ok(out)
}

/// Takes one field's content off the front of `rest`.
fn content<'a>(rest: &mut &'a [u8], wire: WireType) -> Result<&'a [u8], Malformed> {
    let len = match wire {
        WireType::Varint => {
            decode_varint(rest).map_err(|_| Malformed)?;
            0
        }
        WireType::SixtyFourBit => 8,
        WireType::ThirtyTwoBit => 4,
        WireType::LengthDelimited => {
            usize::try_from(decode_varint(rest).map_err(|_| Malformed)?).map_err(|_| Malformed)?
        }
        WireType::StartGroup | WireType::EndGroup => return Err(Malformed),
    };
    let (content, after) = rest.split_at_checked(len).ok_or(Malformed)?;
    *rest = after;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard_buildkit_proto::pb;
    use prost::Message;

    fn op_with_unknown_field() -> (pb::Op, Vec<u8>) {
        let op = pb::Op {
            op: Some(pb::op::Op::Source(pb::SourceOp {
                identifier: "docker-image://a".into(),
                attrs: [("k".to_string(), String::new())].into(),
            })),
            ..pb::Op::default()
        };
        let mut bytes = op.encode_to_vec();
        // Field 900, a string nobody here knows.
        encode_key(900, WireType::LengthDelimited, &mut bytes);
        encode_varint(3, &mut bytes);
        bytes.extend_from_slice(b"new");
        (op, bytes)
    }

    #[test]
    fn an_edit_keeps_fields_it_does_not_know() {
        let (_, bytes) = op_with_unknown_field();
        let edited = replace(&bytes, &[3, 1], &mut |id| {
            assert_eq!(id, b"docker-image://a");
            Some(b"docker-image://a@sha256:00".to_vec())
        })
        .unwrap();
        let op = pb::Op::decode(edited.as_slice()).unwrap();
        let Some(pb::op::Op::Source(source)) = op.op else { panic!("not a source") };
        assert_eq!(source.identifier, "docker-image://a@sha256:00");
        assert!(edited.ends_with(b"new"));
    }

    #[test]
    fn no_edit_means_the_same_bytes() {
        let (_, bytes) = op_with_unknown_field();
        assert_eq!(replace(&bytes, &[3, 1], &mut |_| None).unwrap(), bytes);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = replace(&bytes, &[2, 2, 20, 1], &mut |_| Some(Vec::new()));
        }
    }
}
