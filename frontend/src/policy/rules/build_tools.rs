//! Compilers in the image: what they were needed for is built.

use crate::policy::commands::{Manager, lasting_installs, package_name};
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct BuildTools;

static ABOUT: About = About {
    id: "build-tools",
    title: "compilers and headers in the image",
    severity: Severity::Medium,
    also: &[],
    places: &[Place::Text, Place::Image],
    strict_only: false,
    page: include_str!("../../../../docs/rules/build-tools.md"),
};

impl Rule for BuildTools {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for (run, call) in lasting_installs(view) {
            // A virtual package is there to be removed, perhaps by another program.
            let named = call.call.option(&["-t", "--virtual"]).is_some();
            if call.manager == Manager::Apk && named {
                continue;
            }
            let words = call.packages().filter_map(|word| Some((word, word.literal()?)));
            let tools: Vec<_> = words.filter(|(_, name)| is_tool(package_name(name))).collect();
            let (Some((first, _)), Some((last, _))) = (tools.first(), tools.last()) else {
                continue;
            };
            let names: Vec<&str> =
                tools.iter().take(5).map(|(_, name)| package_name(name)).collect();
            let more = tools.len().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let span = run.body.span(first.span.start..last.span.end);
            found
                .report(&ABOUT, span, format!("build tools stay in the image: {}{more}", names.join(", ")))
                .help("build in a stage of its own and COPY --from it, or remove them in the same step");
        }
    }
}

fn is_tool(package: &str) -> bool {
    let plain = package.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
    matches!(
        plain,
        "gcc"
            | "g++"
            | "gcc-c++"
            | "clang"
            | "make"
            | "cmake"
            | "build-essential"
            | "build-base"
            | "alpine-sdk"
            | "autoconf"
            | "automake"
            | "libtool"
            | "gfortran"
            | "ninja-build"
            | "nasm"
            | "yasm"
            | "bison"
            | "flex"
            | "rustc"
            | "cargo"
            | "dpkg-dev"
            | "rpm-build"
    ) || package.ends_with("-dev")
        || package.ends_with("-devel")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, silent};

    #[test]
    fn what_stays() {
        fires(
            &BuildTools,
            &[
                "apt-get install -y build-essential libssl-dev",
                "apk add --no-cache gcc=12 musl-dev",
                "yum install -y gcc-c++ && make",
                "apt-get install -y g++-12",
            ],
        );
        silent(
            &BuildTools,
            &[
                "apt-get install -y gcc && make && apt-get purge -y --auto-remove gcc",
                "apk add --virtual .build gcc && make && apk del .build",
                "apk add --no-cache --virtual .build gcc",
                "apt-get install -y $BUILD_DEPS && make && apt-get autoremove -y",
                "apt-get install -y curl makedev device-tree",
                "FROM a AS b\nRUN apk add gcc\nFROM scratch\nCOPY --from=b /x /x\n",
            ],
        );
    }
}
