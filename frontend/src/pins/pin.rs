//! Writing digests into a Dockerfile, and proving that they are there.
//!
//! Only the bytes of the names change, on their own lines, so positions in later messages still
//! hold. The result is read again: what cannot be proven is not returned.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::Digest;
use super::reference::Reference;
use super::rewrite::{apply, same_shape};
use crate::dockerfile::{
    Dockerfile, ImageInput, ImageInputKind, ImageInputs, InputError, Scope, Span, image_inputs,
};

/// A Dockerfile whose needed images all carry a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub bytes: Vec<u8>,
    /// What was written, in source order.
    pub replacements: Vec<Replacement>,
}

/// One name that got its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    pub kind: ImageInputKind,
    /// Counted from 1; the same before and after.
    pub line: usize,
    /// The name, variables expanded.
    pub before: String,
    /// The name with its digest.
    pub after: String,
}

/// Why a Dockerfile cannot be pinned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    #[error("cannot tell the images of the Dockerfile: {}", list(.0))]
    Inputs(Vec<InputError>),
    #[error("no digest for {}", .0.join(", "))]
    Missing(Vec<String>),
    #[error("cannot pin line {line}: {detail}")]
    Unproven { line: usize, detail: String },
}

fn list(errors: &[InputError]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// The images that `dockerfile` names.
///
/// What another frontend reads need not be a Dockerfile: where this one cannot make sense of it, the
/// frontend itself is the only image that is known, and the graph shows the others.
pub fn images(dockerfile: &Dockerfile, scope: &Scope) -> Result<ImageInputs, PinError> {
    let mut inputs = image_inputs(dockerfile, scope);
    if inputs.errors.is_empty() {
        return Ok(inputs);
    }
    let frontend = |input: &ImageInput| {
        matches!(input.kind, ImageInputKind::Syntax | ImageInputKind::SyntaxArg)
    };
    if !inputs.inputs.iter().any(|input| frontend(input) && input.reachable) {
        return Err(PinError::Inputs(inputs.errors));
    }
    inputs.inputs.retain(frontend);
    inputs.errors.clear();
    Ok(inputs)
}

/// Writes the digests of `digests` (canonical name to digest) behind the names in `source`.
///
/// Names in `local` are only in the engine's own store, which no digest in the text can reach.
/// A name that has a digest stays as it is. A needed name without one is an error; others get
/// theirs when it is known. BUILDKIT_SYNTAX is not in the text and stays the caller's business.
pub fn pin(
    source: &[u8],
    scope: &Scope,
    digests: &BTreeMap<String, Digest>,
    local: &BTreeSet<String>,
) -> Result<Pinned, PinError> {
    pin_converted(source, scope, digests, local, &BTreeMap::new())
}

/// The same where some images become others: `converted` has a reference as it is written, variables
/// expanded, and what stands in its place.
pub fn pin_converted(
    source: &[u8],
    scope: &Scope,
    digests: &BTreeMap<String, Digest>,
    local: &BTreeSet<String>,
    converted: &BTreeMap<String, String>,
) -> Result<Pinned, PinError> {
    let before = Dockerfile::parse(source);
    let inputs = images(&before, scope)?;
    let mut edits: Vec<(Span, String)> = Vec::new();
    let mut missing = Vec::new();
    let mut replacements = Vec::new();
    let mut expected: Vec<String> = Vec::new();
    for input in &inputs.inputs {
        expected.push(input.reference.clone());
        let Some((last, others)) = input.parts.split_last() else {
            continue;
        };
        let reference = parsed(input)?;
        let name = reference.canonical();
        let after = match (converted.get(&input.reference), digests.get(&name)) {
            (Some(other), _) => other.clone(),
            (None, _) if reference.digest.is_some() => continue,
            (None, Some(digest)) => format!("{}@{digest}", input.reference),
            (None, None) => {
                if input.reachable && !local.contains(&name) {
                    missing.push(name);
                }
                continue;
            }
        };
        // The last piece gets the name: an emptied last line would swallow the next instruction.
        edits.extend(others.iter().map(|part| (*part, String::new())));
        edits.push((*last, after.clone()));
        if let Some(slot) = expected.last_mut() {
            slot.clone_from(&after);
        }
        replacements.push(Replacement {
            kind: input.kind,
            line: input.line,
            before: input.reference.clone(),
            after,
        });
    }
    if !missing.is_empty() {
        missing.sort();
        missing.dedup();
        return Err(PinError::Missing(missing));
    }
    let bytes = apply(source, edits)?;
    prove(&before, &inputs, &expected, &bytes, scope, local)?;
    Ok(Pinned { bytes, replacements })
}

/// A Dockerfile of the user's own, with digests in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InPlace {
    pub bytes: Vec<u8>,
    pub replacements: Vec<Replacement>,
    /// Names that stay as they are.
    pub left: Vec<Left>,
}

