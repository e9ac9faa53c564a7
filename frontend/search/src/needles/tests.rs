//! What is searched for of a value, and what is said to be not.

use super::*;
use crate::Searcher;

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDp2nXyQfOgbHxLhFGYpX5rbvDdLnHxT6u2ZoUh8ynSEQAAAJgE9OnyBPTp
8gAAAAtzc2gtZWQyNTUxOQAAACDp2nXyQfOgbHxLhFGYpX5rbvDdLnHxT6u2ZoUh8ynSEQ
AAAEBv9lYvJ1hTcm0aXwqJk2T3rB5pYcV8eLxWQzDgMnRsKOnadfJB86BsfEuEUZilfmtu
8N0ucfFPq7ZmhSHzKdIRAAAAEHVzZXJAaG9zdC5leGFtcGxlAQIDBAU=
-----END OPENSSH PRIVATE KEY-----
";

fn found(needles: &Needles, text: &str) -> Vec<(Part, &'static str)> {
    let mut search = Searcher::new(needles);
    search.feed(text.as_bytes());
    search.finish().hits.iter().map(|hit| (hit.part, hit.transform.name())).collect()
}

fn reasons(needles: &Needles) -> Vec<(Reason, Part, usize)> {
    needles.gaps().iter().map(|gap| (gap.reason, gap.part, gap.parts)).collect()
}

#[test]
fn what_cannot_be_proven_is_said() {
    for (value, reason) in [
        ("", Reason::Short),
        ("  1234567\n", Reason::Short),
        ("a\nb\nc", Reason::Short),
        ("00000000000000000000", Reason::Uniform),
        ("ab ab", Reason::Short),
        ("0101101011010101010", Reason::Uniform),
        ("changeme", Reason::Ordinary),
        ("Password123\n", Reason::Ordinary),
    ] {
        let needles = Needles::new([("it", value)]);
        assert_eq!(reasons(&needles), [(reason, Part::Whole, 1)], "{value}");
        assert!(needles.gaps()[0].is_whole());
        assert!(needles.is_empty());
    }
}

#[test]
fn a_value_is_trimmed() {
    let needles = Needles::new([("it", "\n  12345679\t\r\n")]);
    assert!(needles.gaps().is_empty());
    assert_eq!(found(&needles, "x12345679x"), [(Part::Whole, "raw")]);
}

#[test]
fn each_line_of_a_key_is_searched_but_what_all_keys_share() {
    let needles = Needles::new([("key", KEY)]);
    assert_eq!(reasons(&needles), [(Reason::Ordinary, Part::Line(1), 3)]);
    for (number, line) in KEY.lines().enumerate() {
        let secret = (2..=5).contains(&number);
        let wanted: &[_] = if secret { &[(Part::Line(number + 1), "raw")] } else { &[] };
        assert_eq!(found(&needles, line), wanted, "{line}");
    }
    // As one line of a variable.
    let escaped = KEY.replace('\n', "\\n");
    assert_eq!(found(&needles, &escaped).len(), 4);
}

#[test]
fn certificates_beside_a_key_are_public() {
    let body = "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ";
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let alone = Needles::new([("ca", &certificate)]);
    assert!(alone.is_empty());
    assert_eq!(reasons(&alone), [(Reason::Ordinary, Part::Whole, 3)]);
    let both = Needles::new([("both", format!("{certificate}{KEY}"))]);
    assert_eq!(found(&both, &certificate), []);
    assert_eq!(found(&both, KEY).len(), 4);
}

#[test]
fn settings_that_are_no_secret_are_not_searched() {
    let file = "[default]\n# of the build\nregion = eu-central-1\nregistry=https://registry.npmjs.org/\n\
                aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzq93kLk2\n\
                index-url = https://me:t0kenOfMine77@pypi.example.org/simple\nmachine github.com\n";
    let needles = Needles::new([("it", file)]);
    for public in [
        "[default]",
        "region = eu-central-1",
        "registry=https://registry.npmjs.org/",
        "machine github.com",
        "# of the build",
    ] {
        assert_eq!(found(&needles, public), [], "{public}");
    }
    assert_eq!(
        found(&needles, "x=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzq93kLk2"),
        [(Part::Field(5), "raw")]
    );
    assert_eq!(found(&needles, "git clone https://x:t0kenOfMine77@h"), [(Part::Field(6), "raw")]);
    assert_eq!(reasons(&needles), [(Reason::Ordinary, Part::Line(1), 5)]);
}

