//! `EXPERIMENTAL_BUILDKIT_SOURCE_POLICY`: BuildKit's own source policy, a file of JSON.

use super::environment::Environment;
use crate::error::Error;

const VARIABLE: &str = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";

/// Reads the file that the variable names.
pub(super) fn read(environment: &Environment) -> Result<Option<serde_json::Value>, Error> {
    let Some(path) = environment.os_var(VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let shown = std::path::Path::new(&path).display().to_string();
    let wrong = |what: String| {
        Error::usage_hint(
            format!("{VARIABLE}: {shown}: {what}"),
            format!("name a source policy in JSON, or unset {VARIABLE}"),
        )
    };
    let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| wrong(format!("it is no JSON: {error}")))
}
