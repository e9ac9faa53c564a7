//! The digest of a download, computed where it lies: archives of gigabytes stay in the engine.

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use super::{RemoteError, fetch, run};
use crate::bridge::Bridge;
use crate::graph::{Graph, IMAGE_MOUNT, REPORT_MOUNT, Vertex, helper_source};

/// The file that the helper writes.
const ANSWER: &str = "digest";
/// Its upper bound, in bytes.
const ANSWER_LIMIT: usize = 4096;

/// How the helper is found and called.
#[derive(Clone, Debug)]
pub struct Helper {
    /// Name of the session's directory that holds it.
    pub local: String,
    /// Its path in there.
    pub program: String,
    /// The engine's own platform, on which it runs.
    pub platform: Option<pb::Platform>,
}

/// `sha256:…` of the file that `source` downloads under the name `file`.
pub(super) async fn of<B: Bridge>(
    bridge: &B,
    helper: &Helper,
    source: &Vertex,
    file: &str,
    shown: &str,
) -> Result<String, RemoteError> {
    let reference = run(bridge, definition(helper, source, file), shown).await?;
    let answer = bridge.read_file(&reference, ANSWER, ANSWER_LIMIT).await;
    let answer = answer.map_err(|source| fetch(shown, source))?;
    let found = String::from_utf8_lossy(&answer).trim().to_string();
    let digits = found.strip_prefix("sha256:").unwrap_or_default();
    let whole = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole { Ok(found) } else { Err(RemoteError::NoDigest { context: shown.into(), found }) }
}

fn definition(helper: &Helper, source: &Vertex, file: &str) -> pb::Definition {
    let program = helper_source(&helper.local, helper.platform.as_ref());
    let unhashed =
        || pb::Mount { content_cache: pb::MountContentCache::Off as i32, ..pb::Mount::default() };
    let read = |input: i64, dest: &str| pb::Mount {
        input,
        dest: dest.into(),
        output: -1,
        readonly: true,
        ..unhashed()
    };
    let out = pb::Mount { input: -1, dest: REPORT_MOUNT.into(), output: 0, ..unhashed() };
    let args = [
        helper.program.as_str(),
        "digest",
        "--file",
        &format!("{IMAGE_MOUNT}/{file}"),
        "--report",
        &format!("{REPORT_MOUNT}/{ANSWER}"),
    ];
    let input = |vertex: &Vertex| pb::Input { digest: vertex.digest.clone(), index: 0 };
    let op = pb::Op {
        inputs: vec![input(&program), input(source)],
        op: Some(Body::Exec(pb::ExecOp {
            meta: Some(pb::Meta {
                args: args.map(String::from).into(),
                cwd: "/".into(),
                ..pb::Meta::default()
            }),
            mounts: vec![read(0, "/"), read(1, IMAGE_MOUNT), out],
            network: pb::NetMode::None as i32,
            ..pb::ExecOp::default()
        })),
        platform: helper.platform.clone(),
        ..pb::Op::default()
    };
    let exec = Vertex::new(op, "[cofferdam] digest of build context", true);
    Graph::of(vec![program, source.clone(), exec]).definition(None)
}
