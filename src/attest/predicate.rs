//! The same facts in the form in which buildx puts them into `--metadata-file`: BuildKit's
//! predicate, SLSA v0.2.
//!
//! Source: moby/buildkit, solver/llbsolver/provenance/types. Values of build arguments are left
//! out whatever is asked: the file is often kept as an artifact of CI.

use serde_json::{Value, json};

use super::provenance::{BUILDER, Facts, digest_set, place, source, time, vcs};

const BUILD_TYPE: &str = "https://mobyproject.org/buildkit@v1";
/// Where BuildKit keeps what the format has no place for.
const METADATA: &str = "https://mobyproject.org/buildkit@v1#metadata";

impl Facts<'_> {
    /// The predicate; `full` adds what the build was given and when it ran.
    pub fn predicate(&self, full: bool) -> Value {
        let materials: Vec<Value> = self.sources.iter().filter_map(material).collect();
        let mut parameters = json!({ "frontend": "dockerfile.v0" });
        if let Some(target) = self.target {
            parameters["args"] = json!({ "target": target });
        }
        if self.context.is_some() {
            parameters["locals"] = json!([{ "name": "context" }, { "name": "dockerfile" }]);
        }
        let entry_point = self.dockerfile.rsplit('/').next().unwrap_or_default();
        let mut predicate = json!({
            "builder": { "id": format!("{BUILDER}/{}", place(self.in_ci)) },
            "buildType": BUILD_TYPE,
            "materials": materials,
            "invocation": {
                "configSource": { "entryPoint": entry_point },
                "environment": { "platform": self.platform },
            },
        });
        if full {
            let secrets: Vec<Value> =
                self.secret_ids.iter().map(|id| json!({ "id": id })).collect();
            if !secrets.is_empty() {
                parameters["secrets"] = json!(secrets);
            }
            predicate["metadata"] = json!({
                "buildInvocationID": self.invocation,
                "buildStartedOn": time(self.started),
                "buildFinishedOn": time(self.finished),
                "completeness": {
                    "parameters": false,
                    "environment": true,
                    "materials": self.is_complete(),
                },
                "reproducible": false,
                METADATA: { "vcs": vcs(self.origin) },
            });
        }
        predicate["invocation"]["parameters"] = parameters;
        predicate
    }
}

fn material(bound: &cofferdam_frontend::graph::judge::BoundSource) -> Option<Value> {
    let resource = source(bound)?;
    let digest = bound.digest.as_deref().map(digest_set);
    Some(json!({ "uri": resource["uri"], "digest": digest.unwrap_or_else(|| json!({})) }))
}
