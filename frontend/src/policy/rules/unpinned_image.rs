//! Images without a digest: the same name can be another image tomorrow.

use crate::dockerfile::{ImageInput, ImageInputKind};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct UnpinnedImage;

static ABOUT: About = About {
    id: "unpinned-image",
    title: "an image without a digest",
    severity: Severity::High,
    also: &[],
    places: &[Place::Text, Place::Graph],
    strict_only: false,
    page: include_str!("../../../../docs/rules/unpinned-image.md"),
};

impl Rule for UnpinnedImage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn decided_by_build(&self) -> bool {
        true
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for input in view.images().inputs.iter().filter(|input| is_image(input)) {
            let Ok(reference) = input.parsed() else { continue };
            // Without a tag, `latest-tag` speaks.
            let tagged = reference.tag.as_deref().is_some_and(|tag| tag != "latest");
            if tagged && reference.digest.is_none() {
                let name = reference.familiar();
                found
                    .report(&ABOUT, input.span, format!("{name} has no digest"))
                    .help("cofferdam lock --write-dockerfile writes the digest behind each name");
            }
        }
    }
}

/// Whether this is an image whose files a build takes, and its name can be told.
pub(super) fn is_image(input: &ImageInput) -> bool {
    use ImageInputKind::{CopyFrom, From, MountFrom};
    // Without a platform, `base-${TARGETARCH}` may well be a stage.
    let certain = input.undefined.iter().all(|name| !is_platform_argument(name));
    matches!(input.kind, From | CopyFrom | MountFrom) && certain
}

/// Whether the builder sets this argument for every build.
pub(super) fn is_platform_argument(name: &str) -> bool {
    name == "TARGETSTAGE"
        || ["TARGET", "BUILD"].iter().any(|prefix| {
            name.strip_prefix(prefix).is_some_and(|rest| {
                matches!(rest, "PLATFORM" | "OS" | "OSVERSION" | "ARCH" | "VARIANT")
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent, speaks};

    const DIGEST: &str = "sha256:2424c1850714a4d94666ec928e24d86de958646737b1d113f5b2207be44d37d8";

    #[test]
    fn every_place_that_names_an_image() {
        let source = "FROM debian:12 AS a\nCOPY --from=nginx:1.27 /a /b\n\
            RUN --mount=type=bind,from=busybox:1.37,target=/x true\nFROM a\n\
            COPY --from=a /x /y\nONBUILD COPY --from=redis:8 /a /b\n";
        assert_eq!(
            places(&UnpinnedImage, source),
            ["debian:12", "nginx:1.27", "busybox:1.37", "redis:8"]
        );
    }

    #[test]
    fn names_from_arguments() {
        speaks(&UnpinnedImage, &["ARG V=12\nFROM debian:$V\n", "ARG B=debian:12\nFROM ${B}\n"]);
    }

    #[test]
    fn what_is_pinned_or_no_image() {
        silent(
            &UnpinnedImage,
            &[
                "FROM scratch\n",
                &format!("FROM debian:12@{DIGEST}\n"),
                &format!("FROM debian@{DIGEST}\n"),
                &format!("ARG D={DIGEST}\nFROM debian@$D\n"),
                "FROM scratch AS a\nFROM a\nCOPY --from=0 /a /b\n",
                "FROM base-${TARGETARCH}\n",
                "FROM debian:12-${TARGETARCH}x\n",
                "ARG TAG\nFROM debian:$TAG\n",
                // `latest-tag` has these.
                "FROM debian\n",
                "FROM debian:latest\n",
                "# syntax=docker/dockerfile:1\nFROM scratch\n",
            ],
        );
    }
}
