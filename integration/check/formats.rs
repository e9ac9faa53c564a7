//! What programs read.

use serde_json::Value;

use crate::bench::{Bench, SAMPLE};

fn json(bench: &Bench, format: &str) -> Value {
    let said = bench.check(&["--format", format, "--rule", "sudo=deny"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""));
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn people_see_the_line_the_fix_and_the_page() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    assert_eq!(
        bench.check(&["--rule", "sudo=deny"]).out,
        "error[sudo]: the step calls sudo\n  --> Dockerfile:3:5\n   |\n 3 | RUN sudo true\n   \
           |     ^^^^\n   |\n   \
           = fix: put USER root before the step and USER <name> behind it\n   \
           = see: cofferdam explain sudo\n\n\
         warning[local-add]: ADD of local files\n  --> Dockerfile:2:1\n   |\n 2 | ADD app /srv/app\n   \
           | ^^^\n   |\n   = also: Dockerfile:4:1\n   \
           = fix: use COPY: it never unpacks and never downloads (--fix does it)\n   \
           = see: cofferdam explain local-add\n\n\
         denied    1 file: 1 finding denied, 2 warnings, 2 for --fix\n"
    );
    bench.write("Dockerfile", "FROM debian:12\n");
    assert_eq!(bench.check(&[]).out, "clean     1 file: nothing found\n");
}

#[test]
fn never_more_than_one_reads() {
    let bench = Bench::with("Dockerfile", &format!("FROM a\n{}", "RUN sudo true\n".repeat(100)));
    let said = bench.check(&[]);
    assert!(said.out.lines().count() < 30, "{}", said.out);
    assert!(said.out.contains("90 more"), "{}", said.out);
    let said = bench.check(&["--rule", "sudo=deny"]);
    assert_eq!(said.out.matches("error[sudo]").count(), 10);
    assert!(said.out.contains("90 more of sudo"), "{}", said.out);
}

#[test]
fn sarif_has_rules_places_fixes_and_fingerprints() {
    let bench = Bench::with("a b/Dockerfile", SAMPLE);
    let report = json(&bench, "sarif");
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(report["version"], "2.1.0");
    assert_eq!(results.len(), 3);
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["markdown"].as_str().unwrap().starts_with("# "));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/Dockerfile");
    }
    assert_eq!((&results[1]["level"], &results[0]["level"]), (&"error".into(), &"warning".into()));
    let change = &results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["insertedContent"]["text"], "COPY");
    assert_eq!(change["deletedRegion"]["endColumn"], 4);
    let prints = |report: &Value| {
        let results = report["runs"][0]["results"].as_array().unwrap().clone();
        let print = |r: &Value| r["partialFingerprints"].to_string();
        results.iter().map(print).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(prints(&report).len(), 3);
    bench.write("a b/Dockerfile", SAMPLE.replace("FROM", "\n\n# moved\nFROM"));
    assert_eq!(prints(&json(&bench, "sarif")), prints(&report));
}

#[test]
fn gitlab_has_one_fingerprint_for_each_finding() {
    let bench = Bench::with("Dockerfile", &format!("{SAMPLE}ADD app /srv/app\n"));
    let report = json(&bench, "gitlab");
    let issues = report.as_array().unwrap();
    let prints: std::collections::BTreeSet<String> =
        issues.iter().map(|issue| issue["fingerprint"].to_string()).collect();
    assert_eq!((issues.len(), prints.len()), (4, 4));
    assert_eq!(issues[1]["check_name"], "sudo");
    assert_eq!(issues[1]["severity"], "major");
    assert_eq!(issues[1]["location"]["path"], "Dockerfile");
    assert_eq!(issues[1]["location"]["lines"]["begin"], 3);
}

#[test]
fn github_gets_its_commands() {
    let bench = Bench::with("a,b/Dockerfile", SAMPLE);
    let said = bench.check(&["--format", "github", "--rule", "sudo=deny"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(
        lines[1],
        "::error file=a%2Cb/Dockerfile,line=3,col=5,endLine=3,endColumn=9,title=sudo::the step \
         calls sudo%0Afix: put USER root before the step and USER <name> behind it%0Asee: \
         cofferdam explain sudo"
    );
    assert!(lines[0].starts_with("::warning file=a%2Cb/Dockerfile,line=2,"), "{}", lines[0]);
}

#[test]
fn junit_has_a_suite_for_each_file_and_fails_what_is_denied() {
    let bench = Bench::with("Dockerfile", "FROM a\nRUN sudo a && sudo b\nRUNN \"<&\x01\n");
    bench.write("b/Dockerfile", "FROM a\n");
    let said = bench.check(&["--format", "junit"]);
    for part in [
        "<testsuites name=\"cofferdam check\" tests=\"4\" failures=\"1\">",
        "<testsuite name=\"Dockerfile\" tests=\"3\" failures=\"1\" errors=\"0\">",
        "<failure message=\"unknown instruction: RUNN\" type=\"high\">",
        "<testcase name=\"nothing found\" classname=\"b/Dockerfile\"/>",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
}

#[test]
fn a_file_takes_the_report_and_people_see_the_last_line() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    let said = bench.check(&["--format", "json", "--output", "out.json"]);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    assert!(said.err.starts_with("checked   1 file: 3 warnings"), "{}", said.err);
    let report: Value = serde_json::from_str(&bench.read("out.json")).unwrap();
    assert_eq!(report["summary"]["warnings"], 3);
}
