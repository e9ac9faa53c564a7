//! The last op of every image: a helper takes away set-uid bits and file capabilities.
//!
//! The helper's own directory is the root of the op and the image is a mount in it, so the image
//! needs no shell, is never polluted by `/proc` and `/dev`, and its architecture does not matter.

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use super::{Graph, Vertex};

/// Where the image is mounted for the helper.
pub const IMAGE_MOUNT: &str = "/rootfs";
/// Where the helper may write its report.
pub const REPORT_MOUNT: &str = "/out";
/// The report, in the op's second output.
pub const REPORT_FILE: &str = "report.json";

/// Its name in the progress.
pub const STRIP: &str = "[cofferdam] strip set-uid bits and file capabilities";

const IMAGE_OUTPUT: i64 = 0;
const REPORT_OUTPUT: i64 = 1;
const NO_OUTPUT: i64 = -1;
const NO_INPUT: i64 = -1;

/// How the helper is found and called.
#[derive(Clone, Debug)]
pub struct StripOp {
    /// Name of the session's directory that holds the helper.
    pub local: String,
    /// The helper's arguments, its path first.
    pub args: Vec<String>,
    /// Its environment, `NAME=value`: what engines need not repeat wherever they name the op.
    pub env: Vec<String>,
    /// The engine's own platform: the helper runs natively.
    pub platform: Option<pb::Platform>,
}

/// A graph with the strip op on top.
#[derive(Clone, Debug)]
pub(crate) struct Stripped {
    graph: Graph,
    exec: String,
}

impl Stripped {
    /// The definition of the stripped image.
    pub(crate) fn image(&self) -> pb::Definition {
        self.output(IMAGE_OUTPUT)
    }

    /// The definition of the directory that holds the report.
    pub(crate) fn report(&self) -> pb::Definition {
        self.output(REPORT_OUTPUT)
    }

    fn output(&self, index: i64) -> pb::Definition {
        self.graph.definition(Some(&pb::Input { digest: self.exec.clone(), index }))
    }
}

impl Graph {
    /// Puts the strip op on top; `None` for the empty image, which holds nothing to strip.
    pub(crate) fn with_strip(&self, strip: &StripOp) -> Option<Stripped> {
        let head = self.head.clone()?;
        let helper = helper_source(&strip.local, strip.platform.as_ref());
        // Two builds with equal files would share this result by content, and with it all the
        // layers below: without cache the image is never made of an earlier build's.
        let exec = Vertex::new(
            pb::Op {
                inputs: vec![pb::Input { digest: helper.digest.clone(), index: 0 }, head],
                op: Some(Body::Exec(pb::ExecOp {
                    meta: Some(pb::Meta {
                        args: strip.args.clone(),
                        env: strip.env.clone(),
                        cwd: "/".into(),
                        ..pb::Meta::default()
                    }),
                    mounts: mounts(),
                    network: pb::NetMode::None as i32,
                    ..pb::ExecOp::default()
                })),
                platform: strip.platform.clone(),
                ..pb::Op::default()
            },
            STRIP,
            true,
        );
        let name = exec.digest.clone();
        let mut graph = self.clone();
        graph.vertices.extend([helper, exec]);
        Some(Stripped { graph, exec: name })
    }
}

fn mounts() -> Vec<pb::Mount> {
    // A key made of contents would serve nothing here, and newer engines would read every byte of
    // the image to make it.
    let unhashed =
        || pb::Mount { content_cache: pb::MountContentCache::Off as i32, ..pb::Mount::default() };
    vec![
        pb::Mount { input: 0, dest: "/".into(), output: NO_OUTPUT, readonly: true, ..unhashed() },
        pb::Mount { input: 1, dest: IMAGE_MOUNT.into(), output: IMAGE_OUTPUT, ..unhashed() },
        pb::Mount {
            input: NO_INPUT,
            dest: REPORT_MOUNT.into(),
            output: REPORT_OUTPUT,
            ..pb::Mount::default()
        },
    ]
}

/// The session's directory that holds the helper.
pub(crate) fn helper_source(local: &str, platform: Option<&pb::Platform>) -> Vertex {
    let op = pb::Op {
        op: Some(Body::Source(pb::SourceOp {
            identifier: format!("local://{local}"),
            attrs: [("local.sharedkeyhint".to_string(), local.to_string())].into(),
        })),
        platform: platform.cloned(),
        ..pb::Op::default()
    };
    Vertex::new(op, "[internal] load cofferdam helper", true)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{definition, exec, image};
    use super::*;

    fn strip() -> StripOp {
        let args = vec!["/helper".into()];
        StripOp { local: "helper-1".into(), args, env: Vec::new(), platform: None }
    }

    #[test]
    fn the_image_is_a_mount_and_the_helper_is_the_root() {
        let base = image("docker-image://docker.io/library/a:1");
        let graph = Graph::read(&definition(vec![base.clone(), exec(&base, vec![])])).unwrap();
        let head = graph.head().unwrap().clone();

        let stripped = graph.with_strip(&strip()).unwrap();

        let read = Graph::read(&stripped.image()).unwrap();
        let last = read.vertices().last().unwrap();
        let Some(Body::Exec(op)) = &last.op.op else { panic!("not an exec") };
        assert_eq!(last.op.inputs[1], head);
        assert_eq!((op.mounts[1].dest.as_str(), op.mounts[1].output), (IMAGE_MOUNT, 0));
        assert!(op.mounts[0].readonly && op.mounts[0].output == -1);
        assert!(last.metadata.as_ref().unwrap().ignore_cache, "an earlier build's layers");
        let off = pb::MountContentCache::Off as i32;
        assert!(op.mounts[..2].iter().all(|mount| mount.content_cache == off), "reads all bytes");
        assert_eq!(op.network, pb::NetMode::None as i32);
        assert_eq!(Graph::read(&stripped.report()).unwrap().head().unwrap().index, 1);
    }

    #[test]
    fn the_empty_image_gets_no_op() {
        assert!(Graph::default().with_strip(&strip()).is_none());
    }
}
