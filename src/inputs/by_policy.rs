//! The source policy on the images that the text names: a base must be another one before the engine
//! reads its configuration, not only its files.

use cofferdam_frontend::graph::judge::Pin;
use cofferdam_frontend::pins::{Elsewhere, Reference};
use cofferdam_frontend::source_policy::RULE;

use super::Resolver;
use crate::error::Error;

const IMAGE: &str = "docker-image://";
const FIX: &str = "name another image, or have EXPERIMENTAL_BUILDKIT_SOURCE_POLICY changed";
/// How often an image may become another one.
const ROUNDS: usize = 20;

/// What a name stands for.
#[derive(Debug)]
pub(super) struct Resolved {
    /// The name, which the policy may have exchanged.
    pub(super) reference: Reference,
    pub(super) pin: Pin,
    /// Whether it is another one than is written.
    pub(super) other: bool,
}

impl Resolver<'_> {
    /// Resolves a name after the policy had its say, and asks the policy again about the digest: it
    /// may speak of both.
    pub(super) async fn by_policy(
        &self,
        written: Reference,
        line: Option<usize>,
    ) -> Result<Resolved, Error> {
        let mut reference = written.clone();
        for _ in 0..=ROUNDS {
            if let Some(next) = self.converted(&identifier(&reference, None), line)? {
                reference = next;
                continue;
            }
            let named = line.is_none().then_some(Elsewhere::CommandLine);
            let pin = self.resolve(&reference, line, named).await?;
            if let Pin::Digest(digest) = &pin
                && let Some(next) = self.converted(&identifier(&reference, Some(digest)), line)?
            {
                reference = next;
                continue;
            }
            let other = reference != written;
            return Ok(Resolved { reference, pin, other });
        }
        let message = format!("the source policy converts {} without an end", written.familiar());
        Err(self.refuse(RULE, message, FIX.into(), line))
    }

    /// The image that the policy wants instead.
    fn converted(&self, identifier: &str, line: Option<usize>) -> Result<Option<Reference>, Error> {
        let now = match self.policy.image(identifier) {
            Ok(None) => return Ok(None),
            Ok(Some(now)) => now,
            Err(denied) => return Err(self.refuse(RULE, denied.to_string(), FIX.into(), line)),
        };
        let name = now.strip_prefix(IMAGE).ok_or_else(|| "it is no image".to_string());
        let parsed = name
            .and_then(|name| Reference::parse_normalized(name).map_err(|error| error.to_string()));
        parsed.map(Some).map_err(|problem| {
            let message = format!("the source policy converts {identifier} to {now}: {problem}");
            self.refuse(RULE, message, FIX.into(), line)
        })
    }
}

/// How a graph names an image.
fn identifier(reference: &Reference, digest: Option<&str>) -> String {
    let own = reference.digest.as_ref().map(|digest| digest.as_str().to_string());
    let name = match (&reference.tag, &own) {
        (None, Some(_)) => reference.name(),
        _ => reference.canonical(),
    };
    match own.or_else(|| digest.map(String::from)) {
        Some(digest) => format!("{IMAGE}{name}@{digest}"),
        None => format!("{IMAGE}{name}"),
    }
}
