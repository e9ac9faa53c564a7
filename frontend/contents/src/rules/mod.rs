//! The rules, one file each; what they are about stands in `docs/rules` under the same name.

mod build_tools;
mod device_node;
mod duplicate_id;
mod empty_password;
mod file_capabilities;
mod git_directory;
mod package_cache;
mod secrets;
mod setgid_directory;
mod setuid_left;
mod several_processes;
mod shell_history;
mod sudo_without_password;
#[cfg(test)]
mod testing;
mod user;
mod world_writable;
mod writable_entrypoint;

use crate::config::Config;
use crate::contents::Contents;
use crate::entry::Item;
use crate::finding::{Finding, Options, by_layer};
use crate::view::{Tracked, View};

/// The ids of all rules that a finding can be of, sorted.
pub const RULES: [&str; 17] = [
    build_tools::RULE,
    device_node::RULE,
    duplicate_id::RULE,
    empty_password::RULE,
    file_capabilities::RULE,
    git_directory::RULE,
    user::ROOT,
    package_cache::RULE,
    setgid_directory::RULE,
    setuid_left::RULE,
    several_processes::RULE,
    shell_history::RULE,
    sudo_without_password::RULE,
    secrets::RULE,
    user::UNKNOWN,
    world_writable::RULE,
    writable_entrypoint::RULE,
];

/// What speaks against an image: its layers, the lowest first, of which the first `base_layers` are
/// those of a base, and its configuration. By rule, then by layer.
#[must_use]
pub fn judge(
    layers: &[Contents],
    base_layers: usize,
    config: &Config,
    options: &Options,
) -> Vec<Finding> {
    let view = View::of(layers);
    let case = Case { view: &view, base_layers, config, options };
    let rules: [fn(&Case<'_>) -> Vec<Finding>; 16] = [
        secrets::judge,
        setuid_left::judge,
        file_capabilities::judge,
        device_node::judge,
        user::judge,
        writable_entrypoint::judge,
        world_writable::judge,
        empty_password::judge,
        sudo_without_password::judge,
        duplicate_id::judge,
        git_directory::judge,
        shell_history::judge,
        build_tools::judge,
        several_processes::judge,
        package_cache::judge,
        setgid_directory::judge,
    ];
    rules.iter().flat_map(|rule| rule(&case)).collect()
}

/// An image that is judged.
struct Case<'a> {
    view: &'a View,
    base_layers: usize,
    config: &'a Config,
    options: &'a Options,
}

impl Case<'_> {
    fn is_new(&self, layer: usize) -> bool {
        layer >= self.base_layers
    }
}

/// One finding for each layer that brought entries of a list which are still there.
fn each_layer(
    list: &Tracked<Item>,
    counts: impl Fn(usize, &str, &Item) -> bool,
    finding: impl Fn(usize) -> Finding,
) -> Vec<Finding> {
    let now = list.now.iter().filter(|(place, (layer, item))| counts(*layer, place.path(), item));
    let layers = by_layer(now.map(|(place, (layer, _))| (*layer, place)));
    let told = |(layer, paths): (usize, Vec<String>)| {
        let more = list.dropped(layer);
        let all = paths.len().saturating_add(usize::try_from(more).unwrap_or(usize::MAX));
        finding(all).at(layer).paths(paths).and(more)
    };
    layers.into_iter().map(told).collect()
}
