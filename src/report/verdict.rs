//! The last lines of a build that was sealed.

use std::time::Duration;

use super::duration::human;
use super::size::short_digest;
use super::style::{Paint, Style};
use super::text::{count, printable};

/// How many names of a list are shown before the rest is only counted.
const NAMES_SHOWN: usize = 3;

/// Everything the verdict says, as plain data; at most seven lines come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The names of the image; none for a build without a tag.
    pub names: Vec<String>,
    /// The digest `docker run` accepts, whole.
    pub image: String,
    /// How long the build took.
    pub elapsed: Duration,
    /// What is known of the inputs.
    pub pinned: Option<Pinned>,
    /// What is true of the secrets, one text per secret, worded by the caller.
    pub secrets: Vec<String>,
    /// What the strip op did.
    pub stripped: Option<Stripped>,
    /// The user of the image, as `1000 (app)`.
    pub user: Option<String>,
    /// What was recorded, worded by the caller.
    pub record: Option<String>,
    /// What safety cost.
    pub cost: Option<Cost>,
}

/// The inputs of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// How many inputs there are; all of them are pinned.
    pub total: usize,
    /// How many of them this build added to the lock file.
    pub new: usize,
    /// The lock file.
    pub lock_file: String,
}

/// The files that had a set-uid or set-gid bit, by their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stripped {
    /// The files that lost it.
    pub removed: Vec<String>,
    /// The files that kept it by policy.
    pub kept: Vec<String>,
    /// How many commands work in the image all the same.
    pub smoke: usize,
}

/// The time ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Time spent in steps the cache could have answered.
    pub no_cache: Duration,
    /// Time spent in checks.
    pub checks: Duration,
    /// The part of it during which the build went on anyway.
    pub overlapped: Duration,
}

impl Verdict {
    /// The lines of the verdict, without newlines.
    pub fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = vec![line(style, Paint::Good, "sealed", &self.sealed())];
        let mut add = |label: &str, text: Option<String>| {
            lines.extend(text.map(|text| line(style, Paint::Strong, label, &text)));
        };
        add("pinned", self.pinned.as_ref().map(Pinned::text));
        let secrets = self.secrets.join("; ");
        add("secrets", Some(secrets).filter(|text| !text.is_empty()));
        add("stripped", self.stripped.as_ref().map(Stripped::text));
        add("user", self.user.clone());
        add("record", self.record.clone());
        add("cost", self.cost.as_ref().map(Cost::text));
        lines
    }

    fn sealed(&self) -> String {
        let names = match self.names.as_slice() {
            [] => "unnamed".to_owned(),
            names => list(names, ", "),
        };
        let image = short_digest(&self.image);
        format!("{names}  {image}  {}", human(self.elapsed))
    }
}

impl Pinned {
    fn text(&self) -> String {
        let inputs = count(self.total, "input");
        match self.new {
            0 => format!("{inputs} ({} unchanged)", self.lock_file),
            new => format!("{inputs} ({new} new in {})", self.lock_file),
        }
    }
}

impl Stripped {
    fn text(&self) -> String {
        let removed = match self.removed.len() {
            0 => "no set-uid files".to_owned(),
            number => {
                let files = count(number, "set-uid file");
                format!("{files}: {}", base_names(&self.removed))
            }
        };
        let kept = match self.kept.as_slice() {
            [] => String::new(),
            kept => format!("; kept {}: {}", kept.len(), base_names(kept)),
        };
        let smoke = match self.smoke {
            0 => String::new(),
            number => format!("; {} passed", count(number, "smoke test")),
        };
        format!("{removed}{kept}{smoke}")
    }
}

impl Cost {
    fn text(&self) -> String {
        let mut text = format!("no-cache {}, checks {}", human(self.no_cache), human(self.checks));
        if !self.overlapped.is_zero() {
            text += &format!(" of which {} overlapped", human(self.overlapped));
        }
        text
    }
}

