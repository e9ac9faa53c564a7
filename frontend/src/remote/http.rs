//! A download: an archive that is unpacked, or a lone Dockerfile.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb;

use super::archive::{HEADER, is_archive};
use super::{DOWNLOADED, Helper, Opened, RemoteError, TEXT_LIMIT, digest, fetch, ops, run};
use crate::bridge::Bridge;
use crate::graph;
use crate::graph::judge::Offered;

/// Fetches it; with a helper its digest is found out as well.
///
/// The source op is the same in every graph of the build, and the engine runs an op of a build once:
/// what was hashed is what is read.
pub(super) async fn open<B: Bridge>(
    bridge: &B,
    url: &str,
    shown: &str,
    helper: Option<&Helper>,
) -> Result<Opened, RemoteError> {
    let op = source(url, DOWNLOADED);
    let vertex = ops::source_vertex(&op, &format!("[internal] load remote build context {shown}"));
    let alone = ops::alone(vertex.clone());
    let reference = run(bridge, alone.clone(), shown).await?;
    let failed = |source| fetch(shown, source);
    let header = bridge.read_start(&reference, DOWNLOADED, HEADER).await.map_err(failed)?;
    if is_archive(&header) {
        let digest = match helper {
            Some(helper) => Some(digest::of(bridge, helper, &vertex, DOWNLOADED, shown).await?),
            None => None,
        };
        let definition = ops::unpack(vertex, &format!("/{DOWNLOADED}"));
        let reference = run(bridge, definition.clone(), shown).await?;
        let offered = Offered { op, digest };
        return Ok(Opened { definition, offered, shown: shown.into(), is_file: false, reference });
    }
    let bytes = bridge.read_file(&reference, DOWNLOADED, TEXT_LIMIT).await.map_err(failed)?;
    let offered = Offered { op, digest: helper.map(|_| graph::digest(&bytes)) };
    Ok(Opened { definition: alone, offered, shown: shown.into(), is_file: true, reference })
}

/// Fetches it as it is, under the name `file`.
pub(super) async fn raw<B: Bridge>(
    bridge: &B,
    url: &str,
    file: &str,
    shown: &str,
    helper: &Helper,
) -> Result<(pb::Definition, Offered), RemoteError> {
    let op = source(url, file);
    let vertex = ops::source_vertex(&op, &format!("[internal] load {shown}"));
    let digest = Some(digest::of(bridge, helper, &vertex, file, shown).await?);
    Ok((ops::alone(vertex), Offered { op, digest }))
}

fn source(url: &str, file: &str) -> pb::SourceOp {
    let attrs = BTreeMap::from([("http.filename".to_string(), file.to_string())]);
    ops::source(url.to_string(), attrs)
}
