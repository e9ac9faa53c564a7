use super::*;
use proptest::prelude::*;

fn set_in(text: &str) -> String {
    let splice = set(text, "cofferdam").unwrap().unwrap();
    let changed = splice.apply(text).unwrap();
    assert_eq!(splice.undo(&changed).as_deref(), Some(text));
    assert_eq!(set(&changed, "cofferdam"), Ok(None), "{changed}");
    changed
}

#[test]
fn the_style_of_the_text_is_kept() {
    for (before, after) in [
        (
            "{\n\t\"auths\": {}\n}",
            "{\n\t\"auths\": {},\n\t\"aliases\": {\n\t\t\"builder\": \"cofferdam\"\n\t}\n}",
        ),
        (
            "{\r\n  \"a\" : 1\r\n}\r\n",
            "{\r\n  \"a\" : 1,\r\n  \"aliases\" : {\r\n    \"builder\" : \"cofferdam\"\r\n  }\r\n}\r\n",
        ),
        ("{\"a\":1}", "{\"a\":1,\"aliases\":{\"builder\":\"cofferdam\"}}"),
        ("{ \"a\": 1 }", "{ \"a\": 1, \"aliases\": { \"builder\": \"cofferdam\" } }"),
        ("{\"a\": 1, \"b\": 2}", "{\"a\": 1, \"b\": 2, \"aliases\": {\"builder\": \"cofferdam\"}}"),
        ("{}", "{\n\t\"aliases\": {\n\t\t\"builder\": \"cofferdam\"\n\t}\n}"),
        ("{\n}\n", "{\n\t\"aliases\": {\n\t\t\"builder\": \"cofferdam\"\n\t}\n}\n"),
        ("\n", "\n{\n\t\"aliases\": {\n\t\t\"builder\": \"cofferdam\"\n\t}\n}\n"),
        ("{\"aliases\":{\"builder\":\"x\"}}", "{\"aliases\":{\"builder\":\"cofferdam\"}}"),
        ("{\"Aliases\":{\"b\":\"x\"}}", "{\"Aliases\":{\"b\":\"x\",\"builder\":\"cofferdam\"}}"),
        ("{\"aliases\":null}", "{\"aliases\":{\"builder\":\"cofferdam\"}}"),
        ("{\"aliases\": { }}", "{\"aliases\": {\"builder\": \"cofferdam\"}}"),
    ] {
        assert_eq!(set_in(before), after);
    }
}

#[test]
fn the_alias_leaves_with_its_comma() {
    for (before, after) in [
        ("{\"a\":1,\"aliases\":{\"builder\":\"x\"}}", "{\"a\":1}"),
        ("{\"aliases\":{\"builder\":\"x\"},\n \"a\":1}", "{\"a\":1}"),
        ("{\"aliases\":{\"builder\":\"x\", \"b\":\"y\"}}", "{\"aliases\":{\"b\":\"y\"}}"),
        ("{\"aliases\":{\"b\":\"y\", \"builder\":\"x\" }}", "{\"aliases\":{\"b\":\"y\" }}"),
        ("{ \"aliases\":{\"builder\":\"x\"} }", "{}"),
    ] {
        assert_eq!(remove(before).unwrap().unwrap().apply(before).unwrap(), after);
    }
    for text in ["", "{}", "{\"aliases\":null}", "{\"aliases\":{}}", "{\"aliases\":{\"b\":\"y\"}}"]
    {
        assert_eq!(remove(text), Ok(None));
        assert_eq!(get(text), Ok(None));
    }
    assert_eq!(get("{\"aliases\":{\"builder\":\"\\u0078\"}}"), Ok(Some("x".into())));
}

#[test]
fn what_docker_would_not_read_is_left_alone() {
    for text in [
        "{",
        "[]",
        "1",
        "{\"a\":1}}",
        "{\"a\":1,}",
        "\u{feff}{}",
        "{\"aliases\":[]}",
        "{\"aliases\":{\"builder\":1}}",
        "{\"aliases\":{},\"Aliases\":{}}",
        "{\"aliases\":{\"builder\":\"a\",\"builder\":\"b\"}}",
        "{\"aliases\":{\"b\":null}}",
    ] {
        assert!(set(text, "x").is_err(), "{text}");
        assert!(remove(text).is_err(), "{text}");
    }
    assert_eq!(set("{\n \"a\" 1}", "x"), Err(Damaged::NoJson(2, 6)));
}

