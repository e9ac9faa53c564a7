//! The forms that encoders people use would write.

use super::*;

fn has(transform: Transform, value: &str, form: &str) {
    let forms = transform.forms(value.as_bytes());
    let told: Vec<_> = forms.iter().map(|form| String::from_utf8_lossy(form)).collect();
    assert!(forms.iter().any(|known| ***known == *form.as_bytes()), "{form} is not in {told:?}");
}

#[test]
fn base64_has_the_letters_that_neighbours_do_not_change() {
    // base64 of "s3cr3t-v4lue", of "us3cr3t-v4lue!" and of "u:s3cr3t-v4lue!!".
    has(Transform::Base64, "s3cr3t-v4lue", "czNjcjN0LXY0bHVl");
    has(Transform::Base64, "s3cr3t-v4lue", "MzY3IzdC12NGx1Z"); // d>XMzY3IzdC12NGx1Z<SE=
    has(Transform::Base64, "s3cr3t-v4lue", "zM2NyM3QtdjRsdW"); // dTp>zM2NyM3QtdjRsdW<UhIQ==
}

#[test]
fn url_knows_forms_paths_and_components() {
    has(Transform::Url, "a b/c+d!~é", "a%20b%2Fc%2Bd%21~%C3%A9");
    has(Transform::Url, "a b/c+d!~é", "a%20b%2fc%2bd%21~%c3%a9");
    has(Transform::Url, "a b/c+d!~é", "a+b%2Fc%2Bd%21~%C3%A9");
    has(Transform::Url, "a b/c+d!~é", "a%20b%2Fc%2Bd!~%C3%A9");
    has(Transform::Url, "a b/c+d!~é", "a%20b/c%2Bd%21~%C3%A9");
    has(Transform::Url, "a b/c+d!~é", "a+b%2Fc%2Bd%21%7E%C3%A9");
    has(Transform::Url, "a b/c+d!~é", "a%20b/c+d!~%C3%A9");
}

#[test]
fn json_knows_the_usual_encoders() {
    has(Transform::Json, "a\"b\\c/d<é\n😀", "a\\\"b\\\\c/d<é\\n😀");
    has(Transform::Json, "a\"b\\c/d<é\n😀", "a\\\"b\\\\c/d<\\u00e9\\n\\ud83d\\ude00");
    has(Transform::Json, "a\"b\\c/d<é\n😀", "a\\\"b\\\\c\\/d<\\u00e9\\n\\ud83d\\ude00");
    has(Transform::Json, "a\"b\\c/d<é\n😀", "a\\\"b\\\\c/d\\u003cé\\n😀");
    assert!(Transform::Json.forms(b"\xff").is_empty());
}

#[test]
fn shells_quote_in_their_ways() {
    has(Transform::Shell, "it's $5", r"it'\''s $5");
    has(Transform::Shell, "it's $5", "it'\"'\"'s $5");
    has(Transform::Shell, "it's $5", r"it's \$5");
    has(Transform::Shell, "it's $5", r"it\'s\ \$5");
    has(Transform::Shell, "a\n'é\x01", "a\\n\\'\\303\\251\\001");
}

#[test]
fn xml_quotes_in_its_ways() {
    has(Transform::Xml, "a&b<\"'", "a&amp;b&lt;&quot;&#x27;");
    has(Transform::Xml, "a&b<\"'", "a&amp;b&lt;\"'");
    has(Transform::Xml, "a&b<\"'", "a&amp;b&lt;&#34;&#39;");
}

#[test]
fn utf16_is_of_letters_where_there_are_any() {
    assert_eq!(**Transform::Utf16Le.forms("aé".as_bytes())[0], *b"a\0\xe9\0");
    assert_eq!(**Transform::Utf16Be.forms("aé".as_bytes())[0], *b"\0a\0\xe9");
    assert_eq!(**Transform::Utf16Le.forms(b"\xff\xfe")[0], *b"\xff\0\xfe\0");
}

#[test]
fn every_transform_is_listed_once_under_its_name() {
    let mut all = Transform::ALL.to_vec();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, Transform::ALL);
    for transform in Transform::ALL {
        // Serialized as the record prints it.
        let name = format!("{transform:?}");
        assert_eq!(transform.name().replace('-', ""), name.to_ascii_lowercase());
    }
}
