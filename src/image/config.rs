//! What an image's configuration says of its layers.
//!
//! Source: OCI image specification, config.md.

use serde::Deserialize;

/// The parts that matter here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) created: Option<String>,
    #[serde(default)]
    rootfs: RootFs,
    // Some programs write `null` for an empty list.
    #[serde(default)]
    history: Option<Vec<Step>>,
}

#[derive(Debug, Default, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Step {
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    empty_layer: bool,
}

impl Config {
    /// Digests of the layers as they are without packing, the lowest first.
    pub(super) fn diff_ids(&self) -> &[String] {
        &self.rootfs.diff_ids
    }

    /// What made each layer; empty where the history does not fit.
    pub(super) fn instructions(&self) -> Vec<String> {
        let steps = self.history.iter().flatten();
        let made: Vec<&Step> = steps.filter(|step| !step.empty_layer).collect();
        if made.len() != self.rootfs.diff_ids.len() {
            return vec![String::new(); self.rootfs.diff_ids.len()];
        }
        made.into_iter().map(|step| shown(&step.created_by)).collect()
    }

    /// All steps, those without a layer too; without layers where the history does not fit.
    pub(super) fn steps(&self) -> Vec<Made> {
        let steps = || self.history.iter().flatten();
        let fits = steps().filter(|step| !step.empty_layer).count() == self.diff_ids().len();
        let mut layers = 0..self.diff_ids().len();
        let made = |step: &Step| Made {
            instruction: shown(&step.created_by),
            layer: if step.empty_layer || !fits { None } else { layers.next() },
        };
        steps().map(made).collect()
    }
}

/// A step of a build, as the history tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What was written.
    pub instruction: String,
    /// The number of its layer, from 0; `None` where it made none.
    pub layer: Option<usize>,
}

/// An instruction as it was written, without what builders put around it.
fn shown(created_by: &str) -> String {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    let command = text.strip_prefix("RUN /bin/sh -c ").or_else(|| text.strip_prefix("/bin/sh -c "));
    match command.map(|command| (command, command.strip_prefix("#(nop) "))) {
        Some((_, Some(other))) => other.trim().to_string(),
        Some((command, None)) => format!("RUN {command}"),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_as_they_were_written() {
        for (written, told) in [
            ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
            ("/bin/sh -c #(nop) ADD file:1 in / ", "ADD file:1 in /"),
            ("/bin/sh -c make", "RUN make"),
            ("COPY . /app # buildkit", "COPY . /app"),
        ] {
            assert_eq!(shown(written), told);
        }
    }

    #[test]
    fn a_history_that_does_not_fit_names_nothing() {
        let config: Config = serde_json::from_str(
            r#"{"rootfs":{"diff_ids":["a","b"]},"history":[{"created_by":"RUN x"}]}"#,
        )
        .unwrap();
        assert_eq!(config.instructions(), ["", ""]);
    }
}
