//! `KEY=VALUE` flags.

use std::collections::BTreeMap;

use crate::error::Error;

/// Reads `--build-arg`; a key without a value takes the variable of that name, or is left out.
pub(super) fn build_args(
    typed: &[String],
    env: impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut args = BTreeMap::new();
    for arg in typed {
        let (key, value) = match arg.split_once('=') {
            Some((key, value)) => (key, Some(value.to_string())),
            None => (arg.as_str(), env(arg)),
        };
        if key.is_empty() {
            return Err(Error::usage_hint(
                "--build-arg has no name",
                "write --build-arg NAME=VALUE, or --build-arg NAME for the variable of that name",
            ));
        }
        if let Some(value) = value {
            args.insert(key.to_string(), value);
        }
    }
    Ok(args)
}

/// Reads `--label`; a key without a value has an empty one, as with docker.
pub(super) fn labels(typed: &[String]) -> Result<BTreeMap<String, String>, Error> {
    typed
        .iter()
        .map(|label| {
            let (key, value) = label.split_once('=').unwrap_or((label, ""));
            if key.is_empty() {
                return Err(Error::usage_hint("--label has no name", "write --label KEY=VALUE"));
            }
            Ok((key.to_string(), value.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_key_reads_the_environment_and_is_left_out_when_unset() {
        let env = |name: &str| (name == "SET").then(|| "from env".to_string());
        let typed = ["A=1", "B=", "C=x=y", "SET", "UNSET"].map(String::from);
        let args = build_args(&typed, env).unwrap();
        let shown: Vec<_> = args.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(shown, ["A=1", "B=", "C=x=y", "SET=from env"]);
        assert!(build_args(&["=x".into()], env).is_err());
    }

    #[test]
    fn labels_without_a_value_are_empty() {
        let labels = labels(&["a".into(), "b=c=d".into()]).unwrap();
        assert_eq!((labels["a"].as_str(), labels["b"].as_str()), ("", "c=d"));
    }
}
