//! Packets of `fsutil.types`, with names as bytes: file systems know no UTF-8.
//!
//! Source: tonistiigi/fsutil, types/wire.proto and types/stat.proto.

use bytes::Bytes;
use prost::Message;

/// One packet, in either direction.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Packet {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(message, optional, tag = "2")]
    pub stat: Option<Stat>,
    #[prost(uint32, tag = "3")]
    pub id: u32,
    #[prost(bytes = "bytes", tag = "4")]
    pub data: Bytes,
}

/// Metadata of one entry; owners are not read, as no client does.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Stat {
    #[prost(bytes = "bytes", tag = "1")]
    pub path: Bytes,
    /// Go's `fs.FileMode`.
    #[prost(uint32, tag = "2")]
    pub mode: u32,
    #[prost(int64, tag = "5")]
    pub size: i64,
    /// Nanoseconds since 1970.
    #[prost(int64, tag = "6")]
    pub mtime: i64,
    #[prost(bytes = "bytes", tag = "7")]
    pub linkname: Bytes,
    #[prost(int64, tag = "8")]
    pub devmajor: i64,
    #[prost(int64, tag = "9")]
    pub devminor: i64,
    #[prost(message, repeated, tag = "10")]
    pub xattrs: Vec<Xattr>,
}

/// One extended attribute: an entry of a protobuf map.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Xattr {
    #[prost(bytes = "bytes", tag = "1")]
    pub name: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

/// An entry follows; without one, the list is over.
pub(super) const STAT: i32 = 0;
/// A file's content is wanted.
pub(super) const REQUEST: i32 = 1;
/// A piece of a file; an empty one is its end.
pub(super) const DATA: i32 = 2;
/// Everything is there.
pub(super) const FIN: i32 = 3;
/// Something failed.
pub(super) const ERROR: i32 = 4;

/// A packet without an entry, encoded.
pub(super) fn encoded(kind: i32, id: u32, data: &[u8]) -> Bytes {
    Packet { kind, stat: None, id, data: Bytes::copy_from_slice(data) }.encode_to_vec().into()
}
