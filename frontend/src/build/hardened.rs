//! What a build of ours comes to before it is exported.

use std::collections::BTreeMap;

use cofferdam_inspector::report::StripReport;

use super::inspect::Inspected;
use crate::bridge::{Outcome, Parts};
use crate::graph::judge::{BoundSource, Violation};
use crate::image_config::{self, ImageConfig};

/// A result that was judged and stripped, and is not exported yet.
#[derive(Clone, Debug)]
pub struct Hardened {
    pub(super) platforms: Vec<HardenedPlatform>,
    per_platform: bool,
    metadata: BTreeMap<String, Vec<u8>>,
}

/// One platform's image.
#[derive(Clone, Debug)]
pub struct HardenedPlatform {
    /// `linux/amd64` and the like.
    pub id: String,
    /// The engine's name of the result; `None` for an empty image.
    pub reference: Option<String>,
    /// The engine's name of the SBOM that is to be attached, a generator's or ours.
    pub sbom: Option<String>,
    /// The configuration as it will be exported.
    pub config: ImageConfig,
    /// Everything that was read for it.
    pub sources: Vec<BoundSource>,
    /// What would have been refused without a recorded exception.
    pub excepted: Vec<Violation>,
    /// What the helper found; `None` for an empty image.
    pub report: Option<StripReport>,
    /// What its layers were found to hold; `None` where the engine cannot look through them.
    pub inspected: Option<Inspected>,
    /// Whether some step had a network and could read what is not in `sources`.
    pub networked: bool,
}

impl Hardened {
    /// Puts platforms together; `metadata` is the frontend's, with configurations to replace.
    pub(super) fn new(
        platforms: Vec<HardenedPlatform>,
        per_platform: bool,
        mut metadata: BTreeMap<String, Vec<u8>>,
    ) -> Self {
        for platform in &platforms {
            let key = image_config::key(per_platform.then_some(platform.id.as_str()));
            metadata.insert(key, platform.config.to_bytes());
        }
        Self { platforms, per_platform, metadata }
    }

    /// Puts together what several engines made of the same build, each for platforms of its own.
    ///
    /// `None` when there is nothing, or something that does not tell platforms apart.
    pub fn join(parts: Vec<Self>) -> Option<Self> {
        if parts.iter().any(|part| !part.per_platform) {
            return None;
        }
        let mut parts = parts.into_iter();
        let mut joined = parts.next()?;
        for part in parts {
            joined.platforms.extend(part.platforms);
            joined.metadata.extend(part.metadata);
        }
        joined.platforms.sort_by(|a, b| a.id.cmp(&b.id));
        Some(joined)
    }

    /// The images, in the order of their platforms' ids.
    pub fn platforms(&self) -> &[HardenedPlatform] {
        &self.platforms
    }

    /// Whether the result tells platforms apart, and an index will be made of it.
    pub fn is_per_platform(&self) -> bool {
        self.per_platform
    }

    /// What goes with the images, their configurations included.
    pub fn metadata(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.metadata
    }

    /// What the exporter gets.
    pub fn outcome(&self) -> Outcome {
        let mut named =
            self.platforms.iter().map(|platform| (platform.id.clone(), platform.reference.clone()));
        let references = if self.per_platform {
            Parts::PerPlatform(named.collect())
        } else {
            Parts::One(named.next().and_then(|(_, reference)| reference))
        };
        let sboms = self.platforms.iter();
        let sboms =
            sboms.filter_map(|platform| Some((platform.id.clone(), platform.sbom.clone()?)));
        Outcome { references, metadata: self.metadata.clone(), sboms: sboms.collect() }
    }

    /// Everything that any platform read, each once.
    pub fn sources(&self) -> Vec<BoundSource> {
        once(self.platforms.iter().flat_map(|platform| &platform.sources))
    }

    /// What would have been refused without a recorded exception, each once.
    pub fn excepted(&self) -> Vec<Violation> {
        once(self.platforms.iter().flat_map(|platform| &platform.excepted))
    }

    /// What the helper found, with the platform's id.
    pub fn reports(&self) -> impl Iterator<Item = (&str, &StripReport)> {
        self.platforms
            .iter()
            .filter_map(|platform| Some((platform.id.as_str(), platform.report.as_ref()?)))
    }

    /// Whether some step had a network and could read what is not in the sources.
    pub fn networked(&self) -> bool {
        self.platforms.iter().any(|platform| platform.networked)
    }
}

fn once<'a, T: Clone + PartialEq + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for one in all {
        if !found.contains(one) {
            found.push(one.clone());
        }
    }
    found
}
