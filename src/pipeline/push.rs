//! Names in registries: what a BuildKit daemon pushed by its digest gets them here, when everything
//! else is done.

use std::collections::BTreeSet;

use cofferdam_frontend::pins::Reference;

use super::steps::Steps;
use crate::error::Error;
use crate::registry::{Manifest, RegistryError, Repository};
use crate::request::BuildRequest;

/// Whether every registry of these names can be asked from here, and gives us the right to write.
///
/// One that only the builder reaches cannot be named in later: then the builder pushes under the
/// names at once, as with buildx.
pub(super) async fn reaches(request: &BuildRequest, names: &[Reference], insecure: bool) -> bool {
    let mut known = BTreeSet::new();
    for name in names {
        if !known.insert(name.name()) {
            continue;
        }
        if let Err(error) = open(request, name, insecure).await {
            let name = name.name();
            tracing::debug!(name, %error, "not reached from here: the builder pushes it by name");
            return false;
        }
    }
    true
}

/// What gets names, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put<'a> {
    /// What was pushed, or the digest of `index`.
    pub(super) digest: &'a str,
    /// The names.
    pub(super) names: &'a [Reference],
    /// Whether http and any certificate will do.
    pub(super) insecure: bool,
    /// What to put; none is what the registry has under the digest.
    pub(super) index: Option<&'a Manifest>,
}

/// Gives what was pushed its names, each in one step.
pub(super) async fn name(
    request: &BuildRequest,
    what: Put<'_>,
    steps: &Steps,
) -> Result<(), Error> {
    let Put { digest, names, insecure, index } = what;
    for (done, name) in names.iter().enumerate() {
        let step = steps.begin(format!("pushing manifest for {}@{digest}", name.canonical())).await;
        let put = async {
            let repository = open(request, name, insecure).await?;
            let manifest = match index {
                Some(index) => index.clone(),
                None => repository.manifest(digest).await.map_err(|error| told(&error))?,
            };
            repository.put(name.tag_or_latest(), &manifest).await.map_err(|error| told(&error))
        };
        step.end(put.await).await.map_err(|error| explain(&error, names, done, digest))?;
    }
    Ok(())
}

/// Reads what was pushed into the repository of `name`.
pub(super) async fn read(
    request: &BuildRequest,
    digest: &str,
    name: &Reference,
    insecure: bool,
) -> Result<Manifest, Error> {
    let read = async {
        let repository = open(request, name, insecure).await?;
        repository.manifest(digest).await.map_err(|error| told(&error))
    };
    let names = std::slice::from_ref(name);
    read.await.map_err(|error| explain(&error, names, 0, digest))
}

/// The repository of a name; the error is a reason.
async fn open<'a>(
    request: &'a BuildRequest,
    name: &Reference,
    insecure: bool,
) -> Result<Repository<'a>, String> {
    let login = request.auth.login(&name.domain).await.map_err(|error| error.to_string())?;
    let of = (name.domain.as_str(), name.path.as_str());
    Repository::open(&request.http, of, login, insecure).await.map_err(|error| told(&error))
}

fn told(error: &RegistryError) -> String {
    error.to_string()
}

/// Says what is there now and what is not.
fn explain(reason: &str, names: &[Reference], done: usize, digest: &str) -> Error {
    let familiar =
        |names: &[Reference]| names.iter().map(Reference::familiar).collect::<Vec<_>>().join(", ");
    let (moved, rest) = names.split_at(done);
    let mut hint = format!(
        "the image is there without a name, as {digest}; build again when the registry answers"
    );
    if !moved.is_empty() {
        hint = format!("{} did get it; {hint}", familiar(moved));
    }
    Error::Registry {
        message: format!("cannot name the image {}, which was pushed: {reason}", familiar(rest)),
        hint,
    }
}
