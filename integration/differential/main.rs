//! Every build of the corpus by real buildx and by cofferdam, on the same engine, and what differs.
//!
//! `cases/` holds the corpus as text, `allowed.toml` the differences that are meant. Each case runs
//! on every engine that it is for, as `a::copy::chown`, `b_classic::copy::chown` and so on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod allowed;
mod archive;
mod arm;
mod compare;
mod corpus;
mod coverage;
mod daemon;
mod directory;
mod facts;
mod image;
#[path = "../conformance/support/lab.rs"]
mod lab;
mod normal;
mod scripts;
mod setting;
mod tree;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use allowed::Allowed;
use arm::Tool;
use corpus::Case;
use libtest_mimic::{Arguments, Trial};
use setting::Setting;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They mostly wait for engines.
    arguments.test_threads.get_or_insert(6);
    let (cases, scripts) = (corpus::all(), scripts::all());
    let allowed = Arc::new(Allowed::read());
    let settings = setting::all(arguments.list);
    let whole = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;

    let mut trials = coverage::trials(&cases);
    for &setting in &settings {
        let here = cases.iter().filter(|case| setting.takes(case));
        trials.extend(here.map(|&case| trial(case, setting, None, &allowed)));
        let here = scripts.iter().filter(|case| setting.takes(case));
        let ways = here.flat_map(|&case| scripts::WAYS.iter().map(move |way| (case, way)));
        trials.extend(ways.map(|(case, way)| trial(case, setting, Some(*way), &allowed)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    std::thread::scope(|scope| {
        for setting in &settings {
            scope.spawn(|| setting.tidy());
        }
    });
    // Only a whole run has given every entry its chance.
    let unused = if whole { allowed.unused(&settings) } else { Vec::new() };
    for entry in &unused {
        let line = "allowed.toml: no case needed this entry any more, remove it";
        let _ = writeln!(std::io::stderr(), "{line}: {entry}");
    }
    match conclusion.has_failed() || !unused.is_empty() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

fn trial(
    case: &'static Case,
    setting: &'static Setting,
    way: Option<(&str, Tool)>,
    allowed: &Arc<Allowed>,
) -> Trial {
    let mut name = format!("{}::{}::{}", setting.name, case.theme, case.name);
    let tool = way.map_or(Tool::Cofferdam, |(way, tool)| {
        name += &format!("::{way}");
        tool
    });
    let allowed = Arc::clone(allowed);
    Trial::test(name, move || {
        let result = compare::compare(case, setting, tool, &allowed);
        // Every test after a crash fails too; the ones that ran meanwhile are the suspects.
        if !setting.engine_runs() {
            return Err("the engine is down after this test".into());
        }
        Ok(result?)
    })
}
