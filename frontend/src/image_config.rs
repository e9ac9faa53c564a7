//! The image configuration that the frontend returns with the result.
//!
//! Source: <https://github.com/opencontainers/image-spec/blob/main/config.md>.

use bollard_buildkit_proto::pb;
use serde_json::{Value, json};

/// The key under which a frontend returns the configuration of a single-platform image.
pub const CONFIG_KEY: &str = "containerimage.config";

/// The key under which a frontend returns the configuration of one platform's image, or of the only
/// one.
///
/// Source: moby/buildkit, exporter/containerimage/exptypes.
pub fn key(platform: Option<&str>) -> String {
    platform.map_or_else(|| CONFIG_KEY.to_string(), |id| format!("{CONFIG_KEY}/{id}"))
}

/// `os/architecture`, with the variant if there is one, as platforms are written.
pub(crate) fn platform(os: &str, architecture: &str, variant: &str) -> String {
    let slash = if variant.is_empty() { "" } else { "/" };
    format!("{os}/{architecture}{slash}{variant}")
}

/// The configuration is not what an engine's frontend returns.
#[derive(Debug, thiserror::Error)]
#[error("the engine's frontend returned no readable image configuration: {0}")]
pub struct ConfigError(String);

/// An image configuration, kept as JSON so that nothing in it is lost.
#[derive(Clone, Debug)]
pub struct ImageConfig(Value);

impl ImageConfig {
    /// Reads the JSON of a configuration.
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigError> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| ConfigError(error.to_string()))?;
        if value.is_object() { Ok(Self(value)) } else { Err(ConfigError("not an object".into())) }
    }

    /// The user that the image runs as; empty means root.
    pub fn user(&self) -> &str {
        self.text("User")
    }

    /// The platform it says it is for.
    pub fn platform(&self) -> Option<String> {
        let field = |name: &str| self.0.get(name).and_then(Value::as_str).unwrap_or_default();
        let (os, architecture) = (field("os"), field("architecture"));
        let whole = !os.is_empty() && !architecture.is_empty();
        whole.then(|| platform(os, architecture, field("variant")))
    }

    /// A text of what containers are made with; empty where the image does not say.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.of_containers(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of texts of what containers are made with.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let list = self.of_containers(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(String::from).collect()
    }

    fn of_containers(&self, key: &str) -> Option<&Value> {
        self.0.get("config")?.get(key)
    }

    /// The platform as ops name it; `None` when the image does not say, and the engine's own counts.
    pub(crate) fn platform_of_ops(&self) -> Option<pb::Platform> {
        let field = |name: &str| self.0.get(name)?.as_str().map(String::from);
        Some(pb::Platform {
            os: field("os")?,
            architecture: field("architecture")?,
            variant: field("variant").unwrap_or_default(),
            ..pb::Platform::default()
        })
    }

    /// Adds the history entry of one layer.
    ///
    /// It carries no time of its own: the engine fills in the layer's.
    pub fn add_history(&mut self, created_by: &str) {
        let entry = json!({ "created_by": created_by, "comment": "cofferdam" });
        if let Some(object) = self.0.as_object_mut() {
            let history = object.entry("history").or_insert_with(|| json!([]));
            match history.as_array_mut() {
                Some(entries) => entries.push(entry),
                None => *history = json!([entry]),
            }
        }
    }

    /// The JSON to hand to the exporter.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_grows_by_one_and_the_rest_stays() {
        let text = br#"{"config":{"User":"1000","Entrypoint":["/a"]},"history":[{"created_by":"x"}],"moby.x":1}"#;
        let mut config = ImageConfig::read(text).unwrap();
        config.add_history("cofferdam strip /bin/su");
        let out: Value = serde_json::from_slice(&config.to_bytes()).unwrap();
        assert_eq!(out["history"].as_array().unwrap().len(), 2);
        assert_eq!(out["history"][1]["comment"], "cofferdam");
        assert_eq!(out["moby.x"], 1);
        assert_eq!(config.user(), "1000");
    }

    #[test]
    fn history_that_is_null_becomes_a_list() {
        let mut config = ImageConfig::read(br#"{"history":null}"#).unwrap();
        config.add_history("x");
        assert_eq!(config.0["history"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_platform_is_whole_or_none() {
        let read = |text: &str| ImageConfig::read(text.as_bytes()).unwrap().platform();
        let arm = r#"{"os":"linux","architecture":"arm","variant":"v7"}"#;
        assert_eq!(read(arm).as_deref(), Some("linux/arm/v7"));
        assert_eq!(read(r#"{"os":"linux","architecture":"amd64"}"#).unwrap(), "linux/amd64");
        assert_eq!(read(r#"{"os":"linux"}"#), None);
    }

    #[test]
    fn something_else_is_an_error() {
        assert!(ImageConfig::read(b"[]").is_err());
        assert!(ImageConfig::read(b"{").is_err());
    }
}
