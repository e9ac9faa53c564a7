//! .NET: the libraries that an application was published with, `APP.deps.json`
//! (<https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>).

use serde_json::Value;

use crate::json::pick;
use crate::package::{Ecosystem, Package, add};
use crate::reading::Reason;

/// Appends the packages of a list; projects, which are no packages, are left out.
pub(crate) fn libraries(text: &[u8], origin: &str, into: &mut Vec<Package>) -> Result<(), Reason> {
    let found = pick(text, &["libraries"])?;
    let Some(Value::Object(libraries)) = found.get("libraries") else { return Ok(()) };
    for (key, library) in libraries {
        let kind = library.get("type").and_then(Value::as_str).unwrap_or_default();
        let name = match kind {
            "package" => key.as_str(),
            // The runtime, published with the application.
            "runtimepack" => key.strip_prefix("runtimepack.").unwrap_or(key),
            _ => continue,
        };
        if let Some((name, version)) = name.split_once('/')
            && !name.is_empty()
        {
            add(into, Package::new(Ecosystem::NuGet, name, version, origin))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_listed_and_projects_are_not() {
        let text = br#"{"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"}, "libraries": {
            "app/1.0.0": {"type": "project"},
            "Newtonsoft.Json/13.0.1": {"type": "package", "serviceable": true},
            "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack"},
            "odd": {"type": "package"}, "other/1": 3}}"#;
        let mut found = Vec::new();
        libraries(text, "x", &mut found).unwrap();
        let mut told: Vec<_> = found.iter().map(ToString::to_string).collect();
        told.sort();
        assert_eq!(
            told,
            ["Microsoft.NETCore.App.Runtime.linux-x64 8.0.1", "Newtonsoft.Json 13.0.1"]
        );
        assert_eq!(libraries(b"{}", "x", &mut found), Ok(()));
        assert!(libraries(b"[]", "x", &mut found).is_err());
    }
}
