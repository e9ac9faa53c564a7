//! The text of `cofferdam.toml`, strictly: what is not known is an error, with its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use cofferdam_frontend::day::Day;
use cofferdam_frontend::policy::{self, Level, Profile};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::error::ConfigError;
use super::exceptions::{EXCEPTABLE, Exception, IN_BASE, is_exceptable};
use super::{Config, Keep};
use crate::builders::suggest;
use crate::error::Place;

/// Stands for a Dockerfile that was read from standard input.
const STDIN: &str = "-";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    profile: Option<Spanned<String>>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    check: RawCheck,
    #[serde(default)]
    exception: Vec<Spanned<RawException>>,
    #[serde(default)]
    strip: RawStrip,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    #[serde(default)]
    registries: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    rule: Spanned<String>,
    secret: Option<Spanned<String>>,
    path: Spanned<String>,
    reason: Spanned<String>,
    owner: Option<Spanned<String>>,
    expires: Option<Spanned<Datetime>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStrip {
    capabilities: Option<bool>,
    #[serde(default)]
    keep: Vec<Spanned<RawKeep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKeep {
    path: Spanned<String>,
    reason: Spanned<String>,
    owner: Option<Spanned<String>>,
    expires: Option<Spanned<Datetime>>,
}

/// Reads the text of the file that is shown as `shown`.
pub(super) fn parse(shown: &str, bytes: Vec<u8>) -> Result<Config, ConfigError> {
    let source = Source { shown, bytes: &bytes };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        source.wrong(error.valid_up_to()..error.valid_up_to() + 1, "the file is not UTF-8", None)
    })?;
    let raw: Raw = toml::from_str(text).map_err(|error| {
        let message = error.message().trim().replace('\n', "; ");
        let hint = hint(&message);
        source.wrong(error.span().unwrap_or(0..1), message, hint)
    })?;
    let mut exceptions: Vec<Exception> = Vec::new();
    for entry in raw.exception {
        let exception = source.exception(entry)?;
        let same = |other: &Exception| {
            let known = |one: &Exception| (one.rule.clone(), one.secret.clone(), one.path.clone());
            known(other) == known(&exception)
        };
        if let Some(first) = exceptions.iter().find(|other| same(other)) {
            let at = exception.line;
            let message = format!("the same exception stands in line {} already", first.line);
            return Err(source.wrong_line(at, message));
        }
        exceptions.push(exception);
    }
    let keep =
        raw.strip.keep.into_iter().map(|entry| source.keep(entry)).collect::<Result<_, _>>()?;
    let profile = raw.profile.map(|profile| source.profile(&profile)).transpose()?;
    let rules = raw.rules.iter().map(|(rule, level)| source.rule(rule, level));
    let rules = rules.collect::<Result<_, _>>()?;
    let registries = raw.check.registries.into_iter().map(|registry| source.registry(registry));
    let registries = registries.collect::<Result<_, _>>()?;
    Ok(Config {
        profile,
        rules,
        registries,
        shown: shown.to_string(),
        directory: std::path::PathBuf::new(),
        exceptions,
        keep,
        strip_capabilities: raw.strip.capabilities.unwrap_or(true),
        text: bytes,
    })
}

/// What helps with a message of the parser.
fn hint(message: &str) -> Option<String> {
    if message.contains("expected a TOML datetime") {
        return Some("write a date without quotes: expires = 2027-02-01".into());
    }
    message
        .contains("missing field `reason`")
        .then(|| "say why, for whoever reads it next: reason = \"vendor ships no checksum\"".into())
}

/// The file, for messages.
struct Source<'a> {
    shown: &'a str,
    bytes: &'a [u8],
}

/// The rule that was probably meant.
fn suggestion(rule: &str) -> Option<String> {
    let exceptable = EXCEPTABLE.iter().map(ToString::to_string);
    let names = policy::every_about().into_iter().map(|about| about.id.to_string());
    let names: Vec<String> = names.chain(exceptable).collect();
    let near = suggest::near(rule, names);
    (near.len() == 1).then(|| format!("did you mean {}?", near.concat()))
}

