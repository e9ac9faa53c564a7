//! What the tests stand on.

pub mod cache;
pub mod docker;
pub mod fakes;
pub mod gate;
pub mod http;
pub mod lab;
pub mod no_load;
pub mod opened;
pub mod processes;
pub mod project;
pub mod proxy;
pub mod registry;
pub mod run;
pub mod saved;
pub mod stand_in;
pub mod terminal;
pub mod tls;
pub mod tools;
pub mod turnstile;

pub use lab::Engine;
pub use project::Project;
pub use run::Outcome;

use std::time::{Duration, Instant};

/// A test that runs on every engine.
pub struct Test {
    pub name: &'static str,
    pub run: fn(&'static Engine),
}

/// The tests of a file, by the names of their functions.
macro_rules! tests {
    ($($test:ident),+ $(,)?) => {
        pub const TESTS: &[$crate::support::Test] =
            &[$($crate::support::Test { name: stringify!($test), run: $test }),+];
    };
}
pub(crate) use tests;

/// Random hex digits, so that nothing of one test is ever found by another.
pub fn unique() -> String {
    let mut bytes = [0_u8; 6];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks again until the answer is yes or the time is over; the last answer.
pub fn eventually(limit: Duration, mut yes: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if yes() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
