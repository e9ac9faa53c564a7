//! Reports against the schemas of their formats.

use serde_json::Value;

use crate::bench::{Bench, SAMPLE};
use crate::json_schema::hold;
use crate::xml::{self, Element};

/// A report with everything in it: every rule's bad example, denied and not, with fixes and notes; a
/// clean file; names and texts that need escaping; an exception that has ended.
fn report(format: &str) -> String {
    let bench = Bench::new();
    let mut text = String::from("[check]\nregistries = [\"docker.io/library\"]\n");
    for (at, rule) in std::fs::read_dir("examples/policy").unwrap().enumerate() {
        let bad = rule.unwrap().path().join("bad/Dockerfile");
        bench.write(&format!("{at}/Dockerfile"), std::fs::read(bad).unwrap());
    }
    bench.write("clean/Dockerfile", "FROM scratch\n");
    bench.write("a b/\u{e9}'\"<&>/Dockerfile", SAMPLE);
    bench.write(
        "odd/Dockerfile",
        b"FROM a\nRUN sudo \x01\xff\nCOPY \xe2\x80\xae\xef\xbf\xbf ]]> /x y z\nFOO\n",
    );
    text += "[[exception]]\nrule = \"sudo\"\npath = \"odd/Dockerfile\"\nreason = \"x\"\nexpires = 2020-01-01\n";
    bench.write("cofferdam.toml", text);
    let said = bench.check(&["--format", format, "--profile", "strict"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""));
    said.out
}

#[test]
fn sarif() {
    let schema = include_str!("schemas/sarif-2.1.0.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let report: Value = serde_json::from_str(&report("sarif")).unwrap();
    let mut wrong = Vec::new();
    hold(&schema, &schema, &report, "", &mut wrong);
    assert_eq!(wrong, Vec::<String>::new());
    assert!(report["runs"][0]["results"].as_array().unwrap().len() > 50);
    // The schema is no sieve that lets everything pass.
    let mut bad = report;
    bad["runs"][0]["results"][0]["level"] = "bad".into();
    bad["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"]["startLine"] =
        0.into();
    bad["runs"][0]["results"][2]["message"] = "text".into();
    bad["runs"][0]["more"] = 1.into();
    hold(&schema, &schema, &bad, "", &mut wrong);
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
}

/// docs.gitlab.com, "Code Quality", "Code Quality report format": an array without a byte order
/// mark, of objects with these fields; GitLab's own schema of one (`codeclimate.json`) asks for
/// `description`, `fingerprint`, `severity` and `location`.
#[test]
fn gitlab() {
    let text = report("gitlab");
    assert!(!text.starts_with('\u{feff}'));
    let report: Value = serde_json::from_str(&text).unwrap();
    let issues = report.as_array().unwrap();
    assert!(issues.len() > 50);
    let mut fingerprints = std::collections::HashSet::new();
    for issue in issues {
        let text = |name: &str| issue[name].as_str().filter(|text| !text.is_empty()).unwrap();
        for name in ["description", "check_name"] {
            text(name);
        }
        let severities = ["info", "minor", "major", "critical", "blocker"];
        assert!(severities.contains(&text("severity")), "{issue}");
        assert!(fingerprints.insert(text("fingerprint")), "not unique: {issue}");
        // "The relative path to the file"; "The path … must not be prefixed with ./".
        let path = issue["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with(['.', '/']) && !path.is_empty(), "{path}");
        let line = |name: &str| issue["location"]["lines"][name].as_u64().unwrap();
        assert!(1 <= line("begin") && line("begin") <= line("end"), "{issue}");
    }
}

/// The rules of Jenkins' `junit-10.xsd` (xunit plugin, MIT), which most readers of JUnit's XML follow.
#[test]
fn junit() {
    let root = xml::parse(&report("junit"));
    // <xs:element name="testsuites">: a sequence of testsuite; name, time, tests, failures, errors.
    assert_eq!(root.name, "testsuites");
    attributes(&root, &[], &["name", "time", "tests", "failures", "errors"]);
    let (mut tests, mut failures) = (0, 0);
    for suite in &root.children {
        // <xs:element name="testsuite">: name, tests, failures and errors are required.
        assert_eq!(suite.name, "testsuite");
        let optional =
            ["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file"];
        attributes(suite, &["name", "tests", "failures", "errors"], &optional);
        let mut failed = 0;
        for case in &suite.children {
            // <xs:element name="testcase">: name is required; time, classname, group.
            assert_eq!(case.name, "testcase");
            attributes(case, &["name"], &["time", "classname", "group"]);
            for child in &case.children {
                // failure, error and skipped have type and message and text; system-out only text.
                assert!(child.children.is_empty());
                match child.name.as_str() {
                    "failure" => attributes(child, &[], &["type", "message"]),
                    "system-out" => attributes(child, &[], &[]),
                    other => panic!("{other}"),
                }
                failed += usize::from(child.name == "failure");
            }
        }
        let number = |name: &str| suite.attributes[name].parse::<usize>().unwrap();
        assert_eq!((number("tests"), number("failures")), (suite.children.len(), failed));
        tests += suite.children.len();
        failures += failed;
    }
    let number = |name: &str| root.attributes[name].parse::<usize>().unwrap();
    assert_eq!((number("tests"), number("failures")), (tests, failures));
    assert!(failures > 0 && tests > failures);
}

fn attributes(element: &Element, required: &[&str], optional: &[&str]) {
    for name in required {
        assert!(element.attributes.contains_key(*name), "{name} is not in {element:?}");
    }
    for name in element.attributes.keys().map(String::as_str) {
        assert!(required.contains(&name) || optional.contains(&name), "{name} in {element:?}");
    }
}
