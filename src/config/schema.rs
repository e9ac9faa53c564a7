//! The JSON schema of `cofferdam.toml`, for editors: docs/cofferdam.schema.json.

use cofferdam_frontend::policy::{self, About};
use serde_json::{Value, json};

use super::exceptions::{IN_BASE, is_exceptable};

/// The schema, after JSON Schema draft 2020-12.
pub fn schema() -> Value {
    let rules = policy::every_about();
    let named = |wanted: &dyn Fn(&policy::About) -> bool| {
        rules.iter().filter(|about| wanted(about)).map(|about| about.id).collect::<Vec<_>>()
    };
    let levelled = named(&About::has_level);
    let exceptable = named(&|about| is_exceptable(about.id) || about.id == IN_BASE);
    let text = |about: &str| json!({"type": "string", "minLength": 1, "description": about});
    let day = json!({
        "type": "string", "format": "date",
        "description": "the last day on which it holds, UTC; a date of TOML, without quotes",
    });
    let level = json!({"enum": ["deny", "warn", "allow"]});
    let entry = |path: &str, more: Value| {
        let mut properties = json!({
            "path": text(path),
            "reason": text("why, for whoever reads it next"),
            "owner": text("who answers for it"),
            "expires": day,
        });
        let mut required = vec!["path", "reason"];
        if let (Some(all), Value::Object(more)) = (properties.as_object_mut(), more) {
            required.extend(more.contains_key("rule").then_some("rule"));
            all.extend(more);
        }
        json!({
            "type": "object", "additionalProperties": false,
            "required": required, "properties": properties,
        })
    };
    let mut exception = entry(
        "the Dockerfile, as seen from this file; - is standard input",
        json!({
            "rule": {"enum": exceptable},
            "secret": text("the secret that a base may hold; for secret-in-image alone"),
        }),
    );
    if let Some(exception) = exception.as_object_mut() {
        exception.insert("if".into(), json!({"properties": {"rule": {"const": IN_BASE}}}));
        exception.insert("then".into(), json!({"required": ["secret"]}));
        exception.insert("else".into(), json!({"properties": {"secret": false}}));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cofferdam.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "profile": {
                "enum": ["standard", "strict"],
                "description": "which severities deny: critical, or high and critical",
            },
            "rules": {
                "type": "object",
                "description": "the levels of rules that look at the text",
                "propertyNames": {"enum": levelled},
                "additionalProperties": level,
            },
            "check": {
                "type": "object", "additionalProperties": false,
                "properties": {"registries": {
                    "type": "array", "items": {"type": "string", "minLength": 1},
                    "description": "registries and repositories that base images may come from",
                }},
            },
            "strip": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "capabilities": {
                        "type": "boolean", "default": true,
                        "description": "whether file capabilities are removed",
                    },
                    "keep": {
                        "type": "array",
                        "items": entry("the file's path in the image", json!({})),
                    },
                },
            },
            "exception": {
                "type": "array",
                "items": exception,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    /// The published file (`COFFERDAM_BLESS=1 cargo test schema` writes it).
    #[test]
    fn the_schema_is_as_published() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cofferdam.schema.json");
        let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("COFFERDAM_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{}", path.display());
    }

    /// A file with every key that the schema has, with each of the values it lists.
    fn whole(schema: &Value) -> String {
        let list = |place: &str| {
            let list = schema.pointer(place).and_then(Value::as_array).unwrap();
            list.iter().map(|value| value.as_str().unwrap().to_string()).collect::<Vec<_>>()
        };
        let keys = |place: &str, extra: &str| {
            let all = schema.pointer(place).and_then(Value::as_object).unwrap();
            let value = |key: &str| match key {
                "path" if extra.is_empty() => "\"/usr/bin/sudo\"".to_string(),
                "path" => "\"Dockerfile\"".into(),
                "rule" => format!("{extra:?}"),
                "expires" => "2027-02-01".into(),
                _ => "\"said\"".into(),
            };
            let fits = |key: &&String| *key != "secret" || extra == IN_BASE;
            all.keys().filter(fits).map(|key| format!("{key} = {}", value(key))).collect::<Vec<_>>()
        };
        let rules = list("/properties/rules/propertyNames/enum");
        let mut text =
            "profile = \"strict\"\n[check]\nregistries = [\"docker.io/library\", \"*.example.com\"]\n[rules]\n"
                .to_string();
        text.extend(rules.iter().map(|rule| format!("{rule} = \"warn\"\n")));
        let kept = keys("/properties/strip/properties/keep/items/properties", "").join(", ");
        text += &format!("[strip]\ncapabilities = false\nkeep = [{{ {kept} }}]\n");
        for rule in list("/properties/exception/items/properties/rule/enum") {
            let lines = keys("/properties/exception/items/properties", &rule).join("\n");
            text += &format!("[[exception]]\n{lines}\n");
        }
        text
    }

    #[test]
    fn what_the_schema_allows_is_read() {
        let schema = schema();
        let text = whole(&schema);
        let config = read::parse("cofferdam.toml", text.clone().into_bytes())
            .unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        assert!(config.exceptions.len() > 10 && config.rules.len() > 10 && config.keep.len() == 1);
    }

    #[test]
    fn what_it_does_not_know_is_not_read() {
        for text in ["unknown = 1", "[rules]\nno-such-rule = \"deny\"", "[check]\nx = 1"] {
            assert!(read::parse("cofferdam.toml", text.into()).is_err(), "{text}");
        }
    }
}
