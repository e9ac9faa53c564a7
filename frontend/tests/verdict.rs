//! BuildKit's verdict on hand-written Dockerfiles; real engines are asked the same elsewhere.
#![expect(clippy::expect_used, clippy::panic, reason = "functions shared by tests")]

mod verdicts;

use cofferdam_frontend::dockerfile::Dockerfile;

#[test]
fn every_construct_gets_the_verdict_of_current_buildkit() {
    let cases = verdicts::cases();
    assert!(cases.len() > 150);
    for case in cases {
        let file = Dockerfile::parse(&case.text);
        let errors: Vec<_> = file.errors.iter().filter(|error| !error.is_build_only()).collect();
        let good = matches!(case.verdict, "good" | "newer");
        assert_eq!(errors.is_empty(), good, "{}: {errors:?}", case.name);
    }
}
