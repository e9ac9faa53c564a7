//! How much a finding weighs in a project.

use std::collections::BTreeMap;

use super::catalog::PARSE_ERROR;
use super::finding::Severity;
use super::rule::About;
use super::rules::registry_not_allowed::RULE as REGISTRY_NOT_ALLOWED;

/// What a finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is not reported.
    Allow,
    /// It is reported.
    Warn,
    /// The check fails, and a build is refused.
    Deny,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Warn, Self::Deny];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// What findings do where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Severity critical denies, everything else warns.
    #[default]
    Standard,
    /// Severity high denies too, and rules that ask for more than most projects have are on.
    Strict,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Strict];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Strict => "strict",
        }
    }
}

/// From which severity on findings deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// From this one on.
    Severity(Severity),
    /// Findings never deny.
    Never,
}

/// What a project and a command line decide together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    pub profile: Profile,
    /// Of rules that the project names.
    pub rules: BTreeMap<String, Level>,
    /// Stands above the profile and the project's own `warn` and `deny`.
    pub fail_on: Option<FailOn>,
    /// Of rules that the command line names; stands above everything.
    pub asked: BTreeMap<String, Level>,
}

/// What a command line says, above what a project decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedLevels {
    pub profile: Option<Profile>,
    pub fail_on: Option<FailOn>,
    pub rules: BTreeMap<String, Level>,
}

impl Levels {
    /// A project's, with a command line above them.
    pub fn under(self, asked: AskedLevels) -> Self {
        let AskedLevels { profile, fail_on, rules } = asked;
        Self { profile: profile.unwrap_or(self.profile), fail_on, asked: rules, ..self }
    }

    /// Whether a rule needs to look at all.
    pub fn wants(&self, about: &About) -> bool {
        match self.named(about.id) {
            Some(level) => level != Level::Allow,
            None => !about.strict_only || self.profile == Profile::Strict,
        }
    }

    /// What a finding of a rule does.
    pub fn of(&self, rule: &str, severity: Severity) -> Level {
        if let Some(level) = self.asked.get(rule) {
            return *level;
        }
        let named = self.rules.get(rule).copied();
        match (named, self.fail_on) {
            (Some(Level::Allow), _) => Level::Allow,
            // A file that cannot be read was not checked.
            _ if rule == PARSE_ERROR.id && named.is_none() => Level::Deny,
            (_, Some(FailOn::Never)) => Level::Warn,
            (_, Some(FailOn::Severity(least))) => deny_if(severity >= least),
            (Some(level), None) => level,
            // A project that has written a list means it.
            (None, None) if rule == REGISTRY_NOT_ALLOWED => Level::Deny,
            (None, None) => deny_if(match self.profile {
                Profile::Standard => severity >= Severity::Critical,
                Profile::Strict => severity >= Severity::High,
            }),
        }
    }

    fn named(&self, rule: &str) -> Option<Level> {
        self.asked.get(rule).or_else(|| self.rules.get(rule)).copied()
    }
}

fn deny_if(deny: bool) -> Level {
    if deny { Level::Deny } else { Level::Warn }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(rule: &str, level: Level) -> BTreeMap<String, Level> {
        BTreeMap::from([(rule.to_string(), level)])
    }

    #[test]
    fn profiles_deny_from_a_severity_on() {
        let standard = Levels::default();
        assert_eq!(standard.of("x", Severity::Critical), Level::Deny);
        assert_eq!(standard.of("x", Severity::High), Level::Warn);
        let strict = Levels { profile: Profile::Strict, ..Levels::default() };
        assert_eq!(strict.of("x", Severity::High), Level::Deny);
        assert_eq!(strict.of("x", Severity::Medium), Level::Warn);
    }

    #[test]
    fn the_command_line_stands_above_the_project() {
        let mut levels = Levels { rules: named("x", Level::Deny), ..Levels::default() };
        assert_eq!(levels.of("x", Severity::Info), Level::Deny);
        levels.fail_on = Some(FailOn::Never);
        assert_eq!(levels.of("x", Severity::Critical), Level::Warn);
        levels.fail_on = Some(FailOn::Severity(Severity::Low));
        assert_eq!(levels.of("y", Severity::Low), Level::Deny);
        assert_eq!(levels.of("x", Severity::Info), Level::Warn);
        levels.asked = named("x", Level::Allow);
        assert_eq!(levels.of("x", Severity::Critical), Level::Allow);
    }

    #[test]
    fn what_is_allowed_stays_silent_and_what_cannot_be_read_fails() {
        let levels = Levels {
            rules: named("x", Level::Allow),
            fail_on: Some(FailOn::Severity(Severity::Info)),
            ..Levels::default()
        };
        assert_eq!(levels.of("x", Severity::Critical), Level::Allow);
        let never = Levels { fail_on: Some(FailOn::Never), ..Levels::default() };
        assert_eq!(never.of("parse-error", Severity::High), Level::Deny);
    }

    #[test]
    fn strict_rules_look_where_they_are_asked_to() {
        let strict_only = crate::policy::every_about().into_iter().find(|about| about.strict_only);
        let Some(about) = strict_only else { return };
        let mut levels = Levels::default();
        assert!(!levels.wants(about));
        levels.asked = named(about.id, Level::Warn);
        assert!(levels.wants(about));
        levels.asked = named(about.id, Level::Allow);
        levels.profile = Profile::Strict;
        assert!(!levels.wants(about));
    }
}
