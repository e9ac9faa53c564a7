//! `cofferdam inspect`: what an image holds and what speaks against it, whoever built it.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_contents::{Config, Options, judge};
use cofferdam_frontend::day::Day;
use cofferdam_frontend::policy::{AskedLevels, Level, Levels, Severity, about};

use crate::config;
use crate::error::Error;
use crate::image::{self, Image};
use crate::request::ImageRequest;

mod mask;
mod secrets;

pub use secrets::SecretResult;

use mask::Mask;

/// What a project says of images.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// What findings do.
    pub levels: Levels,
    /// Files that may keep their set-uid bit and capabilities, as absolute paths.
    pub keep: BTreeSet<String>,
}

impl Project {
    /// What a configuration says on a day, with a command line above it.
    pub fn of(config: Option<&config::Config>, asked: AskedLevels, today: Day) -> Self {
        let levels = config.map(config::Config::levels).unwrap_or_default().under(asked);
        // A build would be refused for an entry that has ended; here it allows nothing any more.
        let keep = config.iter().flat_map(|config| &config.keep);
        let keep = keep.filter(|keep| keep.expires.is_none_or(|last| last >= today));
        Self { levels, keep: keep.map(|keep| keep.path.clone()).collect() }
    }
}

/// An image that was inspected; none of the values that were searched for is in it.
#[derive(Debug)]
pub struct Inspection {
    /// The image; its instructions are masked.
    pub image: Image,
    /// The name that it was asked for by.
    pub name: String,
    /// As whom it runs; `root` where nobody says.
    pub user: String,
    /// What it runs.
    pub command: Vec<String>,
    /// What speaks against it, the worst first.
    pub findings: Vec<Judged>,
    /// What the search for each secret came to.
    pub secrets: Vec<SecretResult>,
    /// Bytes of files that were searched for them.
    pub searched: u64,
    /// Archives that were not unpacked in that search.
    pub unpacked_not: u64,
    /// How many packages there are of each kind.
    pub packages: BTreeMap<String, usize>,
}

/// Something that speaks against an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the project denies it.
    pub denied: bool,
    /// One sentence.
    pub message: String,
    /// The layer that brought it, from 0.
    pub layer: Option<usize>,
    /// The first paths.
    pub paths: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// What to do about it.
    pub fix: String,
}

impl Inspection {
    /// Whether the project denies anything, or a secret was found.
    pub fn is_denied(&self) -> bool {
        self.findings.iter().any(|finding| finding.denied)
    }
}

/// Reads an image, looks through it, and judges it.
pub fn run(request: &ImageRequest, project: &Project) -> Result<Inspection, Error> {
    let mut image = image::read(request)?;
    let needles = request.secrets.needles();
    let mut mask = Mask::new(needles);
    let value = serde_json::from_slice(&image.config).unwrap_or_default();
    let config = Config::of(&value);
    let options = Options { keep: project.keep.clone(), ..Options::default() };
    let leaks = secrets::findings(&image, needles);
    let found = judge(&image.contents, 0, &config, &options);
    let mut findings = leaks;
    findings.extend(found.into_iter().filter_map(|found| {
        let severity = about(found.rule).map_or(Severity::Medium, |about| about.severity);
        let wanted = about(found.rule).is_none_or(|about| project.levels.wants(about));
        let level = project.levels.of(found.rule, severity);
        (wanted && level != Level::Allow).then(|| Judged {
            rule: found.rule.to_string(),
            severity,
            denied: level == Level::Deny,
            message: mask.text(&found.message),
            layer: found.layer,
            paths: found.paths.iter().map(|path| mask.text(path)).collect(),
            more: found.more,
            fix: mask.text(&found.fix),
        })
    }));
    findings.sort_by_key(|it| (std::cmp::Reverse((it.denied, it.severity)), it.rule.clone()));
    let secrets = secrets::results(&image, request);
    let searched = image.searched.iter().map(|layer| layer.bytes).sum();
    let unpacked_not = image.searched.iter().map(|layer| layer.unread_total).sum();
    for instruction in &mut image.instructions {
        *instruction = mask.text(instruction);
    }
    for step in &mut image.steps {
        step.instruction = mask.text(&step.instruction);
    }
    let mut packages = BTreeMap::new();
    for package in &image.inventory.packages {
        *packages.entry(package.ecosystem.to_string()).or_insert(0) += 1;
    }
    let named = image.names.first().map_or("image", String::as_str);
    let name = request.source.name().unwrap_or(named).to_string();
    let user = match config.user.as_str() {
        "" => "root".to_string(),
        user => mask.text(user),
    };
    let command = config.entrypoint.iter().chain(&config.cmd);
    let command = command.map(|word| mask.text(word)).collect();
    Ok(Inspection {
        name: mask.text(&name),
        user,
        command,
        findings,
        secrets,
        searched,
        unpacked_not,
        packages,
        image,
    })
}

#[cfg(test)]
mod tests;
