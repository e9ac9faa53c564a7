//! Flags that say how findings weigh, and the names in them.

use clap::Args;
use cofferdam_frontend::policy::{AskedLevels, FailOn, Level, Profile, Severity, every_about};

use crate::builders::suggest;

#[derive(Debug, Args)]
pub(super) struct LevelFlags {
    /// standard or strict, above cofferdam.toml
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<Profile>,
    /// Level of a rule: deny, warn or allow, above cofferdam.toml
    #[arg(long = "rule", value_name = "ID=LEVEL", value_parser = rule)]
    rules: Vec<(String, Level)>,
    /// Deny from a severity on: critical, high, medium, low, info, or never
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on)]
    fail_on: Option<FailOn>,
}

impl LevelFlags {
    /// What they ask for; of a rule that is named twice the last one counts.
    pub(super) fn asked(self) -> AskedLevels {
        let Self { profile, rules, fail_on } = self;
        AskedLevels { profile, fail_on, rules: rules.into_iter().collect() }
    }
}

fn profile(text: &str) -> Result<Profile, String> {
    let known = Profile::ALL.into_iter().find(|profile| profile.name() == text);
    known.ok_or_else(|| "profiles are standard and strict".into())
}

fn fail_on(text: &str) -> Result<FailOn, String> {
    let severity = Severity::ALL.into_iter().find(|severity| severity.name() == text);
    match (severity, text) {
        (Some(severity), _) => Ok(FailOn::Severity(severity)),
        (None, "never") => Ok(FailOn::Never),
        (None, _) => Err("severities are critical, high, medium, low and info; or never".into()),
    }
}

fn rule(text: &str) -> Result<(String, Level), String> {
    let (id, level) = text.split_once('=').ok_or("write it as ID=LEVEL, like sudo=deny")?;
    let known = Level::ALL.into_iter().find(|known| known.name() == level);
    let level = known.ok_or("levels are deny, warn and allow")?;
    rule_id(id).map(|id| (id.to_string(), level))
}

/// A rule's id, or what was probably meant.
pub(super) fn rule_id(id: &str) -> Result<&'static str, String> {
    let rules = every_about();
    if let Some(about) = rules.iter().find(|about| about.id == id) {
        return Ok(about.id);
    }
    if let Some(about) =
        rules.iter().find(|about| about.also.iter().any(|other| other.eq_ignore_ascii_case(id)))
    {
        return Err(format!("here it is called {}", about.id));
    }
    let near = suggest::near(id, rules.iter().map(|about| about.id.to_string()).collect());
    match near.as_slice() {
        [one] => Err(format!("there is no such rule; did you mean {one}?")),
        _ => Err("there is no such rule; `cofferdam rules` lists all".into()),
    }
}
