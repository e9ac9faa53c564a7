//! Values against JSON schemas.

use serde_json::Value;

/// Holds a value to a schema of JSON Schema's draft 7: all that these formats' use, and no keyword
/// unread.
pub fn hold(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let fails = |schema: &Value| {
        let mut wrong = Vec::new();
        hold(root, schema, value, at, &mut wrong);
        !wrong.is_empty()
    };
    let number = |rule: &Value| rule.as_f64().unwrap();
    let known = |name: &str| schema["properties"].get(name);
    for (keyword, rule) in schema.as_object().unwrap() {
        let good = match keyword.as_str() {
            "description" | "default" | "title" | "$schema" | "$id" | "definitions"
            | "examples" | "$comment" | "meta:enum" | "deprecated" => true,
            "$ref" => {
                match rule.as_str().unwrap().split_once('#') {
                    Some(("", target)) => {
                        hold(root, root.pointer(target).unwrap(), value, at, wrong);
                    }
                    None => {
                        let other = beside(rule.as_str().unwrap());
                        hold(&other, &other, value, at, wrong);
                    }
                    Some(other) => panic!("reference {other:?}"),
                }
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("type {other}"),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = known(name) {
                        hold(root, schema, value, &format!("{at}/{name}"), wrong);
                    }
                }
                true
            }
            "additionalProperties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    match rule {
                        _ if known(name).is_some() => {}
                        Value::Bool(true) => {}
                        Value::Bool(false) => wrong.push(format!("{at}/{name}: nobody knows it")),
                        schema => hold(root, schema, value, &format!("{at}/{name}"), wrong),
                    }
                }
                true
            }
            "required" => {
                let names = rule.as_array().unwrap().iter();
                value.as_object().is_none_or(|map| {
                    names.clone().all(|name| map.contains_key(name.as_str().unwrap()))
                })
            }
            "items" if rule.is_array() => {
                let pairs =
                    rule.as_array().unwrap().iter().zip(value.as_array().into_iter().flatten());
                for (index, (rule, value)) in pairs.enumerate() {
                    hold(root, rule, value, &format!("{at}/{index}"), wrong);
                }
                true
            }
            "additionalItems" => {
                assert_eq!(rule, false);
                let known = schema["items"].as_array().map_or(usize::MAX, Vec::len);
                value.as_array().is_none_or(|list| list.len() <= known)
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    hold(root, rule, value, &format!("{at}/{index}"), wrong);
                }
                true
            }
            "uniqueItems" => value.as_array().is_none_or(|list| {
                rule == false || (1..list.len()).all(|end| !list[..end].contains(&list[end]))
            }),
            "minItems" => value.as_array().is_none_or(|list| list.len() as f64 >= number(rule)),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as f64 <= number(rule)),
            "minLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as f64 >= number(rule))
            }
            "maxLength" => {
                value.as_str().is_none_or(|text| text.chars().count() as f64 <= number(rule))
            }
            "minimum" => value.as_f64().is_none_or(|value| value >= number(rule)),
            "maximum" => value.as_f64().is_none_or(|value| value <= number(rule)),
            "pattern" => value.as_str().is_none_or(|text| {
                regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
            }),
            "format" => value.as_str().is_none_or(|text| match rule.as_str().unwrap() {
                "uri" => url::Url::parse(text).is_ok(),
                "uri-reference" => {
                    let base = url::Url::parse("file:///root/").unwrap();
                    base.join(text).is_ok() && text.is_ascii() && !text.contains([' ', '"', '<'])
                }
                "iri-reference" => !text.contains([' ', '"', '<', '>']),
                "idn-email" => text.contains('@'),
                "date-time" => humantime::parse_rfc3339(text).is_ok(),
                other => panic!("format {other}"),
            }),
            "anyOf" => !rule.as_array().unwrap().iter().all(fails),
            "oneOf" => rule.as_array().unwrap().iter().filter(|one| !fails(one)).count() == 1,
            other => panic!("keyword {other}"),
        };
        if !good {
            wrong.push(format!("{at}: {keyword} {rule}"));
        }
    }
}

/// A schema that another one names.
fn beside(name: &str) -> Value {
    let text = match name {
        "spdx.schema.json" => include_str!("schemas/cyclonedx-licences.json"),
        other => panic!("schema {other}"),
    };
    serde_json::from_str(text).unwrap()
}
