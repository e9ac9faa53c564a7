//! The engine's words: what is wrapping, what they are about, and what to do about them.

/// What BuildKit's layers put in front of a cause.
const WRAPPING: [&str; 6] = [
    "failed to solve: ",
    "failed to solve with frontend dockerfile.v0: ",
    "failed to create LLB definition: ",
    "failed to compute cache key: ",
    "rpc error: code = Unknown desc = ",
    "rpc error: code = NotFound desc = ",
];

/// How the engine names the last step of every build.
const HELPER_CALL: &str = "/helper strip";
/// How errors about layouts begin.
const LAYOUT: &str = "the OCI layout ";
const STRIP_FAILED: &str = "the image cannot be stripped";

/// The message without what only says that something failed somewhere.
pub(super) fn without_wrapping(message: &str) -> String {
    let mut rest = message;
    while let Some(inner) = WRAPPING.iter().find_map(|wrap| rest.strip_prefix(wrap)) {
        rest = inner;
    }
    if rest.contains(HELPER_CALL) {
        return STRIP_FAILED.to_string();
    }
    if let Some(ours) = about_a_layout(rest) {
        return ours.to_string();
    }
    // The reference that follows means something to the engine alone.
    match rest.strip_prefix("failed to calculate checksum of ref ").and_then(|r| r.split_once(": "))
    {
        Some((_, cause)) => cause.to_string(),
        None => rest.to_string(),
    }
}

/// What the session's own content store said of a damaged layout, within the engine's words.
fn about_a_layout(message: &str) -> Option<&str> {
    let ours = message.get(message.find(LAYOUT)?..)?;
    let damaged = ours.contains("is damaged: blob") || ours.contains("has no blob");
    let bare = ours.strip_suffix(": unknown").or_else(|| ours.strip_suffix(": not found"));
    damaged.then(|| bare.unwrap_or(ours))
}

/// Whether a registry gave no answer, or no good one.
pub(super) fn is_about_a_registry(message: &str) -> bool {
    let says = |words: &str| message.contains(words);
    // A step's own failure may quote anything.
    if says("did not complete successfully") || says("executor failed running") {
        return false;
    }
    let no_such_digest = says("@sha256:") && message.ends_with("not found");
    no_such_digest
        || says("failed to do request")
        || says("failed to resolve source metadata")
        || says("failed to authorize")
        || says("authorization failed")
        || says("pull access denied")
        || says("unexpected status")
}

/// The line that a parse error of the Dockerfile names, 1-based.
pub(super) fn line_of(message: &str) -> Option<usize> {
    let (_, rest) = message
        .split_once("dockerfile parse error line ")
        .or_else(|| message.split_once("dockerfile parse error on line "))?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// What to do next.
pub(super) fn hint(message: &str) -> Option<&'static str> {
    let says = |words: &str| message.contains(words);
    Some(if says(STRIP_FAILED) {
        "the helper's own words stand above; nothing was exported"
    } else if message.starts_with(LAYOUT) {
        "write the layout anew: it must hold the platform that is built, whole"
    } else if says("did not complete successfully") || says("executor failed running") {
        "the step's own last words stand above; nothing was tagged"
    } else if says("@sha256:") && message.ends_with("not found") {
        "the registry has no such digest: correct it, or write name:tag and have it resolved"
    } else if message.starts_with("digest mismatch") {
        "the address gives another file now: find out why, and take it with `cofferdam lock --upgrade` \
         or another --checksum"
    } else if says("Dockerfile cannot be empty") || says("file with no instructions") {
        "begin it with FROM"
    } else if says("parse error") || says("unknown instruction") {
        "correct the line; see https://docs.docker.com/reference/dockerfile/"
    } else if says("not found") {
        "check the path: it must be in the context and not in .dockerignore"
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_stands_first() {
        let message = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: \
                       the Dockerfile cannot be empty";
        assert_eq!(without_wrapping(message), "the Dockerfile cannot be empty");
        let reference = "failed to compute cache key: failed to calculate checksum of ref a::b: \"/x\": not found";
        assert_eq!(without_wrapping(reference), "\"/x\": not found");
        assert_eq!(without_wrapping("process failed"), "process failed");
        let ours = "the OCI layout /l has no blob sha256:00";
        let message = format!("failed to solve: base: DataLoss: {ours}: unknown");
        assert_eq!(without_wrapping(&message), ours);
        assert!(hint(ours).is_some() && !is_about_a_registry(ours));
    }

    #[test]
    fn a_step_that_talks_about_registries_is_still_a_failed_step() {
        let step =
            "process \"/bin/sh -c curl\" did not complete successfully: failed to do request";
        assert!(!is_about_a_registry(step));
        let gone = "r/a@sha256:00: not found";
        assert!(is_about_a_registry(gone));
        assert!(!is_about_a_registry("\"/missing\" not found: not found"));
    }

    #[test]
    fn parse_errors_name_their_line() {
        assert_eq!(line_of("dockerfile parse error line 12: unknown instruction: RUNN"), Some(12));
        assert_eq!(line_of("dockerfile parse error on line 3: x"), Some(3));
        assert_eq!(line_of("line x"), None);
    }
}
