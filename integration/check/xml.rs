//! As much of XML 1.0 as a report uses, read strictly.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Element>,
    pub text: String,
}

/// The root of a document; panics where it is not well-formed.
pub fn parse(text: &str) -> Element {
    // Char, production 2: no control characters but tab and the ends of lines, no U+FFFE and U+FFFF.
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    assert!(text.chars().all(allowed), "a character that XML does not have");
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    let mut rest = text.strip_prefix(head).expect("a declaration");
    let mut open: Vec<Element> = vec![Element::default()];
    while let Some((before, tag)) = rest.split_once('<') {
        open.last_mut().unwrap().text += &unescaped(before);
        let (tag, after) = tag.split_once('>').expect("the end of a tag");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let done = open.pop().unwrap();
            assert_eq!(done.name, name);
            open.last_mut().expect("its parent").children.push(done);
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let element = element(tag);
        match empty {
            true => open.last_mut().unwrap().children.push(element),
            false => open.push(element),
        }
    }
    let [document] = open.as_mut_slice() else { panic!("{} are open", open.len()) };
    assert!(document.text.trim().is_empty() && rest.trim().is_empty());
    assert_eq!(document.children.len(), 1);
    document.children.remove(0)
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut attributes = BTreeMap::new();
    while !rest.trim().is_empty() {
        let (name, value) = rest.trim_start().split_once("=\"").expect("a value");
        let (value, after) = value.split_once('"').expect("the end of a value");
        assert!(attributes.insert(name.into(), unescaped(value)).is_none(), "{name} twice");
        rest = after;
    }
    Element { name: name.into(), attributes, ..Element::default() }
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains("]]>"), "the end of a section that never began");
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (name, rest) = part.split_once(';').expect("the end of a reference");
        out += match name {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "apos" => "'",
            other => panic!("&{other};"),
        };
        out += rest;
    }
    out
}
