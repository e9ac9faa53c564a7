use super::*;
use proptest::prelude::*;

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join(".git")).unwrap();
    std::fs::create_dir_all(dir.path().join("docker")).unwrap();
    for name in ["Dockerfile", "docker/app.Dockerfile"] {
        std::fs::write(dir.path().join(name), "FROM scratch\n").unwrap();
    }
    dir
}

fn day(year: u16, month: u8, day: u8) -> Day {
    Day::new(year, month, day)
}

fn applied(text: &str, dockerfile: &str, today: Day) -> Result<Applied, Error> {
    let dir = project();
    std::fs::write(dir.path().join(FILE), text).unwrap();
    let dockerfile = (dockerfile != "-").then(|| dir.path().join(dockerfile));
    let found = find(dockerfile.as_deref().and_then(Path::parent).unwrap_or(dir.path()));
    apply(found.as_deref(), dockerfile.as_deref(), today)
}

/// Message, place as `line:column+length`, and hint of what a text is refused for.
fn wrong(text: &str) -> (String, String, Option<String>) {
    match applied(text, "Dockerfile", day(2026, 11, 22)).unwrap_err() {
        Error::Source { message, at, hint, .. } => {
            assert!(at.file.ends_with(FILE));
            (message, format!("{}:{}+{}", at.line, at.column, at.length), hint)
        }
        other => panic!("{other:?}"),
    }
}

const GOOD: &str = r#"
[strip]
capabilities = false
keep = [{ path = "/usr/local/bin/su-exec", reason = "drops privileges", expires = 2027-02-01 }]

[[exception]]
rule = "remote-add"
path = "docker/app.Dockerfile"
reason = "vendor ships no checksum"
owner = "platform"
expires = 2027-02-01

[[exception]]
rule = "host-network"
path = "./Dockerfile"
reason = "licence server"

[[exception]]
rule = "secret-in-arg"
path = "-"
reason = "a public token"
"#;

#[test]
fn an_exception_is_for_one_rule_and_one_dockerfile() {
    let today = day(2026, 11, 22);
    let app = applied(GOOD, "docker/app.Dockerfile", today).unwrap();
    assert!(app.exceptions.allows("host-network").is_none());
    assert!(app.exceptions.allows("git-ref").is_none());
    assert_eq!(app.exceptions.used().len(), 0);
    assert_eq!(app.exceptions.unused().len(), 1);
    let copy = app.exceptions.clone();
    assert_eq!(copy.allows("remote-add").unwrap().owner.as_deref(), Some("platform"));
    assert_eq!(app.exceptions.used()[0].reason, "vendor ships no checksum");
    assert!(app.exceptions.unused().is_empty());
    assert!(!app.strip_capabilities);
    assert_eq!(app.keep[0].path, "/usr/local/bin/su-exec");

    let other = applied(GOOD, "Dockerfile", today).unwrap();
    assert!(other.exceptions.allows("host-network").is_some());
    assert!(other.exceptions.allows("remote-add").is_none());
    let stdin = applied(GOOD, "-", today).unwrap();
    assert_eq!(stdin.exceptions.rules().into_iter().collect::<Vec<_>>(), ["secret-in-arg"]);
}

#[test]
fn an_end_is_announced_for_fourteen_days_and_then_refuses() {
    let on = |today| applied(GOOD, "docker/app.Dockerfile", today);
    assert!(on(day(2027, 1, 17)).unwrap().notices.is_empty());
    let soon = on(day(2027, 1, 18)).unwrap().notices;
    assert_eq!(soon.len(), 2, "{soon:?}");
    assert!(soon[0].contains(":6: the exception from remote-add"), "{soon:?}");
    assert!(soon[0].contains("in 14 days, on 2027-02-01"));
    assert!(soon[1].contains(":4: the entry of strip.keep for /usr/local/bin/su-exec"));
    assert!(on(day(2027, 2, 1)).unwrap().notices[0].contains("ends today"));
    let over = on(day(2027, 2, 2)).unwrap_err();
    assert_eq!(over.exit_code(), 3);
    let Error::Refused { violations, text, .. } = over else { panic!("no refusal") };
    assert_eq!(violations.len(), 2);
    assert_eq!(violations[0].rule, "exception-expired");
    assert_eq!(violations[0].lines[0].1, 6);
    assert!(violations[0].fix.contains("ask platform"));
    assert!(text.unwrap().shown.ends_with(FILE));
}

