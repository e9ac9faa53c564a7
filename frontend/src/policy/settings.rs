//! What a project decides about the rules' own questions.

use crate::day::Day;
use crate::dockerfile::Scope;

/// What rules need to know besides the file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Build arguments, target and named contexts, as a build would have them.
    pub scope: Scope,
    /// Registries and repositories that bases may come from, such as `docker.io/library` or
    /// `registry.example.com`; empty allows all.
    pub registries: Vec<String>,
    /// The day of the check; without it nothing is too old.
    pub today: Option<Day>,
}