/// Files as people have them: every line that others have as well is left out.
#[test]
fn only_what_is_secret_of_a_file_is_searched() {
    for (file, secrets) in [
        (
            "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJU\n    \
             server: https://k8s.example.org:6443\n  name: prod\ncontexts:\n- context:\n    cluster: prod\n\
             current-context: prod\npreferences: {}\nusers:\n- name: admin\n  user:\n    \
             client-certificate-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0\n    client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVk\n",
            &["client-key-data: LS0tLS1CRUdJTiBSU0EgUFJJVk"][..],
        ),
        (
            "<?xml version=\"1.0\"?>\n<settings xmlns=\"http://maven.apache.org/SETTINGS/1.0.0\"\n  \
             xsi:schemaLocation=\"http://maven.apache.org/SETTINGS/1.0.0\">\n<servers>\n<server>\n\
             <id>github-packages</id>\n<username>somebody</username>\n<password>hunter2hunter3</password>\n\
             </server>\n</servers>\n</settings>\n",
            &["<password>hunter2hunter3</password>"],
        ),
        (
            "NODE_ENV=production\nLOG_LEVEL=info\nSERVER_PORT=8080\nAPP_DEBUG=false\n\
             DATABASE_URL=postgres://me:hunter2hunter3@db/shop\nSESSION_KEY=0a1b2c3d4e5f\n",
            &["DATABASE_URL=postgres://me:hunter2hunter3@db/shop", "SESSION_KEY=0a1b2c3d4e5f"],
        ),
        (
            "always-auth=true\nfund=false\n@me:registry=https://npm.example.org/\n\
             //npm.example.org/:_authToken=npm-hunter2hunter3\n",
            &["//npm.example.org/:_authToken=npm-hunter2hunter3"],
        ),
        (
            "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n\
             ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB me@host\nhunter2hunter3\n",
            &["hunter2hunter3"],
        ),
        (
            "{\n  \"auths\": {\n    \"https://index.docker.io/v1/\": {\n      \"auth\": \"bWU6aHVudGVyMmh1bnRlcjM=\"\n    }\n  }\n}\n",
            &["\"auth\": \"bWU6aHVudGVyMmh1bnRlcjM=\""],
        ),
        (
            "machine github.com\nlogin somebody\npassword hunter2hunter3\n",
            &["password hunter2hunter3"],
        ),
    ] {
        let needles = Needles::new([("it", file)]);
        for line in file.lines().map(str::trim) {
            let wanted = secrets.contains(&line);
            assert_eq!(!found(&needles, line).is_empty(), wanted, "{line}");
        }
        assert!(!found(&needles, file).is_empty());
    }
}

#[test]
fn passwords_are_found_without_the_rest_of_their_line() {
    for (file, secret) in [
        ("//registry.npmjs.org/:_authToken=npm-token-of-mine", "npm-token-of-mine"),
        ("machine github.com login me password tokenOfMine77", "tokenOfMine77"),
        ("machine github.com\n  login me\n  password tokenOfMine77\n", "tokenOfMine77"),
        ("{\n  \"type\": \"x\",\n  \"password\": \"tokenOfMine77\",\n}", "tokenOfMine77"),
        ("https://tokenOfMine77@github.com", "tokenOfMine77"),
        ("https://me:tokenOfMine77@github.com/x.git", "tokenOfMine77"),
        ("<settings>\n<password>tokenOfMine77</password>\n</settings>", "tokenOfMine77"),
        ("export API_TOKEN='tokenOfMine77'", "tokenOfMine77"),
        (r#"{"user":"a\"b","password":"tokenOfMine77","ports":[1]}"#, "tokenOfMine77"),
        (r#"{"auths":{"r.example": {"x" : "y", "auth" :"tokenOfMine77"}}}"#, "tokenOfMine77"),
    ] {
        let needles = Needles::new([("it", file)]);
        let hits = found(&needles, secret);
        assert!(matches!(hits[..], [(Part::Field(_), "raw")]), "{file}: {hits:?}");
    }
}

#[test]
fn a_long_value_is_found_whole_and_in_large_part() {
    let mut state = 7_u64;
    let mut noise = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let value: Vec<u8> = (0..500 << 10).map(|_| noise()).collect();
    let needles = Needles::new([("it", &value)]);
    assert!(needles.gaps().is_empty());
    for part in [&value[..], &value[..200 << 10], &value[300 << 10..]] {
        let mut search = Searcher::new(&needles);
        search.feed(part);
        assert!(search.finish().total > 0);
    }
}

#[test]
fn fifty_long_values_stay_small() {
    let values: Vec<_> = (0..50_u32)
        .map(|n| {
            let line =
                |l: u32| format!("{:08x}-{:08x}-of-{n}", l.wrapping_mul(0x9E37_79B1), l ^ n << 20);
            (n.to_string(), (0..500 << 10 >> 5).map(line).collect::<Vec<_>>().join("\n"))
        })
        .collect();
    let needles = Needles::new(values.iter().map(|(id, value)| (id, value)));
    assert_eq!(needles.gaps().len(), 50);
    let size: usize = needles.index().bytes().map(<[u8]>::len).sum();
    assert!(size < 6 << 20, "{size}");
    for (_, value) in &values {
        assert!(!found(&needles, value).is_empty());
    }
}

#[test]
fn nothing_prints_a_value() {
    let needles = Needles::new([("it", "hunter2hunter3"), ("short", "hunter4")]);
    let mut search = Searcher::new(&needles);
    search.feed(b"hunter2hunter3");
    let printed = format!("{needles:?} {search:?} {:?}", search.finish());
    assert!(printed.contains("it") && !printed.contains("hunter"), "{printed}");
}
