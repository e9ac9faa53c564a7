//! What the rules have against an image that was just built: its layers, and its configuration.

use std::collections::BTreeSet;

use cofferdam_contents::{Config, Finding, Options, judge};

use super::HardenedPlatform;
use super::inspect::Inspected;
use crate::graph::judge::Violation;

/// Paths of one finding that are told one by one.
const TOLD: usize = 3;

/// What speaks against the image of one platform, by rule and layer; nothing where the engine cannot
/// look through layers. `keep` are the files that may keep their bits and capabilities.
pub fn violations(platform: &HardenedPlatform, keep: &BTreeSet<String>) -> Vec<Violation> {
    let Some(inspected) = &platform.inspected else { return Vec::new() };
    let config = serde_json::from_slice(&platform.config.to_bytes()).unwrap_or_default();
    let bases = inspected.layers.iter().take_while(|layer| layer.base).count();
    // Layers are looked at as the steps made them: what `strip` takes away, it tells itself.
    let options = Options { keep: keep.clone(), strips_bits: true, strips_capabilities: true };
    let contents = &inspected.inspection.contents;
    let mut found = judge(contents, bases, &Config::of(&config), &options);
    found.extend(capabilities(platform, keep));
    found.into_iter().map(|finding| violation(finding, inspected)).collect()
}

/// Capabilities that `strip` has left though nobody named their files.
fn capabilities(platform: &HardenedPlatform, keep: &BTreeSet<String>) -> Option<Finding> {
    let kept = platform.report.iter().flat_map(|report| &report.kept);
    let files = kept.filter(|file| file.capabilities.is_some() && !keep.contains(&file.path));
    let mut paths = files.map(|file| file.path.clone()).peekable();
    paths.peek()?;
    let paths: Vec<String> = paths.collect();
    Some(Finding {
        rule: "file-capabilities",
        message: "capabilities are given to whoever starts a file".into(),
        layer: None,
        more: 0,
        paths,
        fix: "let strip take them away (strip.capabilities), and give the container what it needs \
              with --cap-add"
            .into(),
    })
}

fn violation(finding: Finding, inspected: &Inspected) -> Violation {
    let Finding { rule, message, layer, paths, more, fix } = finding;
    let named: Vec<&str> = paths.iter().take(TOLD).map(String::as_str).collect();
    let more = more.saturating_add(paths.len() - named.len());
    let mut message = message;
    if !named.is_empty() {
        message += &format!(": {}", named.join(", "));
    }
    if more > 0 {
        message += &format!(" and {more} more");
    }
    if let Some(layer) = layer {
        message += &format!(", {}", inspected.place(layer));
    }
    let layer = layer.and_then(|layer| inspected.layers.get(layer));
    let lines = layer.map(|layer| layer.lines.clone()).unwrap_or_default();
    Violation { rule, span: None, message, lines, fix }
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::pb;
    use cofferdam_contents::{Entry, FileKind, Gather};
    use cofferdam_inspector::report::inspection::Inspection;

    use super::*;
    use crate::graph::Layer;
    use crate::image_config::ImageConfig;

    fn layer(instruction: &str, line: usize, base: bool) -> Layer {
        Layer {
            edge: pb::Input::default(),
            parent: None,
            lines: vec![("Dockerfile".into(), line, line)],
            instruction: instruction.into(),
            stage: None,
            base,
            image: None,
        }
    }

    fn platform(paths: &[&str], config: &str) -> HardenedPlatform {
        let mut gather = Gather::new();
        for path in paths {
            gather.entry(&Entry {
                path: path.as_bytes(),
                kind: FileKind::File,
                mode: 0o4666,
                uid: 0,
                gid: 0,
                size: 1,
                capability: true,
                target: None,
            });
        }
        let contents = vec![Gather::new().finish(), gather.finish()];
        HardenedPlatform {
            id: "linux/amd64".into(),
            reference: None,
            sbom: None,
            config: ImageConfig::read(config.as_bytes()).unwrap(),
            sources: Vec::new(),
            excepted: Vec::new(),
            report: None,
            inspected: Some(Inspected {
                layers: vec![layer("debian", 1, true), layer("COPY . .", 3, false)],
                inspection: Inspection { contents, ..Inspection::default() },
                ..Inspected::default()
            }),
            networked: false,
        }
    }

    const USER: &str = r#"{"config":{"User":"1000"}}"#;

    #[test]
    fn a_violation_names_paths_layer_and_line() {
        let found = violations(&platform(&["a", "b", "c", "d", "e"], USER), &BTreeSet::new());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].message,
            "5 files and directories may be changed by everybody: /a, /b, /c and 2 more, \
             layer 2 of 2"
        );
        assert_eq!(found[0].lines, [("Dockerfile".into(), 3, 3)]);
    }

    #[test]
    fn the_configuration_that_is_exported_counts() {
        let found = violations(&platform(&[], r#"{"config":{"Cmd":["sh"]}}"#), &BTreeSet::new());
        assert_eq!(found[0].rule, "nonroot-user");
        assert_eq!(violations(&platform(&[], USER), &BTreeSet::new()), []);
    }

    #[test]
    fn what_was_not_looked_at_is_not_judged() {
        let unseen = HardenedPlatform { inspected: None, ..platform(&["a"], "{}") };
        assert_eq!(violations(&unseen, &BTreeSet::new()), []);
    }
}
