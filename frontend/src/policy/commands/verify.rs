//! Whether a script checks what it downloads.

use super::calls_of;
use crate::policy::{Run, View};
use crate::shell::Call;

/// Whether a RUN checks what it downloads, worked out once for each.
#[derive(Debug, Default)]
pub struct Verified {
    known: Option<(usize, bool)>,
}

impl Verified {
    /// Whether the RUN of this script calls anything that compares a checksum or a signature.
    /// Whoever does so at all is believed to do it for what he downloads.
    pub fn of(&mut self, view: &View<'_>, run: &Run<'_>) -> bool {
        let index = run.node.index;
        if let Some((_, verifies)) = self.known.filter(|(known, _)| *known == index) {
            return verifies;
        }
        let first = view.runs().partition_point(|other| other.node.index < index);
        let scripts = view.runs().iter().skip(first);
        let verifies = scripts
            .take_while(|other| other.node.index == index)
            .any(|run| calls_of(run).any(|(_, call)| verifies_call(call) || hints(call.name)));
        self.known = Some((index, verifies));
        verifies
    }
}

/// A function's name, a script's name, a tool nobody has heard of.
fn hints(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["verify", "checksum", "check_sum", "sha256", "sha512", "sha1sum", "md5sum"]
        .iter()
        .any(|hint| name.contains(hint))
}

/// Whether a call compares a checksum or a signature.
pub fn verifies_call(call: Call<'_>) -> bool {
    let has = |words: &[&str]| call.args.iter().any(|word| words.contains(&word.text.as_str()));
    match call.name {
        "gpg" | "gpg2" => has(&["--verify", "--decrypt", "-d", "--verify-files"]),
        "openssl" => has(&["dgst", "sha256", "sha512", "sha1", "cms", "smime"]),
        "rpm" | "rpmkeys" => has(&["-K", "--checksig"]),
        "cosign" | "notation" | "gh" | "sq" | "sqv" => {
            has(&["verify", "verify-blob", "attestation"])
        }
        "git" => has(&["verify-tag", "verify-commit"]),
        "jarsigner" => has(&["-verify"]),
        "aria2c" => call.args.iter().any(|word| word.text.starts_with("--checksum")),
        "gpgv" | "gpgv2" | "minisign" | "signify" | "signify-openbsd" | "slsa-verifier"
        | "cksum" | "b2sum" | "b3sum" | "shasum" | "sum" | "certutil" | "cmp" | "apksigner"
        | "rhash" => true,
        name => {
            (name.starts_with("sha") || name.starts_with("md5"))
                && (name.ends_with("sum") || name.ends_with("deep"))
                || matches!(name, "sha256" | "sha512" | "md5")
        }
    }
}
