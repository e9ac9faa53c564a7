//! Emptying cache mounts by their ids.
//!
//! BuildKit empties every cache mount that an op without cache names when it *loads* a graph
//! (moby/buildkit, solver/llbsolver/bridge.go, `PruneCacheMounts`). No other call takes an id, and
//! old engines do not even show it. So here is a graph that names the ids and cannot run.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb::{self, op::Op as Body};
use prost::Message;

use super::digest;

/// A graph whose loading empties the cache mounts `ids`, and which fails before its exec starts.
/// `None` when there is nothing to empty.
pub fn cache_eraser(ids: &[String]) -> Option<pb::Definition> {
    if ids.is_empty() {
        return None;
    }
    let fails = pb::Op {
        op: Some(Body::File(pb::FileOp {
            actions: vec![pb::FileAction {
                input: -1,
                secondary_input: -1,
                output: 0,
                action: Some(pb::file_action::Action::Rm(pb::FileActionRm {
                    path: "/never-there".into(),
                    ..pb::FileActionRm::default()
                })),
            }],
        })),
        ..pb::Op::default()
    }
    .encode_to_vec();
    let names = pb::Op {
        inputs: vec![pb::Input { digest: digest(&fails), index: 0 }],
        op: Some(Body::Exec(pb::ExecOp {
            meta: Some(pb::Meta {
                args: vec!["/never-run".into()],
                cwd: "/".into(),
                ..pb::Meta::default()
            }),
            mounts: mounts(ids),
            network: pb::NetMode::None as i32,
            ..pb::ExecOp::default()
        })),
        ..pb::Op::default()
    }
    .encode_to_vec();
    let end = pb::Op {
        inputs: vec![pb::Input { digest: digest(&names), index: 0 }],
        ..pb::Op::default()
    }
    .encode_to_vec();
    let uncached = pb::OpMetadata { ignore_cache: true, ..pb::OpMetadata::default() };
    Some(pb::Definition {
        metadata: BTreeMap::from([
            (digest(&fails), uncached.clone()),
            (digest(&names), uncached),
            (digest(&end), super::something()),
        ]),
        def: vec![fails, names, end],
        source: None,
    })
}

fn mounts(ids: &[String]) -> Vec<pb::Mount> {
    let root = pb::Mount { dest: "/".into(), ..pb::Mount::default() };
    let caches = ids.iter().enumerate().map(|(n, id)| pb::Mount {
        input: -1,
        dest: format!("/cache/{n}"),
        output: -1,
        mount_type: pb::MountType::Cache as i32,
        cache_opt: Some(pb::CacheOpt { id: id.clone(), sharing: 0 }),
        ..pb::Mount::default()
    });
    std::iter::once(root).chain(caches).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Graph;
    use super::*;

    #[test]
    fn it_names_every_id_without_cache_on_a_step_that_cannot_start() {
        let ids = ["ns/a".to_string(), "ns/b".to_string()];
        let graph = Graph::read(&cache_eraser(&ids).unwrap()).unwrap();
        assert_eq!(graph.cache_ids(), ids);
        let (exec, _) = graph.execs().next().unwrap();
        assert!(exec.metadata.as_ref().unwrap().ignore_cache);
        assert_eq!(exec.op.inputs.len(), 1);
    }

    #[test]
    fn nothing_to_empty_is_no_graph() {
        assert!(cache_eraser(&[]).is_none());
    }
}
