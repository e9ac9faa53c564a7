//! A command that runs in an image as its container would, for its exit code alone.

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use super::{Graph, Vertex};

impl Graph {
    /// The graph with a command on top; what the command writes goes into no image.
    ///
    /// It has no network, no cache and no mounts. `None` for the empty image, in which nothing runs.
    pub(crate) fn with_command(
        &self,
        meta: &pb::Meta,
        platform: Option<&pb::Platform>,
        name: &str,
    ) -> Option<pb::Definition> {
        let head = self.head.clone()?;
        let root = pb::Mount {
            dest: "/".into(),
            // Nobody looks for a result made of equal files: no byte needs to be read for it.
            content_cache: pb::MountContentCache::Off as i32,
            ..pb::Mount::default()
        };
        let exec = Vertex::new(
            pb::Op {
                inputs: vec![head],
                op: Some(Body::Exec(pb::ExecOp {
                    meta: Some(meta.clone()),
                    mounts: vec![root],
                    network: pb::NetMode::None as i32,
                    ..pb::ExecOp::default()
                })),
                platform: platform.cloned(),
                ..pb::Op::default()
            },
            name,
            true,
        );
        let end = pb::Input { digest: exec.digest.clone(), index: 0 };
        let mut graph = self.clone();
        graph.vertices.push(exec);
        Some(graph.definition(Some(&end)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{definition, exec, image};
    use super::*;

    #[test]
    fn a_command_has_the_image_and_nothing_else() {
        let base = image("docker-image://docker.io/library/a:1");
        let graph = Graph::read(&definition(vec![base.clone(), exec(&base, vec![])])).unwrap();
        let meta = pb::Meta { args: vec!["/app".into()], ..pb::Meta::default() };

        let made = graph.with_command(&meta, None, "smoke").unwrap();

        let read = Graph::read(&made).unwrap();
        let last = read.vertices().last().unwrap();
        let Some(Body::Exec(op)) = &last.op.op else { panic!("not an exec") };
        assert_eq!(last.op.inputs, [graph.head().unwrap().clone()]);
        assert_eq!(op.network, pb::NetMode::None as i32);
        assert_eq!(op.mounts.len(), 1);
        assert!(last.metadata.as_ref().unwrap().ignore_cache, "an earlier run proves nothing");
        assert!(Graph::default().with_command(&meta, None, "smoke").is_none());
    }
}
