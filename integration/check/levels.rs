//! Exit codes, levels, configuration, comments, the baseline.

use crate::bench::{Bench, SAMPLE, quiet};

#[test]
fn exit_codes_are_an_interface() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    assert_eq!(bench.check(&[]).code, 0);
    assert_eq!(bench.check(&["--rule", "sudo=deny"]).code, 3);
    assert_eq!(bench.check(&["--fail-on", "medium"]).code, 3);
    assert_eq!(bench.check(&["--fail-on", "high"]).code, 0);
    assert_eq!(bench.check(&["--rule", "sudo=deny", "--fail-on", "never"]).code, 3);
    assert_eq!(bench.check(&["--no-such-flag"]).code, 1);
    assert_eq!(bench.check(&["--rule", "suod=deny"]).code, 1);
    assert_eq!(bench.check(&["nowhere"]).code, 1);
    bench.write("Dockerfile", "FROM debian:12\nRUNN true\n");
    let said = bench.check(&[]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("error[parse-error]: unknown instruction: RUNN"), "{}", said.out);
}

#[test]
fn a_project_decides_and_the_command_line_stands_above_it() {
    let bench = Bench::with("a/Dockerfile", SAMPLE);
    let config = quiet("") + "sudo = \"deny\"\nlocal-add = \"allow\"\n";
    bench.write("cofferdam.toml", &config);
    assert_eq!(bench.found(&[]), ["sudo a/Dockerfile:3 deny"]);
    assert_eq!(bench.found(&["--rule", "sudo=warn"]), ["sudo a/Dockerfile:3 warn"]);
    assert_eq!(bench.found(&["--rule", "local-add=deny", "--rule", "sudo=allow"]).len(), 2);
    // The nearest configuration counts, within the repository.
    bench.write("a/cofferdam.toml", quiet("profile = \"strict\""));
    assert_eq!(bench.found(&[]).len(), 3);
}

#[test]
fn mistakes_in_the_configuration_are_told_with_their_place() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    for (text, message, hint) in [
        ("[rules]\nsuod = \"deny\"\n", "there is no rule \"suod\"", "did you mean sudo?"),
        ("[rules]\nsudo = \"error\"\n", "there is no level \"error\"", "levels are"),
        ("profile = \"lax\"\n", "there is no profile \"lax\"", "\"strict\""),
        ("[check]\nregistries = [\"https://x\"]\n", "names no registry", "docker.io/library"),
        ("[chekc]\n", "unknown field `chekc`", ""),
    ] {
        bench.write("cofferdam.toml", text);
        let said = bench.check(&[]);
        assert_eq!(said.code, 1, "{text}");
        assert!(said.err.contains(message) && said.err.contains(hint), "{}", said.err);
        assert!(said.err.contains("--> cofferdam.toml:"), "{}", said.err);
    }
}

#[test]
fn exceptions_lift_a_rule_for_one_file_until_they_end() {
    let bench = Bench::with("a/Dockerfile", SAMPLE);
    bench.write("b/Dockerfile", SAMPLE);
    let exception =
        "\n[[exception]]\nrule = \"local-add\"\npath = \"a/Dockerfile\"\nreason = \"x\"\n";
    bench.write("cofferdam.toml", quiet("") + exception);
    let found = bench.found(&[]);
    assert_eq!(found[0], "sudo a/Dockerfile:3 warn");
    assert_eq!(found.len(), 4);
    bench.write("cofferdam.toml", quiet("") + exception + "expires = 2020-01-01\n");
    let said = bench.check(&[]);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("error[exception-expired]"), "{}", said.out);
    // At its line, once for all the files that it is about.
    let line = bench.read("cofferdam.toml").lines().position(|line| line == "[[exception]]");
    let place = format!("cofferdam.toml:{}", line.unwrap() + 1);
    assert!(said.out.contains(&format!("--> {place}:1\n")), "{}", said.out);
    let found = bench.found(&["a", "./a/Dockerfile", "b"]);
    let expired = found.iter().filter(|found| found.starts_with("exception-expired"));
    assert_eq!(expired.collect::<Vec<_>>(), [&format!("exception-expired {place} deny")]);
}

