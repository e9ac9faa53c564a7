//! What rules know of the programs that a RUN calls: package managers, downloads, checks of
//! downloads.

mod edit;
mod fetch;
mod packages;
#[cfg(test)]
pub mod testing;
mod verify;

pub use edit::{insert_after, remove_word};
pub use fetch::{CURL_VALUED, Download, Output, base_name, cluster, download, is_local};
pub use packages::{Action, LastCall, Manager, PackageCall, package_calls, package_name};
pub use verify::{Verified, verifies_call};

use super::body::Run;
use super::view::View;
use crate::shell::Call;

/// Every call of a file: its script, its command's place in it, and what is called.
pub fn calls<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Run<'v>, usize, Call<'v>)> {
    view.runs().iter().flat_map(|run| {
        let run: &Run<'v> = run;
        calls_of(run).map(move |(index, call)| (run, index, call))
    })
}

/// Every call of one script with its command's place in it.
pub fn calls_of<'v>(run: &'v Run<'_>) -> impl Iterator<Item = (usize, Call<'v>)> + use<'v> {
    let commands = run.script.commands.iter().enumerate();
    commands.filter_map(|(index, command)| Some((index, command.call()?)))
}
