//! The few messages of containerd's content service that engines send and read.
//!
//! Source: containerd, api/services/content/v1/content.proto.

use bytes::Bytes;

/// Asks what is known of a blob.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct InfoRequest {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
}

/// What is known of a blob; times and labels are left out.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Info {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    /// In bytes.
    #[prost(int64, tag = "2")]
    pub(super) size: i64,
}

/// Answers `InfoRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct InfoResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<Info>,
}

/// Asks for a part of a blob.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReadContentRequest {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    /// Where to begin, in bytes.
    #[prost(int64, tag = "2")]
    pub(super) offset: i64,
    /// How many bytes; none or fewer means all that follow.
    #[prost(int64, tag = "3")]
    pub(super) size: i64,
}

/// A piece of the answer.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ReadContentResponse {
    /// Where the piece begins, in bytes.
    #[prost(int64, tag = "1")]
    pub(super) offset: i64,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) data: Bytes,
}
