//! Nothing says how to tell that a container works.

use super::final_user;
use crate::dockerfile::Keyword;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct NoHealthcheck;

static ABOUT: About = About {
    id: "no-healthcheck",
    title: "no HEALTHCHECK",
    severity: Severity::Info,
    also: &["DL3057", "DS-0026", "CKV_DOCKER_2", "CIS-DI-0006"],
    places: &[Place::Text],
    strict_only: true,
    page: include_str!("../../../../docs/rules/no-healthcheck.md"),
};

impl Rule for NoHealthcheck {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let Some(base) = view.target().and_then(|target| target.base.as_ref()) else { return };
        let has = view.all(Keyword::Healthcheck).any(|node| view.in_result(node.stage));
        if !has && final_user::is_runnable(view) {
            found
                .report(&ABOUT, base.span, "no HEALTHCHECK")
                .help("HEALTHCHECK CMD [\"/app\", \"--check\"], or HEALTHCHECK NONE to say that");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{silent, speaks};

    #[test]
    fn the_target_decides() {
        speaks(
            &NoHealthcheck,
            &["FROM a:1\n", "FROM a:1 AS b\nHEALTHCHECK CMD x\nFROM a:1\nCMD x\n"],
        );
        silent(
            &NoHealthcheck,
            &[
                "FROM a:1\nHEALTHCHECK CMD x\n",
                "FROM a:1\nHEALTHCHECK NONE\n",
                "FROM a:1 AS b\nHEALTHCHECK CMD x\nFROM b\nCMD x\n",
                "FROM scratch\nCOPY --from=a:1 /a /a\n",
            ],
        );
    }
}
