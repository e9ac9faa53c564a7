//! What is said about a lock: short lines for people, one object for machines.

use cofferdam_frontend::pins::{Entry, LockChange, Reference};
use serde_json::{Value, json};

use super::plan::{Plan, Why};
use super::text::Pinned;
use super::wanted::Wanted;
use crate::inputs::LockFile;
use crate::report::size::short_digest;
use crate::report::text::printable;
use crate::request::{DockerfileText, LockAction, LockFormat, LockRequest};

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The Dockerfile names it, the lock does not.
    Missing,
    /// It is locked, but not for every platform.
    Lacking,
    /// It is or would be locked.
    Added,
    /// It stands or would stand for something else.
    Changed,
    /// It was or would be dropped.
    Dropped,
    /// This Dockerfile does not name it, somebody else may.
    Kept,
    /// No lock can hold it.
    Open,
    /// Two branches disagreed.
    Disputed,
    /// The Dockerfile says it now.
    Pinned,
    /// The Dockerfile could not say it.
    Left,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub told: Told,
    /// `image`, `http` or `git`; empty where that is no matter.
    pub kind: &'static str,
    /// Of what.
    pub name: String,
    /// What it stood for.
    pub before: Option<String>,
    /// What it stands for.
    pub after: Option<String>,
    /// Where it is named.
    pub line: Option<usize>,
    /// More words.
    pub note: Option<String>,
}

/// Everything that is said.
#[derive(Debug)]
pub struct Report {
    action: LockAction,
    format: LockFormat,
    lock: String,
    dockerfile: String,
    entries: usize,
    written: bool,
    lines: Vec<Line>,
}

impl Line {
    fn new(told: Told, kind: &'static str, name: String) -> Self {
        Self { told, kind, name, before: None, after: None, line: None, note: None }
    }

    fn of(told: Told, entry: &Entry) -> Self {
        let after = Some(entry.stands_for().to_string());
        Self { after, ..Self::new(told, entry.kind(), entry.name()) }
    }

    /// A name as people write it.
    fn shown(&self) -> String {
        let image = (self.kind == "image").then(|| Reference::parse_normalized(&self.name).ok());
        let shown = image.flatten().map(|reference| reference.familiar());
        printable(&shown.unwrap_or_else(|| self.name.clone()))
    }

    fn json(&self) -> Value {
        let mut said = json!({ "change": self.told.id(), "name": self.name });
        let more = [
            ("kind", Some(Value::from(self.kind)).filter(|_| !self.kind.is_empty())),
            ("before", self.before.clone().map(Value::from)),
            ("after", self.after.clone().map(Value::from)),
            ("line", self.line.map(Value::from)),
            ("note", self.note.clone().map(Value::from)),
        ];
        for (key, value) in more {
            if let (Some(value), Some(said)) = (value, said.as_object_mut()) {
                said.insert(key.into(), value);
            }
        }
        said
    }
}

impl Told {
    fn id(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Lacking => "lacking",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Kept => "kept",
            Self::Open => "open",
            Self::Disputed => "disputed",
            Self::Pinned => "pinned",
            Self::Left => "left",
        }
    }

    /// Whether the lock is not what it should be.
    fn is_change(self) -> bool {
        matches!(self, Self::Missing | Self::Lacking | Self::Added | Self::Changed | Self::Dropped)
    }

    /// The first word of its line.
    fn word(self, action: LockAction) -> &'static str {
        match (self, action) {
            (Self::Added, LockAction::Write) => "locked",
            (Self::Added, LockAction::Diff) => "lock",
            (Self::Added, _) => "missing",
            (Self::Changed, LockAction::Diff) => "change",
            (Self::Changed, LockAction::Check) => "stale",
            (Self::Dropped, LockAction::Diff) => "drop",
            (Self::Dropped, LockAction::Check) => "unused",
            _ => self.id(),
        }
    }
}

impl Report {
    pub(super) fn new(request: &LockRequest, file: &LockFile, written: &DockerfileText) -> Self {
        let lock = request.build.lock_path.display().to_string();
        Self {
            action: request.action,
            format: request.format,
            lock: lock.strip_prefix("./").unwrap_or(&lock).to_string(),
            dockerfile: written.source().shown,
            entries: file.content.entries().count(),
            written: false,
            lines: Vec::new(),
        }
    }

    /// What no lock can hold.
    pub(super) fn open(&mut self, wanted: &Wanted) {
        for (line, name, why) in &wanted.open {
            let said = Line::new(Told::Open, "", name.clone());
            self.lines.push(Line { line: Some(*line), note: Some(why.clone()), ..said });
        }
    }

    pub(super) fn disputed(&mut self, names: &[String]) {
        for name in names {
            let note = Some("both sides of the merge locked it differently".into());
            let kind = if Reference::parse_normalized(name).is_ok() { "image" } else { "" };
            self.lines.push(Line { note, ..Line::new(Told::Disputed, kind, name.clone()) });
        }
    }

    /// What there would be to do, without asking anybody.
    pub(super) fn plan(&mut self, plan: &Plan) {
        for task in &plan.tasks {
            let (told, note) = match &task.why {
                Why::Lacks(platforms) => (Told::Lacking, Some(platforms.join(", "))),
                Why::Missing | Why::Again => (Told::Missing, None),
            };
            let said = Line::new(told, task.what.kind(), task.what.name());
            self.lines.push(Line { line: task.line, note, ..said });
        }
        self.lines.extend(plan.unused.iter().map(|entry| Line::of(Told::Dropped, entry)));
        self.kept(plan);
    }

