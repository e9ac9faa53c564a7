//! What users and attackers would notice, on every engine of the lab.
//!
//! `COFFERDAM_TEST_ENGINES` names the engines (all of the lab's by default). Every test runs on
//! each of them as `a::strip_debian`, `b_classic::strip_debian` and so on; an engine that is named
//! and cannot be brought up fails the whole run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod attested;
mod bad_input;
mod builders;
mod connection;
mod contexts;
mod credentials;
mod exceptions;
mod fixes;
mod fresh;
mod hardened;
mod image_rules;
mod images;
mod inventory;
mod layouts;
mod leak_forms;
mod leak_limits;
mod leaks;
mod load;
mod local_bases;
mod lock;
mod lock_sources;
mod logs;
mod needles;
mod nodes;
mod ordinary;
mod outputs;
mod outside;
mod pins;
mod platforms;
mod plugin;
mod policies;
mod provenance;
mod push;
mod remote;
mod results;
mod rules;
mod sbom;
mod secrets;
mod session;
mod signals;
mod smoke;
mod strip;
mod support;
mod terminal;
mod transport;
mod triggers;
mod vcs;
mod verdicts;

use std::os::unix::net::UnixStream;

use libtest_mimic::{Arguments, Trial};
use support::{Engine, Test, lab};

/// Every file of tests.
const SUITES: &[&[Test]] = &[
    hardened::TESTS,
    strip::TESTS,
    smoke::TESTS,
    fresh::TESTS,
    pins::TESTS,
    lock::TESTS,
    lock_sources::TESTS,
    policies::TESTS,
    platforms::TESTS,
    triggers::TESTS,
    local_bases::TESTS,
    image_rules::TESTS,
    inventory::TESTS,
    images::TESTS,
    layouts::TESTS,
    secrets::TESTS,
    leaks::TESTS,
    leak_forms::TESTS,
    leak_limits::TESTS,
    needles::TESTS,
    ordinary::TESTS,
    provenance::TESTS,
    remote::TESTS,
    results::TESTS,
    rules::TESTS,
    sbom::TESTS,
    fixes::TESTS,
    bad_input::TESTS,
    outside::TESTS,
    outputs::TESTS,
    load::TESTS,
    logs::TESTS,
    nodes::TESTS,
    push::TESTS,
    signals::TESTS,
    transport::TESTS,
    session::TESTS,
    exceptions::TESTS,
    plugin::TESTS,
    builders::TESTS,
    terminal::TESTS,
    connection::TESTS,
    contexts::TESTS,
    credentials::TESTS,
    attested::TESTS,
    vcs::TESTS,
    verdicts::TESTS,
];

fn main() {
    let mut arguments = Arguments::from_args();
    // They mostly wait for engines.
    arguments.test_threads.get_or_insert(8);
    let names = lab::names();
    // Listing must work without an engine.
    let engines: Vec<&'static Engine> = match arguments.list {
        true => names.iter().map(|name| lab::offline(name)).collect(),
        false => names.iter().map(|name| lab::up(name)).collect(),
    };
    let trials =
        engines.iter().flat_map(|&engine| SUITES.iter().map(move |suite| (engine, *suite)));
    let trials =
        trials.flat_map(|(engine, suite)| suite.iter().map(move |test| trial(engine, test)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn trial(engine: &'static Engine, test: &'static Test) -> Trial {
    let name = format!("{}::{}", engine.name.replace('-', "_"), test.name);
    Trial::test(name, move || {
        (test.run)(engine);
        // Every test after a crash fails too; the ones that ran meanwhile are the suspects.
        match UnixStream::connect(engine.socket()) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("the engine is down after this test: {error}").into()),
        }
    })
}