/// A name that cannot get its digest where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub line: usize,
    /// The name, variables expanded.
    pub reference: String,
    /// Why, as a clause.
    pub why: &'static str,
}

/// Writes digests into a file that people go on editing: behind the names, and nowhere else.
///
/// A name that a variable makes stays: with a digest behind it the variable would have no say.
pub fn pin_in_place(
    source: &[u8],
    scope: &Scope,
    digests: &BTreeMap<String, Digest>,
) -> Result<InPlace, PinError> {
    let before = Dockerfile::parse(source);
    let inputs = images(&before, scope)?;
    let (mut edits, mut expected) = (Vec::new(), Vec::new());
    let (mut replacements, mut left) = (Vec::new(), Vec::new());
    let mut without = BTreeSet::new();
    for input in &inputs.inputs {
        expected.push(input.reference.clone());
        let reference = parsed(input)?;
        let Some((last, others)) = input.parts.split_last() else { continue };
        if reference.digest.is_some() {
            continue;
        }
        let name = reference.canonical();
        let (line, reference) = (input.line, input.reference.clone());
        let digest = match digests.get(&name) {
            Some(digest) if input.variables.is_empty() => digest,
            known => {
                let why = if known.is_some() { "a variable makes its name" } else { "no digest" };
                without.insert(name);
                left.push(Left { line, reference, why });
                continue;
            }
        };
        let after = format!("{reference}@{digest}");
        let written: Vec<u8> =
            input.parts.iter().flat_map(|part| part.of(source)).copied().collect();
        if written == reference.as_bytes() {
            edits.push((Span::new(last.end, last.end), format!("@{digest}")));
        } else {
            // Quotes or escapes, which would end before the digest.
            edits.extend(others.iter().map(|part| (*part, String::new())));
            edits.push((*last, after.clone()));
        }
        if let Some(slot) = expected.last_mut() {
            slot.clone_from(&after);
        }
        replacements.push(Replacement { kind: input.kind, line, before: reference, after });
    }
    let bytes = apply(source, edits)?;
    prove(&before, &inputs, &expected, &bytes, scope, &without)?;
    Ok(InPlace { bytes, replacements, left })
}

fn parsed(input: &ImageInput) -> Result<Reference, PinError> {
    input
        .parsed()
        .map_err(|error| PinError::Unproven { line: input.line, detail: error.to_string() })
}

/// Reads the result again and compares it with what it should say.
fn prove(
    before: &Dockerfile,
    inputs: &ImageInputs,
    expected: &[String],
    bytes: &[u8],
    scope: &Scope,
    local: &BTreeSet<String>,
) -> Result<(), PinError> {
    let fail =
        |line: usize, detail: &str| Err(PinError::Unproven { line, detail: detail.to_owned() });
    let after = Dockerfile::parse(bytes);
    let found = images(&after, scope)?;
    same_shape(before, &after).or_else(|detail| fail(0, detail))?;
    if found.inputs.len() != inputs.inputs.len()
        || found.reachable_stages != inputs.reachable_stages
    {
        return fail(0, "the images or stages changed");
    }
    for ((old, new), expected) in inputs.inputs.iter().zip(&found.inputs).zip(expected) {
        let same = old.kind == new.kind
            && old.line == new.line
            && old.stage == new.stage
            && old.stage_name == new.stage_name
            && old.platform == new.platform
            && old.reachable == new.reachable
            && old.onbuild == new.onbuild;
        if !same {
            return fail(old.line, "the meaning of the line changed");
        }
        if new.reference != *expected {
            return fail(old.line, "the digest did not arrive");
        }
        let reference = parsed(new)?;
        let can_hold_one = !new.parts.is_empty() && !local.contains(&reference.canonical());
        if new.reachable && can_hold_one && reference.digest.is_none() {
            return fail(old.line, "the image still has no digest");
        }
    }
    Ok(())
}
