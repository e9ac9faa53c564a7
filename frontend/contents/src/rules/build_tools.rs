//! Compilers in the image: what they were needed for is built.

use std::collections::BTreeMap;

use super::Case;
use crate::finding::{Finding, shown};
use crate::text::name;

pub(super) const RULE: &str = "build-tools";

/// Programs that make programs.
const TOOLS: [&str; 17] = [
    "gcc",
    "g++",
    "cc",
    "c++",
    "clang",
    "clang++",
    "make",
    "gmake",
    "cmake",
    "ninja",
    "rustc",
    "cargo",
    "go",
    "javac",
    "ghc",
    "gfortran",
    "dotnet-sdk",
];

pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut layers: BTreeMap<usize, (Vec<&str>, Vec<String>)> = BTreeMap::new();
    for (place, (layer, _)) in &case.view.lists.programs.now {
        if let Some(tool) = TOOLS.iter().find(|tool| **tool == name(place.path())) {
            let (tools, paths) = layers.entry(*layer).or_default();
            if !tools.contains(tool) {
                tools.push(tool);
            }
            paths.push(shown(place.path()));
        }
    }
    let finding = |(layer, (tools, paths)): (usize, (Vec<&str>, Vec<String>))| {
        let message = format!("build tools stay in the image: {}", tools.join(", "));
        let fix = "build in a stage of its own, and COPY --from it what was built";
        Finding::new(RULE, message, fix).at(layer).paths(paths)
    };
    layers.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::Image;

    #[test]
    fn compilers_are_told_while_they_are_there() {
        let mut image = Image::default();
        image
            .layer()
            .file("usr/bin/make", 0o755)
            .link("usr/bin/cc", "gcc")
            .file("usr/bin/gccgo", 0o755);
        let found = image.found(RULE);
        assert_eq!(found[0].message, "build tools stay in the image: cc, make");
        image.layer().remove("usr/bin/make").remove("usr/bin/cc");
        image.layer().file("app/make", 0o755).file("usr/bin/cmake", 0o644);
        assert_eq!(image.found(RULE), []);
    }
}
