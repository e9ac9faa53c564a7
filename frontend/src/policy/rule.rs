//! What a rule is.

use super::finding::{Findings, Severity};
use super::view::View;

/// The rule that proves the absence of the build's own secrets.
const SECRET_IN_IMAGE: &str = "secret-in-image";

/// A rule's name, weight and page.
#[derive(Debug)]
pub struct About {
    /// Its name everywhere: reports, ignore comments, `cofferdam.toml`, its page, its example.
    pub id: &'static str,
    /// One line for lists.
    pub title: &'static str,
    pub severity: Severity,
    /// The names other tools have for it; their ignore comments count for it.
    pub also: &'static [&'static str],
    /// Where it looks.
    pub places: &'static [Place],
    /// Whether only the profile `strict` has it.
    pub strict_only: bool,
    /// `docs/rules/<id>.md`.
    pub page: &'static str,
}

impl About {
    /// Whether a project decides what its findings do. Rules that prove what the build stands on,
    /// such as pins and the absence of secrets, always refuse.
    pub fn has_level(&self) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Text | Place::Image))
            && self.id != SECRET_IN_IMAGE
    }
}

/// Where a rule can see something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The Dockerfile's bytes.
    Text,
    /// The graph that the engine runs.
    Graph,
    /// The files that are sent to the engine.
    Context,
    /// Layers and configuration of the result.
    Image,
    /// What the steps print.
    Log,
    /// The command line and the configuration of a build.
    Request,
}

impl Place {
    /// Its name in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Graph => "graph",
            Self::Context => "context",
            Self::Image => "image",
            Self::Log => "log",
            Self::Request => "request",
        }
    }
}

/// A rule: what it is about, and a check for each place where it looks.
pub trait Rule: Sync {
    fn about(&self) -> &'static About;

    /// Whether a build needs no word of the text: it mends what stands there, as it does with names
    /// that have no digest, or judges it where it happens, on the graph.
    fn decided_by_build(&self) -> bool {
        false
    }

    /// Looks at the text. Must be quick, must not fail, and must prefer silence to doubt.
    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let _ = (view, found);
    }
}
