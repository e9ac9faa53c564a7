//! `EXPERIMENTAL_BUILDKIT_SOURCE_POLICY`: BuildKit's own source policy, a file of JSON.

use cofferdam_frontend::source_policy::SourcePolicy;

use super::environment::Environment;
use crate::error::Error;

const VARIABLE: &str = "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY";

/// Reads the file that the variable names; without one everything may be read.
pub(super) fn read(environment: &Environment) -> Result<SourcePolicy, Error> {
    let Some(path) = environment.os_var(VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(SourcePolicy::default());
    };
    let shown = std::path::Path::new(&path).display().to_string();
    let wrong = |what: String| {
        Error::usage_hint(
            format!("{VARIABLE}: {shown}: {what}"),
            format!("name a source policy in JSON, or unset {VARIABLE}"),
        )
    };
    let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    SourcePolicy::parse(&text).map_err(|error| wrong(error.to_string()))
}
