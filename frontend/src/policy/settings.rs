//! What a project decides about the rules' own questions.

use std::fmt;

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

/// A day of the calendar; later days are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    pub year: u16,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

impl Day {
    /// A day that the caller knows to exist.
    pub const fn new(year: u16, month: u8, day: u8) -> Self {
        Self { year, month, day }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}
