//! Downloads by ADD without a checksum.

use super::address::{self, Address};
use crate::dockerfile::Keyword;
use crate::policy::{About, Findings, Place, Rule, Severity, View};

pub struct RemoteAdd;

static ABOUT: About = About {
    id: "remote-add",
    title: "a download without a checksum",
    severity: Severity::High,
    also: &["DS-0005", "CKV_DOCKER_4", "CIS-DI-0009"],
    places: &[Place::Text, Place::Graph],
    strict_only: false,
    page: include_str!("../../../../docs/rules/remote-add.md"),
};

impl Rule for RemoteAdd {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn decided_by_build(&self) -> bool {
        true
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        for node in view.all(Keyword::Add) {
            let add = node.instruction;
            let Some((to, sources)) = add.words().split_last() else { continue };
            if add.flag("checksum").is_some() {
                continue;
            }
            for word in sources {
                let text = view.expand(node, word).unwrap_or_else(|| word.text.clone());
                if address::of(&text) == Address::Download {
                    let (from, to) = (&word.text, &to.text);
                    found
                        .report(&ABOUT, word.span, "a download without a checksum")
                        .help(format!("ADD --checksum=sha256:… {from} {to}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{places, silent};

    #[test]
    fn addresses_of_files() {
        let source = "FROM a:1\nADD https://e.com/a.tgz http://e.com/$V /x/\n\
            ONBUILD ADD [\"HTTPS://e.com/b\", \"/b\"]\n";
        let found = places(&RemoteAdd, source);
        assert_eq!(found[..2], ["https://e.com/a.tgz", "http://e.com/$V"]);
        assert_eq!(found.len(), 3);
        assert_eq!(places(&RemoteAdd, "FROM a:1\nENV U=https://e.com/a\nADD $U /a\n"), ["$U"]);
    }

    #[test]
    fn checksums_repositories_files() {
        silent(
            &RemoteAdd,
            &[
                "FROM a:1\nADD --checksum=sha256:aa https://e.com/a.tgz /x/\n",
                "FROM a:1\nADD --checksum=$SUM https://e.com/a.tgz /x/\n",
                "FROM a:1\nADD https://github.com/a/b.git /x\n",
                "FROM a:1\nADD git@github.com:a/b.git#v1 /x\n",
                "FROM a:1\nADD app.tgz http /x/\n",
                "FROM a:1\nADD $UNKNOWN /x/\n",
                "FROM a:1\nADD <<https://x /x\nhttps://x\n",
                "FROM a:1\nCOPY https://e.com/a /x/\n",
                "FROM a:1\nADD a https://e.com\n",
            ],
        );
    }
}
