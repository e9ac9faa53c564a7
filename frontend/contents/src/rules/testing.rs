//! Images of the tests.

use super::judge;
use crate::{Config, Entry, FileKind, Finding, Gather, Options};

/// An image that is made up entry by entry.
#[derive(Default)]
pub(super) struct Image {
    pub(super) layers: Vec<Layer>,
    pub(super) base: usize,
    pub(super) config: Config,
    pub(super) options: Options,
}

#[derive(Default)]
pub(super) struct Layer(Gather);

impl Image {
    pub(super) fn layer(&mut self) -> &mut Layer {
        self.layers.push(Layer::default());
        self.layers.last_mut().unwrap()
    }

    pub(super) fn judge(&self) -> Vec<Finding> {
        let contents = |layer: &Layer| layer.0.contents.clone().finish();
        let layers: Vec<_> = self.layers.iter().map(contents).collect();
        // What is kept of a layer says the same.
        let text = serde_json::to_string(&layers).unwrap();
        assert_eq!(serde_json::from_str::<Vec<crate::Contents>>(&text).unwrap(), layers);
        judge(&layers, self.base, &self.config, &self.options)
    }

    pub(super) fn found(&self, rule: &str) -> Vec<Finding> {
        self.judge().into_iter().filter(|finding| finding.rule == rule).collect()
    }
}

const FILE: Entry<'static> = Entry {
    path: b"",
    kind: FileKind::File,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 1,
    capability: false,
    target: None,
};

impl Layer {
    fn put(&mut self, entry: Entry<'_>) -> &mut Self {
        self.0.entry(&entry);
        self
    }

    pub(super) fn file(&mut self, path: &str, mode: u32) -> &mut Self {
        self.put(Entry { path: path.as_bytes(), mode, ..FILE })
    }

    pub(super) fn owned(&mut self, path: &str, mode: u32, uid: u32, gid: u32) -> &mut Self {
        self.put(Entry { path: path.as_bytes(), mode, uid, gid, ..FILE })
    }

    pub(super) fn dir(&mut self, path: &str, mode: u32) -> &mut Self {
        self.owned_dir(path, mode, 0, 0)
    }

    pub(super) fn owned_dir(&mut self, path: &str, mode: u32, uid: u32, gid: u32) -> &mut Self {
        let kind = FileKind::Directory;
        self.put(Entry { path: path.as_bytes(), kind, mode, uid, gid, ..FILE })
    }

    pub(super) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        let (kind, target) = (FileKind::Symlink, Some(target.as_bytes()));
        self.put(Entry { path: path.as_bytes(), kind, mode: 0o777, target, ..FILE })
    }

    pub(super) fn kind(&mut self, path: &str, kind: FileKind) -> &mut Self {
        self.put(Entry { path: path.as_bytes(), kind, ..FILE })
    }

    pub(super) fn capability(&mut self, path: &str) -> &mut Self {
        self.put(Entry { path: path.as_bytes(), mode: 0o755, capability: true, ..FILE })
    }

    pub(super) fn sized(&mut self, path: &str, size: u64) -> &mut Self {
        self.put(Entry { path: path.as_bytes(), size, ..FILE })
    }

    pub(super) fn text(&mut self, path: &str, text: &str) -> &mut Self {
        let entry = Entry { path: path.as_bytes(), size: text.len() as u64, ..FILE };
        self.0.entry(&entry);
        if self.0.wants(&entry) {
            self.0.content(&entry, &mut text.as_bytes()).unwrap();
        }
        self
    }

    pub(super) fn remove(&mut self, path: &str) -> &mut Self {
        self.0.remove(path.as_bytes());
        self
    }
}
