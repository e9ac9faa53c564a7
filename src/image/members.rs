//! Names in an archive of an image, and links between them.

use std::collections::BTreeMap;

/// Links by name: Docker 20.10 writes a layer that two images share once.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeMap<String, String>);

/// The name of a member, without what some programs put before it.
pub(super) fn name(path: &[u8]) -> String {
    String::from_utf8_lossy(path).trim_start_matches("./").to_string()
}

impl Links {
    /// The member that a name stands for; a link of a link is none.
    pub(super) fn resolved<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, String::as_str)
    }

    /// A link; a symbolic one begins where it stands.
    pub(super) fn add(&mut self, name: String, target: &[u8], symbolic: bool) {
        let target = String::from_utf8_lossy(target);
        let base = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut parts: Vec<&str> = if symbolic { base.split('/').collect() } else { Vec::new() };
        for part in target.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "" | "." => {}
                part => parts.push(part),
            }
        }
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let target = parts.collect::<Vec<_>>().join("/");
        self.0.insert(name, target);
    }
}
