//! The warnings of the engine, summed up after the progress.

use std::collections::HashSet;

use bollard_buildkit_proto::moby::buildkit::v1::VertexWarning;
use bollard_buildkit_proto::pb;

use super::excerpt::{Span, excerpt};
use super::filter::Filter;
use super::style::{Paint, Style};

/// The warnings of a build, each once however many steps reported it.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    seen: HashSet<Identity>,
    list: Vec<VertexWarning>,
}

/// Everything that tells one warning from another; the step does not.
type Identity =
    ((i64, Vec<u8>, Vec<Vec<u8>>, String), Option<(String, Vec<u8>)>, Vec<[Option<(i32, i32)>; 2]>);

impl Warnings {
    /// Adds the warnings of one message of the status stream.
    pub fn extend(&mut self, warnings: &[VertexWarning]) {
        for warning in warnings {
            if self.seen.insert(identity(warning)) {
                self.list.push(warning.clone());
            }
        }
    }

    /// The warnings in the order in which they came.
    pub fn list(&self) -> &[VertexWarning] {
        &self.list
    }

    /// The summary as buildx prints it: one line each, and with `details` the
    /// explanation, the link and the excerpt.
    pub fn summary(&self, details: bool, style: Style, filter: &impl Filter) -> Vec<u8> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            filter.text(&text).into_owned()
        };
        let title = match self.list.len() {
            1 => "1 warning found".to_owned(),
            count => format!("{count} warnings found"),
        };
        let hint = if details { "" } else { " (use --debug to expand)" };
        let title = style.paint(Paint::Warning, &format!("{title}{hint}:"));
        let mut out = format!("\n {title}\n").into_bytes();
        for warning in &self.list {
            out.extend_from_slice(format!(" - {}\n", text(&warning.short)).as_bytes());
            if details {
                for detail in &warning.detail {
                    out.extend_from_slice(format!("{}\n", text(detail)).as_bytes());
                }
                if !warning.url.is_empty() {
                    let url = filter.text(&warning.url);
                    out.extend_from_slice(format!("More info: {url}\n").as_bytes());
                }
                out.extend(source_of(warning, filter).unwrap_or_default());
                out.push(b'\n');
            }
        }
        out
    }
}

fn source_of(warning: &VertexWarning, filter: &impl Filter) -> Option<Vec<u8>> {
    let info = warning.info.as_ref()?;
    let spans: Vec<Span> = warning.ranges.iter().map(Span::from).collect();
    let source = excerpt(&info.filename, &info.data, &spans)?;
    let lines: Vec<_> = source.split(|&byte| byte == b'\n').map(|line| filter.line(line)).collect();
    Some(lines.join(&b'\n'))
}

fn identity(warning: &VertexWarning) -> Identity {
    let place = |position: Option<pb::Position>| position.map(|at| (at.line, at.character));
    let ranges = warning.ranges.iter();
    (
        (warning.level, warning.short.clone(), warning.detail.clone(), warning.url.clone()),
        warning.info.as_ref().map(|info| (info.filename.clone(), info.data.clone())),
        ranges.map(|range| [place(range.start), place(range.end)]).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::filter::Unfiltered;

    fn warning(vertex: &str, short: &str) -> VertexWarning {
        VertexWarning {
            vertex: vertex.into(),
            short: short.into(),
            detail: vec![b"The 'as' keyword should match".to_vec()],
            url: "https://docs.docker.com/go/dockerfile/rule/from-as-casing/".into(),
            info: Some(pb::SourceInfo {
                filename: "Dockerfile".into(),
                data: b"FROM a as b".to_vec(),
                ..Default::default()
            }),
            ranges: vec![pb::Range {
                start: Some(pb::Position { line: 1, character: 0 }),
                end: Some(pb::Position { line: 1, character: 0 }),
            }],
            ..Default::default()
        }
    }

    fn summary(warnings: &Warnings, details: bool) -> String {
        let bytes = warnings.summary(details, Style::PLAIN, &Unfiltered);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn the_same_warning_of_two_steps_counts_once() {
        let mut warnings = Warnings::default();
        assert_eq!(summary(&warnings, false), "");
        warnings.extend(&[warning("a", "FromAsCasing"), warning("b", "FromAsCasing")]);
        assert_eq!(
            summary(&warnings, false),
            "\n 1 warning found (use --debug to expand):\n - FromAsCasing\n"
        );
        warnings.extend(&[warning("b", "Other")]);
        assert!(summary(&warnings, false).starts_with("\n 2 warnings found"));
    }

    #[test]
    fn details_show_the_place() {
        let mut warnings = Warnings::default();
        warnings.extend(&[warning("a", "FromAsCasing")]);
        assert_eq!(
            summary(&warnings, true),
            "\n 1 warning found:\n - FromAsCasing\n\
             The 'as' keyword should match\n\
             More info: https://docs.docker.com/go/dockerfile/rule/from-as-casing/\n\
             Dockerfile:1\n--------------------\n   1 | >>> FROM a as b\n\
             --------------------\n\n"
        );
    }
}