/// Blanks as people and programs write them.
fn blank() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => Just(String::new()),
        2 => Just(" ".into()),
        2 => "\n[ \t]{0,4}",
        1 => "\r\n[ \t]{0,4}",
        1 => "[ \t\n\r]{0,5}",
    ]
}

fn text_of_string() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        "[a-z]{0,6}",
        "[^\"\\\\\u{0}-\u{1f}]{0,6}",
        Just("\\\"\\\\\\n\\u00e9".to_string()),
        Just("{\\\"aliases\\\":".to_string()),
        Just("x\\\\".to_string()),
    ]
    .prop_map(|inner| format!("\"{inner}\""))
}

fn value() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        text_of_string(),
        Just("null".to_string()),
        Just("true".to_string()),
        Just("-1.5e3".to_string()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list =
            proptest::collection::vec((blank(), inner.clone(), blank()), 0..4).prop_map(|items| {
                let items: Vec<_> = items.iter().map(|(a, v, b)| format!("{a}{v}{b}")).collect();
                format!("[{}]", items.join(","))
            });
        prop_oneof![list, object(inner)]
    })
}

fn object(value: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let member = (blank(), text_of_string(), blank(), blank(), value, blank());
    (proptest::collection::vec(member, 0..4), blank()).prop_map(|(members, end)| {
        let members: Vec<_> =
            members.iter().map(|(a, k, b, c, v, d)| format!("{a}{k}{b}:{c}{v}{d}")).collect();
        match members.is_empty() {
            true => format!("{{{end}}}"),
            false => format!("{{{}}}", members.join(",")),
        }
    })
}

fn config() -> impl Strategy<Value = String> {
    let strings = object(text_of_string());
    let aliases = prop_oneof![
        3 => Just(None),
        1 => strings.prop_map(Some),
        1 => Just(Some("null".to_string())),
        1 => Just(Some("{\"builder\" : \"old\" }".to_string())),
        1 => Just(Some("{\n  \"a\": \"b\",\n  \"builder\": \"old\"\n}".to_string())),
    ];
    (object(value()), aliases, blank(), any::<bool>()).prop_map(|(text, aliases, blank, first)| {
        let Some(aliases) = aliases else { return format!("{blank}{text}{blank}") };
        let inside = text[1..text.len() - 1].to_string();
        let member = format!("{blank}\"aliases\":{blank}{aliases}");
        match (inside.trim().is_empty(), first) {
            (true, _) => format!("{{{member}{blank}}}"),
            (_, true) => format!("{{{member},{inside}}}{blank}"),
            (_, false) => format!("{{{inside},{member}}}{blank}"),
        }
    })
}

fn meaning(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn only_the_alias_changes_and_comes_back(text in config()) {
        let before = meaning(&text);
        match set(&text, "cofferdam") {
            // A key that is there twice by chance.
            Err(Damaged::Shape(_)) => {}
            Err(error) => prop_assert!(false, "{error}"),
            Ok(None) => prop_assert!(false, "nothing to do"),
            Ok(Some(splice)) => {
                let changed = splice.apply(&text).unwrap();
                let mut expected = before.clone();
                let key = expected.as_object().unwrap().keys()
                    .find(|key| key.eq_ignore_ascii_case("aliases")).cloned();
                let key = key.unwrap_or("aliases".into());
                if expected[&key].is_null() {
                    expected[&key] = Value::Object(Default::default());
                }
                expected[&key]["builder"] = "cofferdam".into();
                prop_assert_eq!(meaning(&changed), expected);
                prop_assert_eq!(splice.undo(&changed).unwrap(), text.clone());
                prop_assert_eq!(set(&changed, "cofferdam"), Ok(None));

                let removed = remove(&changed).unwrap().unwrap().apply(&changed).unwrap();
                prop_assert_eq!(get(&removed), Ok(None));
                let without = |text: &str| {
                    let mut value = meaning(text);
                    let map = value.as_object_mut().unwrap();
                    map.retain(|key, _| !key.eq_ignore_ascii_case("aliases"));
                    value
                };
                prop_assert_eq!(without(&removed), without(&text));
            }
        }
    }

    #[test]
    fn no_text_makes_it_stumble(text in "[{}\\[\\]\":,a\\\\ \n1é]{0,24}") {
        let _ = (set(&text, "x"), get(&text), remove(&text));
    }
}
