//! What an engine's cache says of the records that a graph's ops left in it.
//!
//! Records name no op; all there is is a text. Source: moby/buildkit, solver/llbsolver/ops/exec.go,
//! merge.go and diff.go, and solver/llbsolver/file/refmanager.go.

use std::collections::BTreeSet;

use bollard_buildkit_proto::pb::op::Op as Body;

use super::{Graph, IMAGE_MOUNT, REPORT_MOUNT};

/// What engines up to BuildKit 0.8 say of every COPY, ADD and WORKDIR.
const FILES: &str = "fileop target";

/// What records of every build say: of the strip op, whose helper has these arguments, and of files
/// that old engines copied.
pub fn shared_traces(args: &[String]) -> BTreeSet<String> {
    let strip = ["/", IMAGE_MOUNT, REPORT_MOUNT].map(|dest| of_mount(dest, args));
    strip.into_iter().chain([FILES.to_string()]).collect()
}

fn of_mount(dest: &str, args: &[String]) -> String {
    format!("mount {dest} from exec {}", args.join(" "))
}

impl Graph {
    /// The descriptions of all records that the graph's steps may leave; others' steps may have the
    /// same.
    pub fn traces(&self) -> BTreeSet<String> {
        let mut traces = BTreeSet::new();
        for vertex in self.vertices() {
            let names = vertex.metadata.as_ref().map(|metadata| &metadata.description);
            let name = names.and_then(|names| names.get("llb.customname"));
            match &vertex.op.op {
                Some(Body::Exec(exec)) => {
                    let args = exec.meta.as_ref().map_or(&[][..], |meta| &meta.args);
                    traces.extend(exec.mounts.iter().map(|mount| of_mount(&mount.dest, args)));
                }
                Some(Body::File(_) | Body::Merge(_) | Body::Diff(_)) => {
                    traces.extend(name.cloned());
                }
                _ => {}
            }
        }
        traces
    }
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::pb;

    use super::super::testing::{definition, exec, image};
    use super::*;

    #[test]
    fn steps_leave_traces_and_what_was_fetched_is_none() {
        let base = image("docker-image://docker.io/library/a:1");
        let cache = pb::Mount { dest: "/cache".into(), ..pb::Mount::default() };
        let graph = Graph::read(&definition(vec![base.clone(), exec(&base, vec![cache])])).unwrap();
        assert_eq!(
            Vec::from_iter(graph.traces()),
            ["mount / from exec /bin/true", "mount /cache from exec /bin/true"]
        );
    }
}
