//! `--call` and `--check`: questions about a Dockerfile instead of a build.

use super::{boolean, csv};
use crate::error::Error;

/// A question to the frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is asked.
    pub method: CallMethod,
    /// How the answer is printed.
    pub format: CallFormat,
    /// Whether findings leave the exit code at 0.
    pub ignore_status: bool,
}

/// What the frontend can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallMethod {
    /// Its lint rules.
    Check,
    /// Arguments, secrets and ssh agents that a target uses.
    Outline,
    /// The stages.
    Targets,
    /// Another question, by BuildKit's name.
    Other(String),
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallFormat {
    /// For people.
    #[default]
    Text,
    /// As it came.
    Json,
}

impl CallMethod {
    /// BuildKit's `requestid`.
    pub fn request_id(&self) -> String {
        match self {
            Self::Check => "frontend.lint".into(),
            Self::Outline => "frontend.outline".into(),
            Self::Targets => "frontend.targets".into(),
            Self::Other(name) => format!("frontend.{name}"),
        }
    }
}

impl Call {
    /// Reads `method[,format=json][,ignorestatus=true]`; `build` is no question.
    pub(super) fn read(text: Option<&str>) -> Result<Option<Self>, Error> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let wrong = |what: String| {
            Error::usage_hint(
                format!("--call {text:?}: {what}"),
                "known are build, check, outline and targets, each with ,format=json",
            )
        };
        let (mut name, mut format, mut ignore_status) = (None, CallFormat::Text, false);
        for field in csv::fields(text).map_err(|error| wrong(error.to_string()))? {
            match field.split_once('=') {
                Some(("format", "json")) => format = CallFormat::Json,
                Some(("format", "text" | "")) => format = CallFormat::Text,
                Some(("ignorestatus", value)) => {
                    ignore_status = boolean::parse(value).map_err(wrong)?;
                }
                Some(_) => return Err(wrong(format!("invalid field {field}"))),
                None if name.is_some() => return Err(wrong("it names two methods".into())),
                None => name = Some(field),
            }
        }
        let method = match name.as_deref() {
            None | Some("") => return Err(wrong("it names no method".into())),
            Some("build") => return Ok(None),
            Some("check" | "lint") => CallMethod::Check,
            Some("outline") => CallMethod::Outline,
            Some("targets") => CallMethod::Targets,
            Some("subrequests.describe") => CallMethod::Other("subrequests.describe".into()),
            Some(_) => return Err(wrong("unknown method".into())),
        };
        Ok(Some(Self { method, format, ignore_status }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_formats_are_read() {
        let read = |text: &str| Call::read(Some(text));
        assert_eq!(read("build").unwrap(), None);
        assert_eq!(read("").unwrap(), None);
        assert_eq!(Call::read(None).unwrap(), None);
        let check = read("check,format=json,ignorestatus=true").unwrap().unwrap();
        assert_eq!(
            check,
            Call { method: CallMethod::Check, format: CallFormat::Json, ignore_status: true }
        );
        assert_eq!(read("lint").unwrap().unwrap().method.request_id(), "frontend.lint");
        assert_eq!(read("outline").unwrap().unwrap().method, CallMethod::Outline);
        for bad in [
            "nope",
            "check,outline",
            "format=json",
            "check,x=y",
            "check,format=xml",
            "check,ignorestatus=maybe",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
