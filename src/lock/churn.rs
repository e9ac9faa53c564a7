//! When a name stands for something else, and when only its index was written anew.
//!
//! An index gets another digest whenever an attestation or a platform is added to it. As long as
//! the manifests that a project locked are the same, so is everything that it builds from.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::pins::Digest;

use crate::builders::Platform;

/// What an index has for one platform: its own manifest, else that of an elder of the same kind.
pub(super) fn of<'a>(all: &'a BTreeMap<String, Digest>, wanted: &str) -> Option<&'a Digest> {
    if let Some(exact) = all.get(wanted) {
        return Some(exact);
    }
    let runs = Platform::parse(wanted).runs();
    runs.iter().find_map(|platform| all.get(&platform.to_string()))
}

/// Whether everything that was locked is still there.
pub(super) fn is_only_index(
    locked: &BTreeMap<String, Digest>,
    now: &BTreeMap<String, Digest>,
) -> bool {
    !locked.is_empty() && locked.iter().all(|(name, digest)| of(now, name) == Some(digest))
}

/// The platforms to lock: those that are wanted and those that were locked, or all; the error is a
/// wanted one that is not there.
pub(super) fn choose(
    now: &BTreeMap<String, Digest>,
    wanted: Option<&BTreeSet<String>>,
    locked: &BTreeMap<String, Digest>,
) -> Result<BTreeMap<String, Digest>, String> {
    if wanted.is_none() && locked.is_empty() {
        return Ok(now.clone());
    }
    let mut chosen = BTreeMap::new();
    for name in locked.keys() {
        // One that nobody asked for now may go.
        chosen.extend(of(now, name).map(|digest| (name.clone(), digest.clone())));
    }
    for name in wanted.into_iter().flatten() {
        let digest = of(now, name).ok_or_else(|| name.clone())?;
        chosen.insert(name.clone(), digest.clone());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, char)]) -> BTreeMap<String, Digest> {
        let digest = |letter: char| format!("sha256:{}", letter.to_string().repeat(64));
        let read = |letter: char| digest(letter).parse().unwrap();
        entries.iter().map(|(name, letter)| ((*name).to_string(), read(*letter))).collect()
    }

    #[test]
    fn only_a_locked_manifest_that_changed_is_a_change() {
        let locked = table(&[("linux/amd64", 'a'), ("linux/arm/v7", 'b')]);
        let more = table(&[("linux/amd64", 'a'), ("linux/arm/v7", 'b'), ("linux/s390x", 'c')]);
        assert!(is_only_index(&locked, &more));
        assert!(!is_only_index(&locked, &table(&[("linux/amd64", 'a'), ("linux/arm/v7", 'c')])));
        assert!(!is_only_index(&locked, &table(&[("linux/amd64", 'a')])));
        // An elder that served until now.
        let elder = table(&[("linux/arm/v6", 'b'), ("linux/amd64", 'a')]);
        assert!(is_only_index(&locked, &elder));
        let both = table(&[("linux/arm/v6", 'b'), ("linux/amd64", 'a'), ("linux/arm/v7", 'd')]);
        assert!(!is_only_index(&locked, &both));
        // Without platforms nobody can tell.
        assert!(!is_only_index(&BTreeMap::new(), &more));
    }

    #[test]
    fn what_is_asked_for_is_locked_and_else_everything() {
        let now = table(&[("linux/amd64", 'a'), ("linux/arm64", 'b'), ("linux/s390x", 'c')]);
        let none = BTreeMap::new();
        let wanted = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
        assert_eq!(choose(&now, None, &none).unwrap(), now);
        let arm: BTreeSet<String> = wanted(&["linux/arm64"]);
        assert_eq!(choose(&now, Some(&arm), &none).unwrap(), table(&[("linux/arm64", 'b')]));
        let locked = table(&[("linux/amd64", 'f'), ("linux/mips", 'f')]);
        assert_eq!(
            choose(&now, Some(&arm), &locked).unwrap(),
            table(&[("linux/amd64", 'a'), ("linux/arm64", 'b')])
        );
        let absent: BTreeSet<String> = wanted(&["linux/riscv64"]);
        assert_eq!(choose(&now, Some(&absent), &none).unwrap_err(), "linux/riscv64");
    }
}
