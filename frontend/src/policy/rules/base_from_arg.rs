//! FROM that cannot be built unless somebody passes an argument.

use super::unpinned_image::is_platform_argument;
use crate::dockerfile::Lex;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct BaseFromArg;

static ABOUT: About = About {
    id: "base-from-arg",
    title: "a base that only a build argument names",
    severity: Severity::Medium,
    also: &["InvalidDefaultArgInFrom", "UndefinedArgInFrom"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/base-from-arg.md"),
};

impl Rule for BaseFromArg {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let lex = Lex::new(view.file.escape());
        for stage in &view.stages {
            let Some(base) = &stage.base else { continue };
            let Ok(done) = lex.expand(&base.text, &view.globals().args) else { continue };
            if done.undefined.iter().any(|name| is_platform_argument(name)) {
                continue;
            }
            let names = done.undefined.iter().chain(&done.matched);
            let args = &view.globals().args;
            let empty = |name: &&String| {
                !is_platform_argument(name) && args.get(*name).is_none_or(String::is_empty)
            };
            let Some(name) = names.clone().find(empty) else { continue };
            let declared = view.file.global_args().flat_map(|node| node.pairs());
            let declared = declared.map(|pair| &pair.name).find(|word| word.text == *name);
            // A prefix that may be left out leaves a name: `${REGISTRY}debian:12`.
            if declared.is_some() && !view.images().errors.iter().any(|e| e.span == base.span) {
                continue;
            }
            match declared {
                Some(word) => {
                    let message = format!("the base depends on {name}, which has no default");
                    found
                        .report(&ABOUT, base.span, message)
                        .note(word.span, "declared here")
                        .help(format!("give it one: ARG {name}=…"));
                }
                None => {
                    let message = format!("no ARG before the first FROM declares {name}");
                    found.report(&ABOUT, base.span, message).help(format!(
                        "put ARG {name}=… before the first FROM; others are not seen there"
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent, speaks};

    #[test]
    fn nothing_to_build_without_an_argument() {
        speaks(
            &BaseFromArg,
            &[
                "ARG BASE\nFROM $BASE\n",
                "ARG BASE=\nFROM $BASE\n",
                "ARG TAG\nFROM debian:${TAG}\n",
                "FROM $BASE\n",
                "FROM ${REGISTRY}debian:12\n",
                // Declared too late.
                "FROM debian:12\nARG BASE=a\nFROM $BASE\n",
            ],
        );
        assert_eq!(places(&BaseFromArg, "ARG TAG\nFROM debian:${TAG}\n"), ["debian:${TAG}"]);
    }

    #[test]
    fn defaults_and_what_the_builder_sets() {
        silent(
            &BaseFromArg,
            &[
                "ARG BASE=debian:12\nFROM $BASE\n",
                "ARG BASE\nFROM ${BASE:-debian:12}\n",
                "ARG REGISTRY\nFROM ${REGISTRY}debian:12\n",
                "ARG REGISTRY=\nFROM ${REGISTRY:+$REGISTRY/}debian:12\n",
                "FROM --platform=$BUILDPLATFORM debian:12\n",
                "FROM base-$TARGETARCH\n",
                "ARG V=1\nARG BASE=debian:$V\nFROM $BASE\n",
                "FROM debian:12\n",
                "FROM scratch\n",
            ],
        );
    }
}