/// What another Dockerfile needs is not this build's trouble.
#[test]
fn an_end_of_another_dockerfile_refuses_nothing() {
    let text = GOOD.replace("expires = 2027-02-01 }", "}");
    assert!(applied(&text, "Dockerfile", day(2030, 1, 1)).is_ok());
    assert!(applied(&text, "docker/app.Dockerfile", day(2030, 1, 1)).is_err());
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let (message, place, _) = wrong("[strip]\nkep = []\n");
    assert!(message.contains("unknown field `kep`"), "{message}");
    assert_eq!(place, "2:1+3");
    let (message, place, _) = wrong("[scan]\nfail-on = \"high\"\n");
    assert!(message.contains("unknown field `scan`"), "{message}");
    assert_eq!(place, "1:2+4");
    let (message, place, _) = wrong("[strip]\ncapabilities = \"yes\"\n");
    assert!(message.contains("expected a boolean"), "{message}");
    assert_eq!(place, "2:16+5");
    let (message, place, hint) =
        wrong("# ä\n[[exception]]\nrule = \"git-ref\"\npath = \"Dockerfile\"\n");
    assert_eq!(message, "missing field `reason`");
    assert_eq!(place, "2:1+13");
    assert!(hint.unwrap().contains("reason = "));
    let entry = |line: &str| {
        format!(
            "[[exception]]\nrule = \"git-ref\"\npath = \"Dockerfile\"\nreason = \"x\"\n{line}\n"
        )
    };
    let (_, place, hint) = wrong(&entry("expires = \"2027-02-01\""));
    assert_eq!(place, "5:11+12");
    assert_eq!(hint.unwrap(), "write a date without quotes: expires = 2027-02-01");
    for bad in ["2027-02-30", "2027-02-01T10:00:00Z", "10:00:00"] {
        let (_, place, _) = wrong(&entry(&format!("expires = {bad}")));
        assert!(place.starts_with("5:"), "{place}");
    }
    let (message, place, hint) = wrong(&entry("").replace("git-ref", "nested-build"));
    assert_eq!(message, "the rule \"nested-build\" knows no exceptions");
    assert_eq!(place, "2:8+14");
    assert!(hint.unwrap().contains("remote-add"));
    for path in ["", "/Dockerfile", "../Dockerfile", "a/../../b"] {
        let (_, place, _) = wrong(&entry("").replace("\"Dockerfile\"", &format!("{path:?}")));
        assert!(place.starts_with("3:8"), "{place}");
    }
    let (message, place, _) = wrong(&entry("").replace("\"x\"", "\" \""));
    assert_eq!((message.as_str(), place.as_str()), ("the reason is empty", "4:10+3"));
    let (message, place, _) = wrong(&format!("{}{}", entry(""), entry("")));
    assert_eq!(message, "the same exception stands in line 1 already");
    assert!(place.starts_with("6:") || place.starts_with("7:"), "{place}");
    let (_, place, _) = wrong("[strip]\nkeep = [{ path = \"su\", reason = \"x\" }]\n");
    assert_eq!(place, "2:18+4");
    let (message, _, _) = wrong("a = [\n");
    assert!(!message.is_empty() && !message.contains('\n'));
}

#[test]
fn only_the_repository_or_the_working_directory_may_allow_things() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join(FILE), "").unwrap();
    let plain = outer.path().join("plain");
    let repository = outer.path().join("repository/sub");
    std::fs::create_dir_all(&plain).unwrap();
    std::fs::create_dir_all(repository.join("deep")).unwrap();
    std::fs::create_dir_all(outer.path().join("repository/.git")).unwrap();
    assert_eq!(find(&plain), None);
    assert_eq!(find(&repository), None);
    std::fs::write(outer.path().join("repository").join(FILE), "").unwrap();
    let found = find(&repository.join("deep")).unwrap();
    assert!(found.ends_with("repository/cofferdam.toml"), "{found:?}");
    assert!(find(outer.path()).is_some());
}

#[test]
fn a_refusal_says_which_exception_to_write() {
    let today = day(2026, 11, 22);
    let applied = applied("", "docker/app.Dockerfile", today).unwrap();
    let violation = |rule| Violation {
        rule,
        message: String::new(),
        lines: Vec::new(),
        span: None,
        fix: "mend it".into(),
    };
    let mut violations =
        [violation("remote-add"), violation("remote-add"), violation("unknown-source")];
    applied.exceptions.offer(&mut violations);
    let [first, second, third] = violations.map(|violation| violation.fix);
    assert_eq!((second.as_str(), third.as_str()), ("mend it", "mend it"));
    let written = first.split_once("cofferdam.toml:\n").unwrap().1;
    assert!(written.contains("expires = 2027-02-20"));
    // What is offered is what works.
    let again = super::tests::applied(written, "docker/app.Dockerfile", today).unwrap();
    assert!(again.exceptions.allows("remote-add").is_some());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "[\\[\\]a-z= \"\n\r{}0-9#ä-]{0,80}") {
        let _ = read::parse("f", text.into_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = read::parse("f", bytes);
    }
}
