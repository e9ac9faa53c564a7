//! Layers that arrive separately, several at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::blobs::{self, Blobs, Plan};
use super::cache::Cache;
use super::config::Config;
use super::error::ImageError;
use super::looking::{Looked, Looking};
use super::unpack::{Expected, pass};

/// Most layers that are read at the same time.
const AT_ONCE: usize = 8;

/// Looks through all layers of an image, the lowest first; what the cache knows is not read.
pub(super) fn look(
    blobs: &dyn Blobs,
    plan: &Plan,
    config: &Config,
    looking: &Looking<'_>,
    cache: Option<&Cache>,
) -> Result<Vec<Looked>, ImageError> {
    let diff_ids = config.diff_ids();
    if diff_ids.len() != plan.layers.len() {
        return Err(ImageError::Damaged {
            what: plan.manifest.as_ref().map_or_else(
                || super::MANIFEST.to_string(),
                |digest| format!("the manifest {digest}"),
            ),
            cause: "it has another number of layers than its configuration".into(),
        });
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Vec<Mutex<Option<Result<Looked, ImageError>>>> =
        diff_ids.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(slot), Some(diff_id)) = (done.get(at), diff_ids.get(at)) else { break };
            let found = one(blobs, plan, at, diff_id, looking, cache);
            stop.fetch_or(found.is_err(), Ordering::Relaxed);
            *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(found);
        }
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores.min(AT_ONCE).min(diff_ids.len()) {
            scope.spawn(work);
        }
    });
    let done = done.into_iter();
    let mut done: Vec<_> = done
        .filter_map(|slot| slot.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
        .collect();
    // Those behind an error were not looked at: the error is what there is to say.
    if let Some(at) = done.iter().position(Result::is_err) {
        done = vec![done.swap_remove(at)];
    }
    done.into_iter().collect()
}

fn one(
    blobs: &dyn Blobs,
    plan: &Plan,
    at: usize,
    diff_id: &str,
    looking: &Looking<'_>,
    cache: Option<&Cache>,
) -> Result<Looked, ImageError> {
    let Some(layer) = plan.layers.get(at) else { return Err(ImageError::NoManifest) };
    let cache = cache.filter(|_| looking.may_be_kept());
    let known = cache.and_then(|cache| cache.get(diff_id));
    if let Some(found) = known.filter(|found| looking.is_answered_by(found)) {
        return Ok(found);
    }
    let what = format!("the layer {}", layer.digest);
    let raw = blobs::layer(blobs, &what, layer)?;
    let expected = Expected { digest: &layer.digest, size: layer.size };
    let expected = Some(expected).filter(|_| !layer.is_member());
    let passed = pass(&what, raw, expected, |archive| looking.layer(at, archive))?;
    if passed.diff_id != diff_id {
        let (found, wanted) = (passed.diff_id, diff_id.to_string());
        return Err(ImageError::Other { what, found, wanted });
    }
    let found = Looked { size: passed.size, ..passed.found };
    if let Some(cache) = cache {
        cache.put(diff_id, &found);
    }
    Ok(found)
}
