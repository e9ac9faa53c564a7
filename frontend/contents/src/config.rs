//! The configuration of an image, as far as it matters to its contents.

use serde_json::Value;

/// What runs when nobody says otherwise, as whom, and where it is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// `USER`; empty is root.
    pub user: String,
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<String>,
    /// `CMD`.
    pub cmd: Vec<String>,
    /// `PATH` of the environment.
    pub path: Option<String>,
    /// `WORKDIR`; empty is the root.
    pub workdir: String,
    /// `SHELL`.
    pub shell: Vec<String>,
}

/// Where programs are looked for without `PATH` (moby/moby, oci/caps and runc's defaults).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Config {
    /// Reads the configuration of an image, OCI's or Docker's; what is missing or wrong is empty.
    ///
    /// Source: <https://github.com/opencontainers/image-spec/blob/main/config.md>.
    #[must_use]
    pub fn of(image: &Value) -> Self {
        let text = |name: &str| {
            let value = image.get("config").and_then(|config| config.get(name));
            value.and_then(Value::as_str).unwrap_or_default().to_string()
        };
        let list = |name: &str| -> Vec<String> {
            let value = image.get("config").and_then(|config| config.get(name));
            let items = value.and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(ToString::to_string).collect()
        };
        let path = list("Env")
            .iter()
            .rev()
            .find_map(|variable| variable.strip_prefix("PATH=").map(ToString::to_string));
        Self {
            user: text("User"),
            entrypoint: list("Entrypoint"),
            cmd: list("Cmd"),
            path,
            workdir: text("WorkingDir"),
            shell: list("Shell"),
        }
    }

    /// What runs: the program and its arguments.
    pub(crate) fn command(&self) -> impl Iterator<Item = &str> {
        self.entrypoint.iter().chain(&self.cmd).map(String::as_str)
    }

    /// The directories that programs are looked for in.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &str> {
        self.path.as_deref().unwrap_or(PATH).split(':').filter(|part| part.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_matters() {
        let image = serde_json::json!({"config": {
            "User": "app", "Env": ["A=1", "PATH=/x:/y", "B"], "Entrypoint": null,
            "Cmd": ["sh", 1], "WorkingDir": "/app"
        }});
        let config = Config::of(&image);
        assert_eq!((config.user.as_str(), config.workdir.as_str()), ("app", "/app"));
        assert_eq!(config.directories().collect::<Vec<_>>(), ["/x", "/y"]);
        assert_eq!(config.command().collect::<Vec<_>>(), ["sh"]);
        for wrong in [Value::Null, serde_json::json!([]), serde_json::json!({"config": 1})] {
            assert_eq!(Config::of(&wrong), Config::default());
        }
    }
}
