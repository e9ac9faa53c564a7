//! Texts without what is different in every build: names, directories, digests, times.

use std::sync::LazyLock;

use regex::Regex;

use crate::arm::Arm;

static DIGEST: LazyLock<Regex> = LazyLock::new(|| Regex::new("sha256:[0-9a-f]{64}").unwrap());
static HEX: LazyLock<Regex> = LazyLock::new(|| Regex::new("(sha256:)?[0-9a-f]{64}").unwrap());
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap());

/// What to replace in the texts of one arm.
pub struct Normal {
    names: Vec<(String, String)>,
}

impl Normal {
    /// `ids` are those of the arm's images, and how they are called.
    pub fn new(arm: &Arm, ids: &[(String, String)]) -> Self {
        let mut names = vec![
            (arm.image.clone(), "IMAGE".into()),
            (arm.root().to_str().unwrap().into(), "ROOT".into()),
            (arm.setting.engine.registry.clone(), "REGISTRY".into()),
        ];
        for (id, name) in ids {
            let hex = id.trim_start_matches("sha256:");
            names.push((id.clone(), format!("<{name}>")));
            names.push((hex.into(), format!("<{name} without sha256:>")));
        }
        Self { names }
    }

    /// The text with names that both arms share.
    pub fn text(&self, text: &str) -> String {
        self.names.iter().fold(text.into(), |text, (name, is)| text.replace(name, is))
    }

    /// The same without digests and times that only this build has.
    pub fn output(&self, text: &str) -> String {
        let text = self.text(text);
        let text = HEX.replace_all(&text, "<digest>");
        TIME.replace_all(&text, "<time>").into_owned()
    }
}

/// Digests in a text.
pub fn digests(text: &str) -> Vec<String> {
    DIGEST.find_iter(text).map(|found| found.as_str().to_string()).collect()
}
