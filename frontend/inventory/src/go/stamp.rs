//! The version that a build wrote into its own variables: `-ldflags '-X main.version=1.2.3'`.
//!
//! A module that is built from its own directory has no version but `(devel)`.

/// Names of variables that hold the program's own version.
const NAMES: &[&str] =
    &["version", "ver", "gitversion", "appversion", "buildversion", "cliversion"];

/// The version in a `-ldflags` setting that belongs to the module itself.
pub(super) fn version(setting: &str, module: &str) -> Option<String> {
    // Go quotes the setting, and within it people quote what they like.
    let plain = setting.replace("\\t", " ").replace("\\n", " ").replace("\\\"", " ");
    let mut words = plain.split([' ', '\t', '"', '\'']).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("-X") {
            Some("") => words.next()?,
            Some(rest) => rest.trim_start_matches('='),
            None => continue,
        };
        let Some((variable, value)) = assignment.split_once('=') else { continue };
        let Some((package, name)) = variable.rsplit_once('.') else { continue };
        let own = package
            .strip_prefix(module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let named = NAMES.contains(&name.to_ascii_lowercase().as_str());
        if (package == "main" || own) && named && is_version(value) {
            // As modules write theirs.
            let v = if value.starts_with('v') { "" } else { "v" };
            return Some(format!("{v}{value}"));
        }
    }
    None
}

/// `v1.2`, `1.2.3-rc1`: at least two numbers.
fn is_version(value: &str) -> bool {
    let value = value.strip_prefix('v').unwrap_or(value);
    let mut parts = value.splitn(3, '.');
    let number = |part: Option<&str>| {
        part.is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()))
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-+~_".contains(c);
    number(parts.next()) && number(parts.next()) && value.len() < 64 && value.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modules_own_version_is_found() {
        for (setting, expected) in [
            (r#""-s -w -X main.version=1.2.3""#, Some("v1.2.3")),
            (r#""-X x.org/tool/pkg/version/app.ver=0.59.1 -s""#, Some("v0.59.1")),
            (r#"" \t-w \t-X \"x.org/tool/v.Version=20.10.24+dfsg1\"""#, Some("v20.10.24+dfsg1")),
            (r#""-X 'x.org/tool.gitVersion=v1.30.0-rc.1'""#, Some("v1.30.0-rc.1")),
            ("-X=main.Version=v2.0", Some("v2.0")),
            (r#""-X x.org/tools.version=1.2.3""#, None),
            (r#""-X main.commit=1.2.3 -X main.version=dev""#, None),
            (r#""-X main.date=2024.01.01 -X main.version=""#, None),
            ("-s -w -X", None),
        ] {
            assert_eq!(version(setting, "x.org/tool").as_deref(), expected, "{setting}");
        }
    }
}