/// One line: the label in a column of its own, the text on the same line whatever
/// it holds.
pub(super) fn line(style: Style, paint: Paint, label: &str, text: &str) -> String {
    let label = style.paint(paint, &format!("{label:<8}"));
    format!("{label}  {}", printable(text))
}

/// The first names, and dots when there are more.
fn list(names: &[String], separator: &str) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let shown = shown.join(separator);
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        _ => format!("{shown} …"),
    }
}

fn base_names(paths: &[String]) -> String {
    let base = |path: &String| path.rsplit('/').next().unwrap_or(path).to_owned();
    let names: Vec<String> = paths.iter().map(base).collect();
    list(&names, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn full() -> Verdict {
        Verdict {
            names: strings(&["app:1"]),
            image: "sha256:3f0c9a77b2d1".into(),
            elapsed: Duration::from_secs(72),
            pinned: Some(Pinned { total: 4, new: 2, lock_file: "cofferdam.lock".into() }),
            secrets: strings(&["npm: mounted only, never in the image graph"]),
            stripped: Some(Stripped {
                removed: strings(&["/bin/su", "/bin/mount", "/usr/bin/passwd", "/usr/bin/chsh"]),
                kept: Vec::new(),
                smoke: 0,
            }),
            user: Some("1000 (app)".into()),
            record: Some("provenance; not signed".into()),
            cost: Some(Cost {
                no_cache: Duration::from_millis(58_100),
                checks: Duration::from_millis(400),
                overlapped: Duration::from_millis(300),
            }),
        }
    }

    #[test]
    fn a_full_verdict_has_seven_lines_in_two_columns() {
        assert_eq!(
            full().lines(Style::PLAIN).join("\n"),
            "sealed    app:1  sha256:3f0c9a…  1m12s\n\
             pinned    4 inputs (2 new in cofferdam.lock)\n\
             secrets   npm: mounted only, never in the image graph\n\
             stripped  4 set-uid files: su mount passwd …\n\
             user      1000 (app)\n\
             record    provenance; not signed\n\
             cost      no-cache 58.1s, checks 0.4s of which 0.3s overlapped"
        );
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let verdict = Verdict {
            image: "sha256:3f0c9a77b2d1".into(),
            elapsed: Duration::from_millis(400),
            ..Verdict::default()
        };
        assert_eq!(verdict.lines(Style::PLAIN), ["sealed    unnamed  sha256:3f0c9a…  0.4s"]);
    }

    #[test]
    fn nothing_new_and_nothing_stripped_are_said_in_words() {
        let mut verdict = full();
        verdict.pinned = Some(Pinned { total: 1, new: 0, lock_file: "cofferdam.lock".into() });
        verdict.stripped =
            Some(Stripped { removed: Vec::new(), kept: strings(&["/bin/ping"]), smoke: 2 });
        verdict.cost = Some(Cost::default());
        let lines = verdict.lines(Style::PLAIN);
        assert_eq!(lines[1], "pinned    1 input (cofferdam.lock unchanged)");
        assert_eq!(lines[3], "stripped  no set-uid files; kept 1: ping; 2 smoke tests passed");
        assert_eq!(lines[6], "cost      no-cache 0.0s, checks 0.0s");
    }

    #[test]
    fn colours_add_nothing_but_colours() {
        let colored = full().lines(Style::COLOR).join("\n");
        let mut bare = String::new();
        for part in colored.split('\x1b') {
            bare += part
                .split_once('m')
                .map_or(part, |(code, rest)| if code.starts_with('[') { rest } else { part });
        }
        assert_eq!(bare, full().lines(Style::PLAIN).join("\n"));
    }

    #[test]
    fn names_from_the_image_cannot_add_lines_or_commands() {
        let mut verdict = full();
        verdict.stripped = Some(Stripped {
            removed: strings(&["/bin/a\nsealed    fake", "/bin/\x1b[2Jb"]),
            kept: Vec::new(),
            smoke: 0,
        });
        let lines = verdict.lines(Style::PLAIN);
        assert_eq!(lines.len(), 7);
        assert!(lines.iter().all(|line| !line.contains(['\n', '\x1b'])));
    }
}
