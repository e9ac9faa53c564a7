//! Exceptions from rules: who asks for one uses it, and what was used is recorded.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cofferdam_frontend::day::Day;
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::policy::{self, About};

/// Rules that a recorded exception can lift; the others protect what no reason outweighs.
pub const EXCEPTABLE: [&str; 8] = [
    "git-ref",
    "host-network",
    "insecure-exec",
    "not-locked",
    "onbuild-trigger",
    "policy-disabled",
    "remote-add",
    "secret-in-arg",
];
/// A rule that an exception can lift for one secret, in what the build started from and nowhere else.
pub(super) const IN_BASE: &str = "secret-in-image";
/// How long a new exception is proposed for, in days.
const PROPOSED: u32 = 90;

/// Whether an exception can lift a rule: those above, and every rule that has a level.
pub(super) fn is_exceptable(rule: &str) -> bool {
    EXCEPTABLE.contains(&rule) || policy::about(rule).is_some_and(About::has_level)
}

/// One `[[exception]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The rule's name.
    pub rule: String,
    /// The secret or build argument that a base may hold.
    pub secret: Option<String>,
    /// The Dockerfile that it is for, as seen from the configuration; `-` for standard input.
    pub path: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Day>,
    /// The line of the configuration that begins it, from 1.
    pub line: usize,
}

/// The exceptions that hold for one Dockerfile; clones share what was used.
#[derive(Clone, Debug)]
pub struct Exceptions {
    list: Arc<Vec<(Exception, AtomicBool)>>,
    /// The configuration, as a path leads there from here.
    file: String,
    /// The Dockerfile as an exception would name it.
    path: String,
    today: Day,
}

impl Exceptions {
    pub(super) fn new(list: Vec<Exception>, file: String, path: String, today: Day) -> Self {
        let list = list.into_iter().map(|exception| (exception, AtomicBool::new(false)));
        Self { list: Arc::new(list.collect()), file, path, today }
    }

    /// The exception that lifts a rule, which counts as used from then on.
    pub fn allows(&self, rule: &str) -> Option<&Exception> {
        let (exception, used) = self.list.iter().find(|(exception, _)| exception.rule == rule)?;
        used.store(true, Ordering::Relaxed);
        Some(exception)
    }

    /// The exception that lets a base hold a secret's value, which counts as used from then on.
    pub fn allows_in_base(&self, secret: &str) -> Option<&Exception> {
        let (exception, used) = self.in_base(secret)?;
        used.store(true, Ordering::Relaxed);
        Some(exception)
    }

    /// Whether a base may hold a secret's value.
    pub fn would_allow_in_base(&self, secret: &str) -> bool {
        self.in_base(secret).is_some()
    }

    fn in_base(&self, secret: &str) -> Option<&(Exception, AtomicBool)> {
        let is_it = |exception: &Exception| {
            exception.rule == IN_BASE && exception.secret.as_deref() == Some(secret)
        };
        self.list.iter().find(|(exception, _)| is_it(exception))
    }

    /// The exception that would let a base hold a secret's value, as it is to be written.
    pub fn proposal_in_base(&self, secret: &str) -> String {
        let secret = toml::Value::from(secret);
        self.proposal(IN_BASE)
            .replacen("\npath", &format!("\nsecret = {secret}\npath"), 1)
            .replacen("if there is a reason", "if it stands there by chance", 1)
    }

    /// The rules that are lifted; whoever lets something through says so with [`Self::allows`].
    pub fn rules(&self) -> BTreeSet<String> {
        self.list.iter().map(|(exception, _)| exception.rule.clone()).collect()
    }

    /// What let something through.
    pub fn used(&self) -> Vec<&Exception> {
        self.filter(true)
    }

    /// What nothing needed.
    pub fn unused(&self) -> Vec<&Exception> {
        self.filter(false)
    }

    /// What is said of them at the end of a build.
    pub fn unused_notices(&self) -> Vec<String> {
        let say = |unused: &&Exception| {
            let title = unused.title();
            format!("{}:{}: nothing used {title}; remove it", self.file, unused.line)
        };
        self.unused().iter().map(say).collect()
    }

    fn filter(&self, wanted: bool) -> Vec<&Exception> {
        let list = self.list.iter();
        let list = list.filter(|(_, used)| used.load(Ordering::Relaxed) == wanted);
        list.map(|(exception, _)| exception).collect()
    }

    /// Adds to each rule's first fix the exception that would lift it, as it is to be written.
    pub fn offer(&self, violations: &mut [Violation]) {
        let mut offered = BTreeSet::new();
        for violation in violations {
            if is_exceptable(violation.rule) && offered.insert(violation.rule) {
                violation.fix = format!("{}\n{}", violation.fix, self.proposal(violation.rule));
            }
        }
    }

    fn proposal(&self, rule: &str) -> String {
        let path = toml::Value::from(self.path.as_str());
        let expires = self.today.plus_days(PROPOSED);
        format!(
            "or, if there is a reason, in cofferdam.toml:\n[[exception]]\nrule = \"{rule}\"\n\
             path = {path}\nreason = \"…\"\nexpires = {expires}"
        )
    }
}
