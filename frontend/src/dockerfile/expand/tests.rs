use super::*;

fn env() -> BTreeMap<String, String> {
    [("x", "abc"), ("e", ""), ("p", "a/b/c"), ("s", "one two")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn expand(word: &str) -> Result<String, ExpandError> {
    Lex::new('\\').expand(word, &env()).map(|done| done.text)
}

#[test]
fn every_form() {
    for (word, expected) in [
        ("$x", "abc"),
        ("${x}", "abc"),
        ("$xy|${x}y", "|abcy"),
        ("${u:-d}", "d"),
        ("${e:-d}", "d"),
        ("${e-d}", ""),
        ("${u-d}", "d"),
        ("${x:+d}", "d"),
        ("${e:+d}", ""),
        ("${e+d}", "d"),
        ("${u+d}", ""),
        ("${x:?m}", "abc"),
        ("${e?m}", ""),
        ("${p#*/}", "b/c"),
        ("${p##*/}", "c"),
        ("${p%/*}", "a/b"),
        ("${p%%/*}", "a"),
        ("${p/\\//-}", "a-b/c"),
        ("${p//\\//-}", "a-b-c"),
        ("${u:-${u:-$x}}", "abc"),
        ("'$x'", "$x"),
        ("\"$x\"", "abc"),
        ("\\$x", "$x"),
        ("\"\\$x\\n\"", "$x\\n"),
        ("a\\", "a"),
        ("$", "$"),
        ("$1a", "a"),
        ("a$/b", "a$/b"),
        ("\u{feff}$x", "abc"),
    ] {
        assert_eq!(expand(word).as_deref(), Ok(expected), "{word}");
    }
}

#[test]
fn every_error() {
    for word in [
        "${", "${}", "${{x}", "${:x}", "${x", "${x:", "${x:#a}", "${x^^}", "${u?}", "${e:?}", "'a",
        "\"a", "${x:-a", "${x/a", "${x/a/b", "${x#\\q}",
    ] {
        assert!(expand(word).is_err(), "{word}");
    }
    let required = expand("${u:?give u}").unwrap_err();
    assert_eq!(required.to_string(), "u: give u");
}

#[test]
fn undefined_names_are_reported() {
    let done = Lex::new('\\').expand("$x-$u-${v:-1}", &env()).unwrap();
    assert_eq!(done.text, "abc--1");
    assert_eq!(done.undefined, ["u", "v"].map(String::from).into());
    assert_eq!(done.matched, ["x".to_owned()].into());
}

#[test]
fn backtick_escape() {
    let lex = Lex::new('`');
    assert_eq!(lex.expand("C:\\x`$x", &env()).unwrap().text, "C:\\x$x");
}

#[test]
fn words_respect_quotes() {
    let words = |text| Lex::new('\\').expand(text, &env()).unwrap().words;
    assert_eq!(words("a  'b c' $s"), ["a", "b c", "one", "two"]);
    assert_eq!(words("x << EOF y"), ["x", "<< EOF", "y"]);
}

#[test]
fn bombs_end_in_errors() {
    let deep = "${a:-".repeat(10_000) + &"}".repeat(10_000);
    assert_eq!(expand(&deep), Err(ExpandError::TooDeep));
    let mut env = BTreeMap::new();
    env.insert("a".to_owned(), "x".repeat(MAX_LENGTH / 2));
    let lex = Lex::new('\\');
    assert_eq!(lex.expand("$a$a$a$a$a", &env), Err(ExpandError::TooLong));
    assert_eq!(lex.expand("\"$a$a$a$a$a\"", &env), Err(ExpandError::TooLong));
}
