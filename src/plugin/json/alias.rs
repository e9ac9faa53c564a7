//! `aliases.builder` of Docker's `config.json`.
//!
//! Everything else keeps its bytes: order, blanks, line ends, spellings of strings.

use std::ops::Range;

use serde_json::Value;

use super::Splice;
use super::scan::{Member, Object};

const ALIASES: &str = "aliases";
const BUILDER: &str = "builder";
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Why the text is left alone.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::plugin) enum Damaged {
    /// It is no JSON, or no object. Its words are not repeated: the file holds credentials.
    #[error("it is not JSON from line {0}, column {1} on")]
    NoJson(usize, usize),
    /// JSON, and not what Docker reads.
    #[error("{0}")]
    Shape(&'static str),
}

/// What makes the alias `name`; `None` when it is that already.
pub(in crate::plugin) fn set(text: &str, name: &str) -> Result<Option<Splice>, Damaged> {
    let value = Value::from(name).to_string();
    let Some(config) = Config::read(text)? else {
        // Docker takes an empty file for an empty configuration.
        let inserted = format!("{{\n\t\"{ALIASES}\": {{\n\t\t\"{BUILDER}\": {value}\n\t}}\n}}\n");
        return Ok(Some(Splice { at: text.len(), removed: String::new(), inserted }));
    };
    let style = Style::of(text, &config.top);
    let object = style.object(&format!("\"{BUILDER}\"{}{value}", style.colon));
    Ok(match (&config.aliases, &config.inner, &config.builder) {
        (None, ..) => Some(style.add(text, &config.top, ALIASES, &object)),
        (_, _, Some(builder)) if text.get(builder.clone()) == Some(&value) => None,
        (_, _, Some(builder)) => Some(replace(text, builder, value)),
        (_, Some(inner), None) if !inner.members.is_empty() => {
            Some(Style::of(text, inner).add(text, inner, BUILDER, &value))
        }
        (Some(aliases), ..) => Some(replace(text, aliases, object)),
    })
}

/// The alias, if there is one.
pub(in crate::plugin) fn get(text: &str) -> Result<Option<String>, Damaged> {
    let builder = Config::read(text)?.and_then(|config| config.builder);
    Ok(builder.and_then(|at| serde_json::from_str(text.get(at)?).ok()))
}

/// What takes the alias away; `None` when there is none.
pub(in crate::plugin) fn remove(text: &str) -> Result<Option<Splice>, Damaged> {
    let Some(config) = Config::read(text)? else { return Ok(None) };
    let (Some(inner), Some(builder)) = (&config.inner, &config.builder) else { return Ok(None) };
    let (object, value) = match (inner.members.len(), &config.aliases) {
        (1, Some(aliases)) => (&config.top, aliases),
        _ => (inner, builder),
    };
    let range = with_comma(object, value);
    Ok(range.map(|range| replace(text, &range, String::new())))
}

/// Whether `one` is `other` with the alias `before`, or with none, and else means the same.
pub(in crate::plugin) fn differ_by_alias_only(
    one: &str,
    other: &str,
    before: Option<&str>,
) -> bool {
    let rest = |text: &str| {
        let mut value: Value = match text.trim_matches(BLANKS) {
            "" => Value::Object(serde_json::Map::new()),
            text => serde_json::from_str(text).ok()?,
        };
        let map = value.as_object_mut()?;
        for (name, aliases) in map.iter_mut() {
            if name.eq_ignore_ascii_case(ALIASES) {
                aliases.as_object_mut().map(|aliases| aliases.remove(BUILDER));
            }
        }
        map.retain(|name, value| {
            let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
            !(name.eq_ignore_ascii_case(ALIASES) && empty)
        });
        Some(value)
    };
    get(one).is_ok_and(|alias| alias.as_deref() == before)
        && rest(one).is_some()
        && rest(one) == rest(other)
}

/// The parts of a configuration that matter here, by their places.
struct Config {
    top: Object,
    /// The value of `aliases`.
    aliases: Option<Range<usize>>,
    /// The object that it is; `None` where it is `null`, which Docker reads as no aliases.
    inner: Option<Object>,
    /// The value of `builder` in it.
    builder: Option<Range<usize>>,
}

impl Config {
    /// `None` for a text without anything in it.
    fn read(text: &str) -> Result<Option<Self>, Damaged> {
        if text.trim_matches(BLANKS).is_empty() {
            return Ok(None);
        }
        if let Err(error) = serde_json::from_str::<Value>(text) {
            return Err(Damaged::NoJson(error.line(), error.column()));
        }
        let top = Object::at(text, 0).ok_or(Damaged::Shape("it is no JSON object"))?;
        // Docker reads its own keys in any case, and the keys of a map as they are.
        let twice = "it has aliases twice";
        let aliases = only(&top, |name| name.eq_ignore_ascii_case(ALIASES), twice)?;
        let mut inner = None;
        let mut builder = None;
        if let Some(aliases) = &aliases {
            inner = Object::at(text, aliases.start);
            if inner.is_none() && text.get(aliases.clone()) != Some("null") {
                return Err(Damaged::Shape("its aliases are no JSON object"));
            }
        }
        if let Some(inner) = &inner {
            builder = only(inner, |name| name == BUILDER, "it has aliases.builder twice")?;
            let strings = inner.members.iter().all(|member| {
                text.get(member.value.clone()).is_some_and(|value| value.starts_with('"'))
            });
            if !strings {
                return Err(Damaged::Shape("one of its aliases is no string"));
            }
        }
        Ok(Some(Self { top, aliases, inner, builder }))
    }
}

fn only(
    object: &Object,
    wanted: impl Fn(&str) -> bool,
    twice: &'static str,
) -> Result<Option<Range<usize>>, Damaged> {
    let mut found = object.members.iter().filter(|member| wanted(&member.name));
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Err(Damaged::Shape(twice)),
        (first, _) => Ok(first.map(|member| member.value.clone())),
    }
}

