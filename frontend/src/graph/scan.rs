//! A generator looks at the finished image and describes what is in it (`--sbom`).
//!
//! Source: moby/buildkit, frontend/attestations/sbom/sbom.go and docs/attestations/sbom-protocol.md.

use std::collections::BTreeMap;

use bollard_buildkit_proto::pb::{self, op::Op as Body};
use serde_json::Value;

use super::{Graph, Vertex};

const IMAGE_MOUNT: &str = "/run/src/core/sbom";
const RESULT_MOUNT: &str = "/run/out/";

const ROOT_OUTPUT: i64 = 0;
const RESULT_OUTPUT: i64 = 1;
const NO_OUTPUT: i64 = -1;
const NO_INPUT: i64 = -1;

/// How a generator is found and called.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanOp {
    image: String,
    meta: pb::Meta,
    no_network: bool,
    platform: Option<pb::Platform>,
}

impl ScanOp {
    /// The generator `image`, a name with its digest, with its `config` and its parameters; `None`
    /// when the configuration names no command.
    pub fn new(
        image: String,
        config: &[u8],
        parameters: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let config: Value = serde_json::from_slice(config).ok()?;
        let list = |name: &str| {
            let found = config.pointer(&format!("/config/{name}")).and_then(Value::as_array);
            let texts = found.into_iter().flatten().filter_map(Value::as_str);
            texts.map(String::from).collect::<Vec<_>>()
        };
        let args = [list("Entrypoint"), list("Cmd")].concat();
        if args.is_empty() {
            return None;
        }
        let mut env = list("Env");
        env.push(format!("BUILDKIT_SCAN_DESTINATION={RESULT_MOUNT}"));
        env.push(format!("BUILDKIT_SCAN_SOURCE={IMAGE_MOUNT}"));
        env.extend(parameters.iter().map(|(key, value)| format!("BUILDKIT_SCAN_{key}={value}")));
        let cwd = config.pointer("/config/WorkingDir").and_then(Value::as_str);
        let cwd = cwd.filter(|dir| !dir.is_empty()).unwrap_or("/").to_string();
        let meta = pb::Meta { args, env, cwd, ..pb::Meta::default() };
        Some(Self { image, meta, no_network: false, platform: None })
    }

    /// The same without a network.
    #[must_use]
    pub fn without_network(self) -> Self {
        Self { no_network: true, ..self }
    }

    /// The same on a platform, the engine's own.
    #[must_use]
    pub(crate) fn on(self, platform: Option<pb::Platform>) -> Self {
        Self { platform, ..self }
    }
}

impl Graph {
    /// What the generator writes about this image, which is for `platform`; `None` for the empty one.
    pub(crate) fn with_scan(&self, scan: &ScanOp, platform: &str) -> Option<pb::Definition> {
        let head = self.head.clone()?;
        let ScanOp { image, meta, no_network, platform: native } = scan;
        let generator = Vertex::new(
            pb::Op {
                op: Some(Body::Source(pb::SourceOp {
                    identifier: format!("docker-image://{image}"),
                    ..pb::SourceOp::default()
                })),
                platform: native.clone(),
                ..pb::Op::default()
            },
            &format!("[{platform}] FROM {image}"),
            false,
        );
        let network = if *no_network { pb::NetMode::None } else { pb::NetMode::Unset };
        let exec = Vertex::new(
            pb::Op {
                inputs: vec![pb::Input { digest: generator.digest.clone(), index: 0 }, head],
                op: Some(Body::Exec(pb::ExecOp {
                    meta: Some(meta.clone()),
                    mounts: mounts(),
                    network: network as i32,
                    ..pb::ExecOp::default()
                })),
                platform: native.clone(),
                ..pb::Op::default()
            },
            &format!("[{platform}] generating sbom using {image}"),
            true,
        );
        let result = pb::Input { digest: exec.digest.clone(), index: RESULT_OUTPUT };
        let mut graph = self.clone();
        graph.vertices.extend([generator, exec]);
        Some(graph.definition(Some(&result)))
    }
}

fn mounts() -> Vec<pb::Mount> {
    vec![
        pb::Mount { input: 0, dest: "/".into(), output: ROOT_OUTPUT, ..pb::Mount::default() },
        pb::Mount {
            input: NO_INPUT,
            dest: "/tmp".into(),
            output: NO_OUTPUT,
            mount_type: pb::MountType::Tmpfs as i32,
            tmpfs_opt: Some(pb::TmpfsOpt::default()),
            ..pb::Mount::default()
        },
        pb::Mount {
            input: 1,
            dest: IMAGE_MOUNT.into(),
            output: NO_OUTPUT,
            readonly: true,
            ..pb::Mount::default()
        },
        pb::Mount {
            input: NO_INPUT,
            dest: RESULT_MOUNT.into(),
            output: RESULT_OUTPUT,
            ..pb::Mount::default()
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::testing::{definition, exec, image};
    use super::*;

    #[test]
    fn the_generator_only_reads_the_image() {
        let base = image("docker-image://docker.io/library/a:1");
        let graph = Graph::read(&definition(vec![base.clone(), exec(&base, vec![])])).unwrap();
        let config = br#"{"config":{"Entrypoint":["/scan"],"Env":["A=b"],"WorkingDir":"/w"}}"#;
        let parameters = [("LEVEL".to_string(), "2".to_string())].into();
        let scan = ScanOp::new("g@sha256:1".into(), config, &parameters).unwrap();

        let made = graph.with_scan(&scan.clone().without_network(), "linux/amd64").unwrap();

        let read = Graph::read(&made).unwrap();
        assert_eq!(read.head().unwrap().index, RESULT_OUTPUT);
        let Some(Body::Exec(op)) = &read.vertices().last().unwrap().op.op else { panic!() };
        let meta = op.meta.as_ref().unwrap();
        assert_eq!((meta.args.as_slice(), meta.cwd.as_str()), (&["/scan".to_string()][..], "/w"));
        assert!(meta.env.contains(&"BUILDKIT_SCAN_LEVEL=2".to_string()));
        assert_eq!(op.network, pb::NetMode::None as i32);
        let of_image = op.mounts.iter().find(|mount| mount.input == 1).unwrap();
        assert!(of_image.readonly && of_image.output == NO_OUTPUT);
        assert!(op.mounts.iter().all(|mount| mount.secret_opt.is_none()));
        assert!(Graph::default().with_scan(&scan, "x").is_none());
    }

    #[test]
    fn a_generator_without_a_command_is_none() {
        for config in [&b"{}"[..], b"no json", b"{\"config\":{\"Cmd\":[]}}"] {
            assert!(ScanOp::new("g".into(), config, &BTreeMap::new()).is_none());
        }
    }
}
