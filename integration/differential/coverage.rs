//! The corpus is whole: as many cases as were promised, every instruction, every flag.

use libtest_mimic::Trial;

use crate::corpus::Case;

const LEAST: usize = 120;

const INSTRUCTIONS: &[&str] = &[
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Tests of the corpus itself.
pub fn trials(cases: &[&'static Case]) -> Vec<Trial> {
    let count = cases.len();
    let enough = Trial::test("corpus::cases", move || match count {
        LEAST.. => Ok(()),
        _ => Err(format!("{count} cases, not {LEAST}").into()),
    });
    let cases = cases.to_vec();
    let instructions = Trial::test("corpus::instructions", move || {
        let used = |word: &&&str| {
            let lines =
                || cases.iter().flat_map(|case| &case.files).flat_map(|file| file.text.lines());
            lines().any(|line| line.trim_start().split(' ').next() == Some(word))
        };
        let missing: Vec<_> = INSTRUCTIONS.iter().filter(|word| !used(word)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("no case has {missing:?}").into()) }
    });
    vec![enough, instructions]
}
