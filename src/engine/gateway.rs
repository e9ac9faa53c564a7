//! The gateway bridge of an engine, spoken from the outside: how a frontend that runs in this
//! process asks BuildKit for results.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard_buildkit_proto::moby::buildkit::v1::apicaps::ApiCap;
use bollard_buildkit_proto::moby::buildkit::v1::frontend as pb;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::llb_bridge_client::LlbBridgeClient;
use bollard_buildkit_proto::moby::buildkit::v1::frontend::result::Result as Kind;
use bollard_buildkit_proto::pb as llb;
use cofferdam_frontend::bridge::{
    Bridge, BridgeError, Capabilities, Container, Ended, Input, Limits, Made, Outcome, Parts,
    Solve, Solved,
};
use cofferdam_frontend::dockerfile::Platform;
use tokio::task::JoinSet;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::api::{RegistryAnswer, refusal};
use super::{EngineError, status_error};

/// Says which build a call belongs to.
const BUILD_ID: &str = "buildkit-controlapi-buildid";
/// Largest answer we take, in bytes: a graph with its source map.
const MAX_MESSAGE: usize = 64 << 20;
/// Part of a file that one call reads, in bytes; engines cap a message at 16 MiB.
const READ_STEP: usize = 2 << 20;

/// The gateway of one build.
#[derive(Clone, Debug)]
pub struct GatewayBridge {
    client: LlbBridgeClient<Channel>,
    build: MetadataValue<Ascii>,
    /// Containers that are still being put away.
    closing: Arc<Mutex<JoinSet<()>>>,
}

impl GatewayBridge {
    pub(super) fn new(channel: Channel, build: MetadataValue<Ascii>) -> Self {
        let client = LlbBridgeClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE);
        Self { client, build, closing: Arc::default() }
    }

    pub(super) fn closing(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn client(&self) -> LlbBridgeClient<Channel> {
        self.client.clone()
    }

    /// A request that says which build it belongs to.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(BUILD_ID, self.build.clone());
        request
    }

    /// Asks the registry of `name`, as the engine sees it, what the name stands for now.
    pub async fn registry_digest(&self, name: &str) -> Result<RegistryAnswer, EngineError> {
        let request = pb::ResolveImageConfigRequest {
            r#ref: name.to_string(),
            resolve_mode: "pull".into(),
            log_name: format!("[internal] load metadata for {name}"),
            ..pb::ResolveImageConfigRequest::default()
        };
        match self.client().resolve_image_config(self.request(request)).await {
            Ok(answer) => Ok(match answer.into_inner().digest {
                digest if digest.is_empty() => {
                    RegistryAnswer::Absent("the engine names no digest for it".into())
                }
                digest => RegistryAnswer::Digest(digest),
            }),
            Err(status) => match status_error::read(&status) {
                BridgeError::Build { message, .. } => Ok(refusal(500, message)),
                BridgeError::Lost(cause) => Err(EngineError::Lost {
                    during: format!("the look-up of {name}"),
                    source: std::io::Error::other(cause),
                }),
            },
        }
    }

    /// The configuration of an image that has a digest, for a platform or the engine's own.
    pub async fn image_config(
        &self,
        name: &str,
        platform: Option<&Platform>,
    ) -> Result<Vec<u8>, BridgeError> {
        let request = pb::ResolveImageConfigRequest {
            r#ref: name.to_string(),
            platform: platform.map(|platform| llb::Platform {
                os: platform.os.clone(),
                architecture: platform.arch.clone(),
                variant: platform.variant.clone(),
                ..llb::Platform::default()
            }),
            log_name: format!("[internal] load metadata for {name}"),
            ..pb::ResolveImageConfigRequest::default()
        };
        let answer = self.client().resolve_image_config(self.request(request)).await;
        Ok(answer.map_err(|status| status_error::read(&status))?.into_inner().config)
    }

    async fn read_range(
        &self,
        reference: &str,
        path: &str,
        offset: usize,
        length: usize,
    ) -> Result<Vec<u8>, BridgeError> {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let request = pb::ReadFileRequest {
            r#ref: reference.to_string(),
            file_path: path.to_string(),
            range: Some(pb::FileRange { offset: number(offset), length: number(length) }),
            mount_index: 0,
        };
        let answer = self.client().read_file(self.request(request)).await;
        Ok(answer.map_err(|status| status_error::read(&status))?.into_inner().data)
    }

    /// Hands the result to the exporter, or ends the build.
    pub(super) async fn finish(&self, result: pb::ReturnRequest) -> Result<(), Status> {
        self.client().r#return(self.request(result)).await.map(drop)
    }
}

impl Bridge for GatewayBridge {
    async fn ping(&self) -> Result<Capabilities, BridgeError> {
        let pong = self
            .client()
            .ping(self.request(pb::PingRequest {}))
            .await
            .map_err(|status| status_error::read(&status))?
            .into_inner();
        Ok(Capabilities {
            gateway: enabled(pong.frontend_api_caps),
            llb: enabled(pong.llb_caps),
            platforms: pong.workers.into_iter().next().map(|w| w.platforms).unwrap_or_default(),
        })
    }

    async fn solve(&self, request: Solve) -> Result<Solved, BridgeError> {
        let mut message = pb::SolveRequest {
            allow_result_return: true,
            allow_result_array_ref: true,
            ..pb::SolveRequest::default()
        };
        match request {
            Solve::Frontend { name, options, inputs } => {
                message.frontend = name;
                message.frontend_opt = options.into_iter().collect();
                message.frontend_inputs = inputs.into_iter().collect();
            }
            Solve::Definition { definition, evaluate } => {
                message.definition = Some(definition);
                message.evaluate = evaluate;
            }
        }
        let answer = self
            .client()
            .solve(self.request(message))
            .await
            .map_err(|status| status_error::read(&status))?
            .into_inner();
        Ok(solved(answer.result.unwrap_or_default()))
    }

