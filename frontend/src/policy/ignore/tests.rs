use super::*;
use crate::policy::{Settings, check};

/// `rule@line` of what is left, and how much was silenced.
fn heard(source: &str) -> (Vec<String>, usize) {
    let file = Dockerfile::parse(source.as_bytes());
    let only = ["local-add", "sudo"];
    let wanted = |about: &About| only.contains(&about.id);
    let findings = check(&file, &Settings::default(), wanted);
    let heard = heed(&file, findings, Day::parse("2026-11-22").unwrap(), |_| true);
    let shown =
        |finding: &Finding| format!("{}@{}", finding.rule, file.line_col(finding.span.start).line);
    (heard.findings.iter().map(shown).collect(), heard.silenced.len())
}

fn left(source: &str) -> Vec<String> {
    heard(source).0
}

#[test]
fn a_comment_counts_for_the_instruction_below_it() {
    let two = "FROM a\n# cofferdam: ignore[sudo] the vendor's script\nRUN sudo a\nRUN sudo b\n";
    assert_eq!(heard(two), (vec!["sudo@4".into()], 1));
    // Other comments may stand between, blank lines may not.
    assert_eq!(heard(&two.replace("RUN sudo a", "# more\nRUN sudo a")).1, 1);
    assert_eq!(
        left(&two.replace("RUN sudo a", "\nRUN sudo a")),
        ["unused-ignore@2", "sudo@4", "sudo@5"]
    );
    let inside = "FROM a\nRUN true && \\\n  # cofferdam: ignore[sudo] needed\n  sudo a\n";
    assert_eq!(heard(inside), (vec![], 1));
}

#[test]
fn a_comment_for_the_file_may_stand_anywhere() {
    let source = "FROM a\nRUN sudo a\nADD x /y\nRUN sudo b\n";
    let comment = "# cofferdam: ignore-file[sudo, local-add] a test image until=2026-11-22\n";
    for file in [format!("{comment}{source}"), format!("{source}\n{comment}")] {
        assert_eq!(heard(&file), (vec![], 3), "{file}");
    }
}

#[test]
fn a_comment_that_cannot_count_silences_nothing() {
    for (comment, expected) in [
        ("ignore[sudo]", "this gives no reason"),
        ("ignore[sudo] until=2027-02-01", "this gives no reason"),
        ("ignore[sudo] --", "this gives no reason"),
        ("ignore sudo because", "this names no rules in brackets"),
        ("ignore[] because", "this names no rules in brackets"),
        ("ignore[sudo because", "this names no rules in brackets"),
        ("ignore[sudo] old until=2026-11-21", "this ended on 2026-11-21"),
        ("ignore[sudo] x until=tomorrow", "\"tomorrow\" is no day"),
        ("ignore[DL3004] x", "there is no rule \"DL3004\""),
        ("ignore[parse-error] x", "parse-error cannot be ignored"),
    ] {
        let source = format!("FROM a\n# cofferdam: {comment}\nRUN sudo a\n");
        let file = Dockerfile::parse(source.as_bytes());
        let findings = check(&file, &Settings::default(), |about| about.id == "sudo");
        let heard = heed(&file, findings, Day::parse("2026-11-22").unwrap(), |_| true);
        let bad: Vec<&Finding> = heard.findings.iter().filter(|f| f.rule == "bad-ignore").collect();
        assert_eq!(bad.len(), 1, "{comment}");
        assert_eq!(bad[0].message, expected);
        assert!(heard.silenced.is_empty(), "{comment}");
    }
    assert_eq!(left("FROM a\n# cofferdam: see the wiki\n# cofferdam\nRUN a\n"), [""; 0]);
}

#[test]
fn what_is_of_no_use_is_pointed_at_where_the_rule_ran() {
    let source = "FROM a\n# cofferdam: ignore[sudo,local-add] because\nRUN sudo a\n";
    assert_eq!(left(source), ["unused-ignore@2"]);
    let file = Dockerfile::parse(source.as_bytes());
    let off = heed(&file, Vec::new(), Day::parse("2026-11-22").unwrap(), |_| false);
    assert_eq!(off, Heard::default());
}

#[test]
fn other_tools_comments_count_and_owe_nothing() {
    for source in [
        "FROM a\n# hadolint ignore=DL3004,DL9999\nRUN sudo a\n",
        "FROM a\n#hadolint ignore = DL3004 DL3020\nRUN sudo a\n",
        "# hadolint global ignore=DL3004\nFROM a\nRUN sudo a\n",
        "# check=error=true;skip=DL3004\nFROM a\nRUN sudo a\n",
    ] {
        assert_eq!(heard(source), (vec![], 1), "{source}");
    }
    assert_eq!(left("FROM a\n# hadolint ignore=DL3004\nRUN a\nRUN sudo a\n"), ["sudo@4"]);
    assert_eq!(left("# check=skip=all\nFROM a\nRUN sudo a\n"), ["sudo@3"]);
}

proptest::proptest! {
    #[test]
    fn any_comment_is_survived(text in "(cofferdam: |hadolint |check=)?(ignore)?[\\[\\]=a-z, é\u{301}-]{0,40}") {
        left(&format!("# {text}\nFROM a\n#{text}\nRUN sudo a # {text}\n"));
    }
}
