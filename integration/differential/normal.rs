//! Texts without what is different in every build: names, directories, digests, times.

use regex::Regex;

use crate::arm::Arm;

/// What to replace in the texts of one arm.
pub struct Normal {
    image: String,
    root: String,
    /// IDs of the arm's images, and how they are called.
    ids: Vec<(String, String)>,
    digest: Regex,
    time: Regex,
}

impl Normal {
    pub fn new(arm: &Arm, ids: &[(String, String)]) -> Self {
        Self {
            image: arm.image.clone(),
            root: arm.root().to_str().unwrap().into(),
            ids: ids.to_vec(),
            digest: Regex::new("(sha256:)?[0-9a-f]{64}").unwrap(),
            time: Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap(),
        }
    }

    /// The text with names that both arms share. Digests of their images become names too.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.image, "IMAGE").replace(&self.root, "ROOT");
        for (id, name) in &self.ids {
            text = text.replace(id, &format!("<{name}>"));
            text = text
                .replace(id.trim_start_matches("sha256:"), &format!("<{name} without sha256:>"));
        }
        text
    }

    /// The same without digests and times that only this build has.
    pub fn output(&self, text: &str) -> String {
        let text = self.text(text);
        let text = self.digest.replace_all(&text, "<digest>");
        self.time.replace_all(&text, "<time>").into_owned()
    }

    /// Digests in a text.
    pub fn digests(text: &str) -> Vec<String> {
        let digest = Regex::new("sha256:[0-9a-f]{64}").unwrap();
        digest.find_iter(text).map(|found| found.as_str().to_string()).collect()
    }
}
