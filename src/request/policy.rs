//! `--policy`: buildx's own policies, written in Rego.

use std::path::{Path, PathBuf};

use super::{boolean, csv};
use crate::error::Error;

/// The policy that buildx would evaluate unasked: `<Dockerfile>.rego` beside it.
pub(super) fn beside(dockerfile: Option<&Path>) -> Option<PathBuf> {
    let mut name = dockerfile?.as_os_str().to_os_string();
    name.push(".rego");
    Some(PathBuf::from(name)).filter(|path| path.is_file())
}

/// What is asked about buildx's policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Files to evaluate.
    pub files: Vec<String>,
    /// Whether all of them are switched off.
    pub disabled: bool,
}

impl Policy {
    /// Reads all of them.
    pub(super) fn read(typed: &[String]) -> Result<Self, Error> {
        let mut policy = Self::default();
        for text in typed {
            policy.add(text).map_err(|reason| {
                Error::usage_hint(
                    format!("--policy {text:?}: {reason}"),
                    "write --policy filename=FILE or --policy disabled=true",
                )
            })?;
        }
        Ok(policy)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        for field in csv::fields(text).map_err(|error| error.to_string())? {
            let (key, value) =
                field.split_once('=').ok_or_else(|| format!("invalid value {field}"))?;
            match key.trim().to_ascii_lowercase().as_str() {
                "filename" if value.is_empty() => return Err("filename is empty".into()),
                "filename" => self.files.push(value.to_string()),
                "disabled" => self.disabled |= boolean::parse(value)?,
                "reset" => {
                    if boolean::parse(value)? {
                        self.files.clear();
                    }
                }
                "strict" => drop(boolean::parse(value)?),
                "log-level" => {}
                _ => return Err(format!("invalid value {field}")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_buildx() {
        let read = |text: &str| Policy::read(&[text.to_string()]);
        assert!(read("disabled=true").unwrap().disabled);
        assert_eq!(read("filename=a.rego,filename=b.rego").unwrap().files, ["a.rego", "b.rego"]);
        for bad in ["", "x", "filename=", "disabled=x", "x=y"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
