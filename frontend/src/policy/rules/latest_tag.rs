//! Images without a tag, or with `latest`: the name does not even say which version is meant.

use super::unpinned_image::is_image;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct LatestTag;

static ABOUT: About = About {
    id: "latest-tag",
    title: "an image without a tag, or with latest",
    severity: Severity::High,
    also: &["DL3006", "DL3007", "DS-0001", "CKV_DOCKER_7", "DKL-DI-0006"],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../docs/rules/latest-tag.md"),
};

impl Rule for LatestTag {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for input in view.images().inputs.iter().filter(|input| is_image(input)) {
            let Ok(reference) = input.parsed() else { continue };
            let message = match reference.tag.as_deref() {
                _ if reference.digest.is_some() => continue,
                None => format!("{} has no tag, which means latest", reference.familiar()),
                Some("latest") => format!("{} is another image tomorrow", reference.familiar()),
                Some(_) => continue,
            };
            found
                .report(&ABOUT, input.span, message)
                .help("write the version that this file was made for, such as debian:12.8-slim");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent};

    #[test]
    fn no_tag_and_latest() {
        let source = "FROM debian\nFROM quay.io/a/b:latest\nCOPY --from=nginx /a /b\n";
        assert_eq!(places(&LatestTag, source), ["debian", "quay.io/a/b:latest", "nginx"]);
        assert_eq!(places(&LatestTag, "ARG V=latest\nFROM debian:$V\n"), ["debian:$V"]);
    }

    #[test]
    fn versions_digests_stages() {
        silent(
            &LatestTag,
            &[
                "FROM debian:12\n",
                "FROM debian:latest-slim\n",
                "FROM localhost:5000/debian:12\n",
                "FROM debian:latest@sha256:\
                 2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8\n",
                "FROM scratch\n",
                "FROM scratch AS base\nFROM base\nCOPY --from=base /a /b\n",
                "ARG BASE\nFROM $BASE\n",
                "FROM build${TARGETARCH}\n",
                "# syntax=docker/dockerfile\nFROM scratch\n",
            ],
        );
    }
}
