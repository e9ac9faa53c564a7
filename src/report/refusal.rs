//! The last lines of a build that was refused.

use super::finding::{Finding, Level, findings};
use super::style::{Paint, Style};
use super::text::count;
use super::verdict::line;

/// Why a build was refused, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The names the image would have had.
    pub names: Vec<String>,
    /// What was found, errors and warnings.
    pub findings: Vec<Finding>,
    /// How to see the findings that are only counted.
    pub all: String,
}

impl Refusal {
    /// The lines of the refusal, without newlines: what happened, then the findings.
    pub fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = vec![line(style, Paint::Bad, "refused", &self.summary())];
        lines.extend(findings(&self.findings, style, &self.all));
        lines
    }

    fn summary(&self) -> String {
        let number = |level| self.findings.iter().filter(|f| f.level == level).count();
        let name = self.names.first().map_or("unnamed", String::as_str);
        let mut text = format!("{name}  {}", count(number(Level::Error), "finding"));
        if number(Level::Warning) > 0 {
            text += &format!(", {}", count(number(Level::Warning), "warning"));
        }
        text += ", nothing exported";
        match self.names.as_slice() {
            [] => {}
            [name] => text += &format!(", {name} unchanged"),
            names => text += &format!(", {} names unchanged", names.len()),
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::snippet::Snippet;

    fn leak() -> Finding {
        Finding {
            rule: "secret-in-layer".into(),
            level: Level::Error,
            message: "secret \"npm\" is in the image".into(),
            snippet: Some(Snippet {
                file: "Dockerfile".into(),
                line: 7,
                column: 1,
                source: b"RUN --mount=type=secret,id=npm cp /run/secrets/npm .npmrc && npm ci"
                    .to_vec(),
                length: 3,
                label: "/app/.npmrc (raw, whole value), layer 3 of 5".into(),
            }),
            notes: Vec::new(),
            fix: vec!["RUN --mount=type=secret,id=npm,target=/app/.npmrc npm ci".into()],
            see: Some("cofferdam explain secret-in-layer".into()),
        }
    }

    #[test]
    fn a_refusal_says_what_where_why_and_how_to_fix_it() {
        let refusal =
            Refusal { names: vec!["app:1".into()], findings: vec![leak()], all: String::new() };
        assert_eq!(
            refusal.lines(Style::PLAIN).join("\n"),
            "refused   app:1  1 finding, nothing exported, app:1 unchanged\n\
             error[secret-in-layer]: secret \"npm\" is in the image\n  \
               --> Dockerfile:7:1\n   \
                |\n \
              7 | RUN --mount=type=secret,id=npm cp /run/secrets/npm .npmrc && npm ci\n   \
                | ^^^ /app/.npmrc (raw, whole value), layer 3 of 5\n   \
                |\n   \
                = fix: RUN --mount=type=secret,id=npm,target=/app/.npmrc npm ci\n   \
                = see: cofferdam explain secret-in-layer"
        );
    }

    #[test]
    fn several_names_are_counted_and_none_is_said() {
        let mut refusal = Refusal {
            names: vec!["a:1".into(), "a:2".into()],
            findings: vec![leak(), leak()],
            all: String::new(),
        };
        let first = |refusal: &Refusal| refusal.lines(Style::PLAIN).remove(0);
        assert_eq!(
            first(&refusal),
            "refused   a:1  2 findings, nothing exported, 2 names unchanged"
        );
        refusal.names.clear();
        assert_eq!(first(&refusal), "refused   unnamed  2 findings, nothing exported");
    }
}