/// A member from its key to its end, with the comma that parts it from another.
fn with_comma(object: &Object, value: &Range<usize>) -> Option<Range<usize>> {
    let members: &[Member] = &object.members;
    let at = members.iter().position(|member| member.value == *value)?;
    let key = members.get(at)?.key.start;
    let before = at.checked_sub(1).and_then(|at| members.get(at));
    Some(match (before, members.get(at + 1)) {
        (_, Some(next)) => key..next.key.start,
        (Some(before), None) => before.value.end..value.end,
        (None, None) => object.inside.clone(),
    })
}

fn replace(text: &str, range: &Range<usize>, inserted: String) -> Splice {
    let removed = text.get(range.clone()).unwrap_or_default().to_string();
    Splice { at: range.start, removed, inserted }
}

/// How an object is written.
struct Style {
    /// What stands before a key: nothing, a space, or a new line and its indentation.
    before: String,
    /// What one more level adds to the indentation.
    unit: String,
    /// What parts key and value.
    colon: String,
}

impl Style {
    fn of(text: &str, object: &Object) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let Some(first) = object.members.first() else {
            let before = format!("{newline}\t");
            return Self { before, unit: "\t".into(), colon: ": ".into() };
        };
        let blanks = text.get(object.inside.start..first.key.start).unwrap_or_default();
        let (before, unit) = match blanks.rfind('\n') {
            Some(line) => {
                let indentation = blanks.get(line + 1..).unwrap_or_default();
                (format!("{newline}{indentation}"), indentation.to_string())
            }
            None => (blanks.to_string(), String::new()),
        };
        let colon = text.get(first.key.end..first.value.start).unwrap_or_default();
        let colon = if colon.contains(['\n', '\r']) { ": " } else { colon };
        Self { before, unit, colon: colon.to_string() }
    }

    /// An object with one member, as a value in the object of this style.
    fn object(&self, member: &str) -> String {
        let Self { before, unit, .. } = self;
        match before.contains('\n') {
            true => format!("{{{before}{unit}{member}{before}}}"),
            false => format!("{{{before}{member}{before}}}"),
        }
    }

    /// Adds a member at the end of an object.
    fn add(&self, text: &str, object: &Object, name: &str, value: &str) -> Splice {
        let Self { before, colon, .. } = self;
        let member = format!("\"{name}\"{colon}{value}");
        let (at, inserted) = match object.members.last() {
            Some(last) => {
                // Between a compact object's members stands what the text has there, or nothing.
                let between = match object.members.as_slice() {
                    [first, second, ..] if !before.contains('\n') => text
                        .get(first.value.end..second.key.start)
                        .and_then(|between| between.split_once(','))
                        .map_or("", |(_, behind)| behind),
                    _ => before,
                };
                (last.value.end, format!(",{between}{member}"))
            }
            None => {
                let newline = before.trim_end_matches([' ', '\t']);
                let inside = text.get(object.inside.clone()).unwrap_or_default();
                let end = if inside.contains('\n') { "" } else { newline };
                (object.inside.start, format!("{before}{member}{end}"))
            }
        };
        Splice { at, removed: String::new(), inserted }
    }
}

#[cfg(test)]
mod tests;
