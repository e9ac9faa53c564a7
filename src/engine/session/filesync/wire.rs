//! Packets of `fsutil.types` as gRPC messages, encoded straight into the buffer that is sent.
//!
//! Hand-written because file names and xattrs are bytes on disk and strings in the schema (the engine
//! takes bytes), and because the contents are read directly behind the header without another copy.

use super::stat::Stat;

/// gRPC's message prefix: a compression flag and the length.
pub(super) const PREFIX: usize = 5;

/// Upper bound of what [`data_header`] writes.
pub(super) const DATA_HEADER: usize = PREFIX + 2 + 6 + 6;

const TYPE_DATA: u8 = 2;
const TYPE_FIN: u8 = 3;
const TYPE_ERR: u8 = 4;

/// Appends a STAT packet.
pub(super) fn stat(out: &mut Vec<u8>, stat: &Stat) {
    message(out, |out| {
        nested(out, 2, |out| {
            bytes(out, 1, &stat.path);
            varint_field(out, 2, u64::from(stat.mode));
            varint_field(out, 5, stat.size);
            // Negative times take ten bytes, as int64 does in protobuf.
            varint_field(out, 6, u64::from_ne_bytes(stat.mtime.to_ne_bytes()));
            bytes(out, 7, &stat.linkname);
            varint_field(out, 8, u64::from_ne_bytes(stat.devmajor.to_ne_bytes()));
            varint_field(out, 9, u64::from_ne_bytes(stat.devminor.to_ne_bytes()));
            for (name, value) in &stat.xattrs {
                nested(out, 10, |out| {
                    bytes(out, 1, name);
                    bytes(out, 2, value);
                });
            }
        });
    });
}

/// Appends the empty STAT packet that ends the listing.
pub(super) fn last_stat(out: &mut Vec<u8>) {
    message(out, |_| {});
}

/// Appends everything of a DATA packet but its `len` bytes of content, which must follow.
pub(super) fn data_header(out: &mut Vec<u8>, id: u32, len: u32) {
    let mut head = Vec::with_capacity(DATA_HEADER);
    varint_field(&mut head, 1, u64::from(TYPE_DATA));
    varint_field(&mut head, 3, u64::from(id));
    if len > 0 {
        head.push(4 << 3 | 2);
        varint(&mut head, u64::from(len));
    }
    let total = u32::try_from(head.len()).unwrap_or(u32::MAX).saturating_add(len);
    out.push(0);
    out.extend_from_slice(&total.to_be_bytes());
    out.extend_from_slice(&head);
}

/// Appends the FIN packet.
pub(super) fn fin(out: &mut Vec<u8>) {
    message(out, |out| varint_field(out, 1, u64::from(TYPE_FIN)));
}

/// Appends an ERR packet.
pub(super) fn error(out: &mut Vec<u8>, text: &str) {
    message(out, |out| {
        varint_field(out, 1, u64::from(TYPE_ERR));
        bytes(out, 4, text.as_bytes());
    });
}

fn message(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    body(out);
    let len = u32::try_from(out.len() - start - PREFIX).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start + 1..start + PREFIX) {
        place.copy_from_slice(&len.to_be_bytes());
    }
}

fn nested(out: &mut Vec<u8>, field: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.push(field << 3 | 2);
    let at = out.len();
    body(out);
    // The length stands in front, so a short run of bytes moves back by its width.
    let mut len = Vec::with_capacity(10);
    varint(&mut len, (out.len() - at) as u64);
    out.splice(at..at, len);
}

fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    if !value.is_empty() {
        out.push(field << 3 | 2);
        varint(out, value.len() as u64);
        out.extend_from_slice(value);
    }
}

fn varint_field(out: &mut Vec<u8>, field: u8, value: u64) {
    if value != 0 {
        out.push(field << 3);
        varint(out, value);
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::fsutil::types::{Packet, packet::PacketType};
    use prost::Message as _;

    use super::*;

    fn decode(message: &[u8]) -> Packet {
        assert_eq!(message[0], 0);
        assert_eq!(message[1..5], u32::try_from(message.len() - 5).unwrap().to_be_bytes());
        Packet::decode(&message[5..]).unwrap()
    }

    #[test]
    fn packets_decode_to_what_was_meant() {
        let mut out = Vec::new();
        let sent = Stat {
            path: b"a/b".to_vec(),
            mode: 0o755 | 1 << 31,
            size: 300,
            mtime: -1,
            linkname: b"x".repeat(200),
            devmajor: 8,
            devminor: 1,
            xattrs: vec![(b"user.a".to_vec(), vec![0, 255]), (b"user.b".to_vec(), Vec::new())],
        };
        stat(&mut out, &sent);
        let got = decode(&out).stat.unwrap();
        assert_eq!(
            (got.path.as_str(), got.mode, got.size, got.mod_time),
            ("a/b", sent.mode, 300, -1)
        );
        assert_eq!(
            (got.linkname.len(), got.devmajor, got.devminor, got.uid, got.gid),
            (200, 8, 1, 0, 0)
        );
        assert_eq!(got.xattrs["user.a"], [0, 255]);
        assert!(got.xattrs["user.b"].is_empty());

        let mut out = Vec::new();
        last_stat(&mut out);
        assert_eq!(decode(&out), Packet::default());

        for (id, content) in [(0, &b""[..]), (7, b"hello"), (u32::MAX, &[7; 70_000])] {
            let mut out = Vec::new();
            data_header(&mut out, id, u32::try_from(content.len()).unwrap());
            assert!(out.len() <= DATA_HEADER);
            out.extend_from_slice(content);
            let got = decode(&out);
            assert_eq!(
                (got.r#type(), got.id, got.data.as_slice()),
                (PacketType::PacketData, id, content)
            );
        }
        let mut out = Vec::new();
        error(&mut out, "no");
        assert_eq!(
            (decode(&out).r#type(), decode(&out).data),
            (PacketType::PacketErr, b"no".to_vec())
        );
        let mut out = Vec::new();
        fin(&mut out);
        assert_eq!(decode(&out).r#type(), PacketType::PacketFin);
    }
}