impl Source<'_> {
    fn profile(&self, profile: &Spanned<String>) -> Result<Profile, ConfigError> {
        let name = profile.get_ref();
        Profile::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| {
            let hint = "profiles are \"standard\" and \"strict\"".to_string();
            self.wrong(profile.span(), format!("there is no profile {name:?}"), Some(hint))
        })
    }

    fn rule(
        &self,
        rule: &Spanned<String>,
        level: &Spanned<String>,
    ) -> Result<(String, Level), ConfigError> {
        let id = rule.get_ref();
        let Some(about) = policy::about(id).filter(|about| about.has_level()) else {
            // Rules of a build that no level changes.
            let known = policy::about(id).is_some() || EXCEPTABLE.contains(&id.as_str());
            let message = match known {
                true => format!("the rule {id:?} has no level: it always refuses"),
                false => format!("there is no rule {id:?}"),
            };
            let hint = suggestion(id).filter(|_| !known);
            let hint =
                hint.unwrap_or_else(|| "`cofferdam rules` tells which look at the text".into());
            return Err(self.wrong(rule.span(), message, Some(hint)));
        };
        let name = level.get_ref();
        let known = Level::ALL.into_iter().find(|known| known.name() == name);
        let level = known.ok_or_else(|| {
            let hint = "levels are \"deny\", \"warn\" and \"allow\"".to_string();
            self.wrong(level.span(), format!("there is no level {name:?}"), Some(hint))
        })?;
        Ok((about.id.to_string(), level))
    }

    fn registry(&self, registry: Spanned<String>) -> Result<String, ConfigError> {
        let text = registry.get_ref();
        let bad = |c: char| c.is_whitespace() || matches!(c, '*' | '@' | '?');
        let name = text.strip_prefix("*.").unwrap_or(text);
        if name.is_empty() || name.contains("://") || name.contains(bad) {
            let hint = "write a registry or a repository, like docker.io/library".to_string();
            return Err(self.wrong(
                registry.span(),
                format!("{text:?} names no registry"),
                Some(hint),
            ));
        }
        Ok(registry.into_inner())
    }

    fn exception(&self, entry: Spanned<RawException>) -> Result<Exception, ConfigError> {
        let line = self.place(&entry.span()).line;
        let RawException { rule, secret, path, reason, owner, expires } = entry.into_inner();
        if rule.get_ref() != IN_BASE && !is_exceptable(rule.get_ref()) {
            let message = format!("the rule {:?} knows no exceptions", rule.get_ref());
            let meant =
                suggestion(rule.get_ref()).filter(|_| policy::about(rule.get_ref()).is_none());
            let hint = meant.unwrap_or_else(|| {
                let list = EXCEPTABLE.join(", ");
                format!("rules that do: {list}, and all that look at the text (`cofferdam rules`)")
            });
            return Err(self.wrong(rule.span(), message, Some(hint)));
        }
        match &secret {
            None if rule.get_ref() == IN_BASE => {
                let hint = "name the secret that the base holds by chance: secret = \"ID\"";
                let message = format!("an exception from {IN_BASE} is for one secret");
                return Err(self.wrong(rule.span(), message, Some(hint.into())));
            }
            Some(secret) if rule.get_ref() != IN_BASE => {
                let message = format!("only exceptions from {IN_BASE} are for a secret");
                return Err(self.wrong(secret.span(), message, None));
            }
            _ => {}
        }
        let relative = Path::new(path.get_ref());
        let inside = relative.components().all(|part| {
            matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
        });
        if path.get_ref().is_empty() || !inside {
            return Err(self.wrong(
                path.span(),
                format!(
                    "the path {:?} does not lead to a Dockerfile below this file",
                    path.get_ref()
                ),
                Some(format!(
                    "write it as seen from this file, like docker/app.Dockerfile; {STDIN:?} is a \
                     Dockerfile from standard input"
                )),
            ));
        }
        Ok(Exception {
            rule: rule.into_inner(),
            secret: secret.map(|secret| self.said("secret", secret)).transpose()?,
            path: path.into_inner(),
            reason: self.said("reason", reason)?,
            owner: owner.map(|owner| self.said("owner", owner)).transpose()?,
            expires: self.date(expires)?,
            line,
        })
    }

    fn keep(&self, entry: Spanned<RawKeep>) -> Result<Keep, ConfigError> {
        let line = self.place(&entry.span()).line;
        let RawKeep { path, reason, owner, expires } = entry.into_inner();
        let text = path.get_ref();
        if !text.starts_with('/') || text.split('/').any(|part| part == "..") {
            return Err(self.wrong(
                path.span(),
                format!("the path {text:?} is not absolute"),
                Some("write the file's path in the image, like /usr/bin/sudo".into()),
            ));
        }
        Ok(Keep {
            path: path.into_inner(),
            reason: self.said("reason", reason)?,
            owner: owner.map(|owner| self.said("owner", owner)).transpose()?,
            expires: self.date(expires)?,
            line,
        })
    }

    /// Text that says something.
    fn said(&self, what: &str, text: Spanned<String>) -> Result<String, ConfigError> {
        if text.get_ref().trim().is_empty() {
            return Err(self.wrong(text.span(), format!("the {what} is empty"), None));
        }
        Ok(text.get_ref().trim().to_string())
    }

    fn date(&self, at: Option<Spanned<Datetime>>) -> Result<Option<Day>, ConfigError> {
        let Some(at) = at else { return Ok(None) };
        let whole_day = match *at.get_ref() {
            Datetime { date: Some(date), time: None, offset: None } => {
                Day::exact(date.year, date.month, date.day)
            }
            _ => None,
        };
        whole_day.map(Some).ok_or_else(|| {
            let hint = "write a day: expires = 2027-02-01".to_string();
            self.wrong(at.span(), format!("{} is no day", at.get_ref()), Some(hint))
        })
    }

    fn wrong(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> ConfigError {
        ConfigError::Wrong {
            message: message.into(),
            at: self.place(&span),
            text: self.bytes.to_vec(),
            hint,
        }
    }

    fn wrong_line(&self, line: usize, message: String) -> ConfigError {
        let at = Place { file: self.shown.to_string(), line, column: 1, length: 1 };
        ConfigError::Wrong { message, at, text: self.bytes.to_vec(), hint: None }
    }

    /// Line and column of a span; what it marks ends with its first line.
    fn place(&self, span: &Range<usize>) -> Place {
        let start = span.start.min(self.bytes.len());
        let (before, rest) = self.bytes.split_at(start);
        let characters = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().count();
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let marked = rest.get(..span.len()).unwrap_or(rest);
        let marked = marked.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        Place {
            file: self.shown.to_string(),
            line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
            column: characters(before.get(line_start..).unwrap_or_default()) + 1,
            length: characters(marked).max(1),
        }
    }
}