    async fn read_file(
        &self,
        reference: &str,
        path: &str,
        limit: usize,
    ) -> Result<Vec<u8>, BridgeError> {
        let mut file = Vec::new();
        loop {
            let part = self.read_range(reference, path, file.len(), READ_STEP).await?;
            file.extend_from_slice(&part);
            if part.len() < READ_STEP {
                return Ok(file);
            }
            if file.len() > limit {
                let message = format!("{path} is larger than {limit} bytes");
                return Err(BridgeError::Build { message, blame: None });
            }
        }
    }

    async fn read_start(
        &self,
        reference: &str,
        path: &str,
        length: usize,
    ) -> Result<Vec<u8>, BridgeError> {
        self.read_range(reference, path, 0, length.min(READ_STEP)).await
    }

    async fn run(
        &self,
        container: Container,
        input: Option<Input>,
        limits: Limits,
    ) -> Result<Ended, BridgeError> {
        self.run_beside(container, input, limits).await
    }
}

fn enabled(caps: Vec<ApiCap>) -> BTreeSet<String> {
    caps.into_iter().filter(|cap| cap.enabled).map(|cap| cap.id).collect()
}

/// Reads a result in any of the forms that engines use.
fn solved(result: pb::Result) -> Solved {
    let made = |reference: pb::Ref| Made {
        reference: Some(reference.id).filter(|id| !id.is_empty()),
        definition: reference.def.filter(|definition| !definition.def.is_empty()),
    };
    let named = |id: String| made(pb::Ref { id, def: None });
    let parts = match result.result {
        Some(Kind::Ref(reference)) => Parts::One(made(reference)),
        Some(Kind::RefDeprecated(id)) => Parts::One(named(id)),
        Some(Kind::Refs(map)) => {
            Parts::PerPlatform(map.refs.into_iter().map(|(key, part)| (key, made(part))).collect())
        }
        Some(Kind::RefsDeprecated(map)) => {
            Parts::PerPlatform(map.refs.into_iter().map(|(key, id)| (key, named(id))).collect())
        }
        None => Parts::default(),
    };
    Solved { parts, metadata: result.metadata.into_iter().collect() }
}

/// The result as `Return` wants it.
pub(super) fn returned(outcome: Outcome) -> pb::Result {
    let result = match outcome.references {
        Parts::One(reference) => {
            Kind::Ref(pb::Ref { id: reference.unwrap_or_default(), def: None })
        }
        // By name alone: an empty image would be an empty `Ref`, and engines fall over a map entry
        // whose value is empty.
        Parts::PerPlatform(map) => Kind::RefsDeprecated(pb::RefMapDeprecated {
            refs: map.into_iter().map(|(key, id)| (key, id.unwrap_or_default())).collect(),
        }),
    };
    pb::Result {
        metadata: outcome.metadata.into_iter().collect(),
        attestations: outcome.sboms.into_iter().map(|(id, made)| (id, sbom(made))).collect(),
        result: Some(result),
    }
}

/// A directory of SBOMs as BuildKit's own frontend hands it over.
///
/// Source: moby/buildkit, frontend/attestations/sbom/sbom.go.
fn sbom(reference: String) -> pb::Attestations {
    let said = |key: &str, value: &str| (key.to_string(), value.as_bytes().to_vec());
    let attestation = pb::Attestation {
        kind: pb::AttestationKind::Bundle as i32,
        metadata: [said("reason", "sbom"), said("sbom-core", "sbom")].into(),
        r#ref: Some(pb::Ref { id: reference, def: None }),
        in_toto_predicate_type: "https://spdx.dev/Document".into(),
        ..pb::Attestation::default()
    };
    pb::Attestations { attestation: vec![attestation] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_result_is_read() {
        let reference = |id: &str| pb::Ref { id: id.into(), def: None };
        let read = |kind| {
            let solved = solved(pb::Result { result: kind, ..pb::Result::default() });
            let parts = solved.parts.iter();
            parts
                .map(|(key, made)| (key.map(String::from), made.reference.clone()))
                .collect::<Vec<_>>()
        };
        let some = |text: &str| Some(text.to_string());
        assert_eq!(read(Some(Kind::Ref(reference("a")))), [(None, some("a"))]);
        let one = pb::RefMap { refs: [("linux/amd64".to_string(), reference("b"))].into() };
        assert_eq!(read(Some(Kind::Refs(one))), [(some("linux/amd64"), some("b"))]);
        let old = [("x".to_string(), "b".to_string()), ("y".to_string(), String::new())];
        let old = pb::RefMapDeprecated { refs: old.into() };
        assert_eq!(
            read(Some(Kind::RefsDeprecated(old))),
            [(some("x"), some("b")), (some("y"), None)]
        );
        assert_eq!(read(Some(Kind::RefDeprecated("c".into()))), [(None, some("c"))]);
        assert_eq!(read(Some(Kind::Ref(reference("")))), [(None, None)]);
        assert_eq!(read(None), [(None, None)]);
    }

    #[test]
    fn a_map_goes_back_as_a_map_without_empty_messages() {
        let one = [("linux/amd64".to_string(), None)].into();
        let outcome = Outcome { references: Parts::PerPlatform(one), ..Outcome::default() };
        let Some(Kind::RefsDeprecated(map)) = returned(outcome).result else { panic!("no map") };
        assert_eq!(map.refs["linux/amd64"], "");
        let one = Outcome { references: Parts::One(Some("a".into())), ..Outcome::default() };
        assert!(matches!(returned(one).result, Some(Kind::Ref(made)) if made.id == "a"));
    }
}