    /// What was done or would be.
    pub(super) fn changes(&mut self, changes: &[LockChange], plan: &Plan) {
        for change in changes {
            let (told, entry, before) = match change {
                LockChange::Added(entry) => (Told::Added, entry, None),
                LockChange::Removed(entry) => (Told::Dropped, entry, None),
                LockChange::Changed { before, after } => (Told::Changed, after, Some(before)),
            };
            let mut line = Line::of(told, entry);
            let same = |before: &&Entry| before.stands_for() == entry.stands_for();
            match before {
                Some(before) if same(&before) => line.note = Some("platforms".into()),
                before => line.before = before.map(|before| before.stands_for().to_string()),
            }
            let task = plan
                .tasks
                .iter()
                .find(|task| task.what.kind() == line.kind && task.what.name() == line.name);
            line.line = task.and_then(|task| task.line);
            self.lines.push(line);
        }
        self.kept(plan);
    }

    fn kept(&mut self, plan: &Plan) {
        for entry in &plan.kept {
            // What only a build's graph or command line names was never in the Dockerfile.
            let elsewhere = matches!(entry, Entry::Image(image) if image.named.is_some());
            if !elsewhere {
                self.lines.push(Line::of(Told::Kept, entry));
            }
        }
    }

    /// What the Dockerfile says now.
    pub(super) fn pinned(&mut self, pinned: &Pinned, written: bool) {
        self.written = written;
        for done in &pinned.images.replacements {
            let line = Some(done.line);
            let said = Line::new(Told::Pinned, "image", done.after.clone());
            self.lines.push(Line { line, ..said });
        }
        for line in &pinned.adds {
            let said = Line::new(Told::Pinned, "", "ADD".into());
            self.lines.push(Line { line: Some(*line), ..said });
        }
        for left in &pinned.images.left {
            let (line, note) = (Some(left.line), Some(left.why.to_string()));
            let said = Line::new(Told::Left, "image", left.reference.clone());
            self.lines.push(Line { line, note, ..said });
        }
        self.lines.sort_by_key(|line| line.line);
    }

    pub(super) fn entries(&mut self, entries: usize) {
        self.entries = entries;
    }

    pub(super) fn written(&mut self) {
        self.written = true;
    }

    /// Whether a check found fault.
    pub fn is_stale(&self) -> bool {
        self.action == LockAction::Check && self.would_change()
    }

    fn would_change(&self) -> bool {
        self.lines.iter().any(|line| line.told.is_change())
    }

    /// What is printed.
    pub fn print(&self) -> String {
        match self.format {
            LockFormat::Text => self.text(),
            LockFormat::Json => format!("{:#}\n", self.json()),
        }
    }

    fn state(&self) -> &'static str {
        match (self.written, self.would_change()) {
            (true, _) => "written",
            (false, true) => "stale",
            (false, false) => "fresh",
        }
    }

    fn json(&self) -> Value {
        let changes: Vec<Value> = self.lines.iter().map(Line::json).collect();
        json!({
            "lock": self.lock,
            "dockerfile": self.dockerfile,
            "state": self.state(),
            "entries": self.entries,
            "changes": changes,
        })
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let mut say = |word: &str, rest: &[String]| {
            let rest: Vec<&str> =
                rest.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
            out.push_str(format!("{word:<9} {}", rest.join("  ")).trim_end());
            out.push('\n');
        };
        for line in &self.lines {
            let place = line.line.map(|line| format!("{}:{line}", self.dockerfile));
            let place = place.unwrap_or_default();
            let note = line.note.clone().unwrap_or_default();
            let short = |digest: &Option<String>| digest.as_deref().map(short).unwrap_or_default();
            let rest = match line.told {
                Told::Changed if line.before.is_some() => {
                    let now = format!("{}, was {}", short(&line.after), short(&line.before));
                    vec![line.shown(), now]
                }
                Told::Added | Told::Changed => vec![line.shown(), short(&line.after), note],
                Told::Dropped => vec![line.shown()],
                Told::Kept => {
                    let why = "this Dockerfile does not name it; --prune drops it";
                    vec![line.shown(), why.into()]
                }
                Told::Pinned if line.kind.is_empty() => vec![line.shown(), place],
                Told::Pinned => vec![line.shown(), place],
                Told::Missing | Told::Lacking | Told::Open | Told::Disputed | Told::Left => {
                    vec![line.shown(), note, place]
                }
            };
            say(line.told.word(self.action), &rest);
        }
        let entries = match self.entries {
            1 => "1 entry".to_string(),
            number => format!("{number} entries"),
        };
        match (self.action, self.state()) {
            (LockAction::Dockerfile, _) => {}
            (LockAction::Check, "stale") => {
                say("stale", &[self.lock.clone(), "run: cofferdam lock".into()]);
            }
            (LockAction::Diff, "stale") => {}
            (_, state) => say(state, &[self.lock.clone(), entries]),
        }
        out
    }
}

/// A digest or a commit for eyes.
fn short(text: &str) -> String {
    const SHOWN: usize = 12;
    match text.contains(':') {
        true => short_digest(text),
        false => text.chars().take(SHOWN).collect(),
    }
}