#[test]
fn comments_silence_what_they_name_with_a_reason() {
    let bench = Bench::with(
        "Dockerfile",
        "FROM debian:12\n# cofferdam: ignore[local-add] archives come later\nADD app /srv/app\n\
         # cofferdam: ignore[sudo]\nRUN sudo true\n# cofferdam: ignore[sudo] x\nRUN true\n",
    );
    assert_eq!(
        bench.found(&[]),
        [
            "bad-ignore Dockerfile:4 warn",
            "sudo Dockerfile:5 warn",
            "unused-ignore Dockerfile:6 warn"
        ]
    );
    assert!(bench.check(&[]).out.contains("1 silenced"));
}

#[test]
fn a_baseline_knows_findings_wherever_they_move() {
    let bench = Bench::with("docker/Dockerfile", SAMPLE);
    let known = ["--baseline", "known.json"];
    let missing = bench.check(&known);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("--write-baseline"), "{}", missing.err);
    assert_eq!(bench.check(&["--baseline", "known.json", "--write-baseline"]).code, 0);
    let strict = ["--baseline", "known.json", "--fail-on", "info"];
    assert_eq!(bench.check(&strict).code, 0);
    // Moved and reformatted is known, one more is not, from anywhere.
    let moved = SAMPLE.replace("RUN sudo true", "# why\nRUN  sudo \\\n true");
    bench.write("docker/Dockerfile", moved.replace("\\\n ", "") + "ADD more /srv/more\n");
    assert_eq!(bench.found(&strict), ["local-add docker/Dockerfile:6 deny"]);
    // A copy of a known instruction is one more.
    bench.write("docker/Dockerfile", format!("{SAMPLE}RUN sudo true\n"));
    assert_eq!(bench.found(&strict), ["sudo docker/Dockerfile:5 deny"]);
    bench.write("docker/Dockerfile", SAMPLE.replace("RUN sudo true\n", ""));
    let said = bench.check(&strict);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("sudo in docker/Dockerfile is mended"), "{}", said.err);
    bench.write("known.json", "{}");
    assert_eq!(bench.check(&known).code, 1);
}

#[test]
fn a_baseline_holds_no_text_of_the_files() {
    let bench = Bench::with("Dockerfile", "FROM debian:12\nRUN sudo login --password hunter22\n");
    bench.check(&["--baseline", "known.json", "--write-baseline"]);
    assert!(!bench.read("known.json").contains("hunter22"));
}

#[test]
fn rules_are_listed_and_explained() {
    let bench = Bench::new();
    let table = bench.run(&["rules"], b"").out;
    assert!(table.lines().any(|line| line.starts_with("sudo ")), "{table}");
    let list: serde_json::Value =
        serde_json::from_str(&bench.run(&["rules", "--format", "json"], b"").out).unwrap();
    assert_eq!(list.as_array().unwrap().len(), table.lines().count() - 1);
    assert!(bench.run(&["explain", "sudo"], b"").out.starts_with("# sudo\n"));
    assert!(bench.run(&["explain", "dl3004"], b"").out.starts_with("# sudo\n"));
    let said = bench.run(&["explain", "suod"], b"");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("did you mean sudo?"), "{}", said.err);
}

/// In place, under their own configurations: what the pages promise, by the program.
#[test]
fn examples_find_what_they_are_for() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policy");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cofferdam"));
    command.args(["check", "--format", "json", "--profile", "strict"]).arg(&examples);
    let said = Bench::new().output(&mut command);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    for rule in std::fs::read_dir(&examples).unwrap() {
        let rule = rule.unwrap().file_name().into_string().unwrap();
        let has = |kind: &str| {
            let file = examples.join(&rule).join(kind).join("Dockerfile");
            let file = file.to_str().unwrap();
            findings.iter().any(|it| it["rule"] == rule.as_str() && it["file"] == file)
        };
        assert!(has("bad") && !has("good"), "{rule}");
    }
}
