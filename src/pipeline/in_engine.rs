//! The part of a build that the engine does: session, judged graph, export without a name.

use cofferdam_frontend::graph::Graph;
use cofferdam_frontend::{Hardened, Plan};
use tokio::sync::mpsc;

use super::failure::{self, Failed};
use super::leftovers::Leftovers;
use super::plan::{Locals, shared_key};
use crate::engine::session::{Filesync, Services};
use crate::engine::{ActiveBuild, BuildId, Engine, Exported, Exporter, Opening, SessionTransport};
use crate::error::Error;
use crate::inputs::{LockFile, Resolver};
use crate::report::printer::Printer;
use crate::request::BuildRequest;

/// Messages of the engine's progress that may wait for the printer.
const PROGRESS_BACKLOG: usize = 256;

/// What is asked of the engine.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) request: &'a BuildRequest,
    pub(super) engine: &'a Engine,
    pub(super) id: &'a BuildId,
    pub(super) locals: &'a Locals,
    pub(super) files: &'a Filesync,
    pub(super) plan: &'a Plan,
}

/// Builds, checks and exports, and prints the progress meanwhile.
pub(super) async fn run(
    sent: Sent<'_>,
    resolver: &Resolver<'_>,
    lock: &mut LockFile,
    leftovers: &Leftovers,
    printer: &Printer,
) -> Result<(Hardened, Exported), Error> {
    let services = Services {
        files: sent.files.clone(),
        secrets: sent.request.secrets.clone(),
        auth: sent.request.auth.clone(),
    };
    let (sender, receiver) = mpsc::channel(PROGRESS_BACKLOG);
    let opening = Opening {
        shared_key: shared_key(sent.request, &sent.plan.cache_namespace),
        services,
        transport: SessionTransport::Auto,
        exporters: vec![Exporter::store()],
        entitlements: Vec::new(),
    };
    let active = sent.engine.start(sent.id, opening, sender).await?;
    let progress = printer.progress(receiver, &sent.request.progress, sent.locals.filter());
    let story = async {
        let (active, hardened) = harden(sent, active, resolver, leftovers).await?;
        if let Err(error) = check(sent, resolver, lock, printer).await {
            return Err(failure::end(error, active).await);
        }
        let exported = active
            .export(hardened.reference.clone(), hardened.metadata.clone())
            .await
            .map_err(|error| failure::of_bridge(error, None, sent.request))?;
        leftovers.nameless(&exported.image_id);
        Ok((hardened, exported))
    };
    tokio::join!(story, progress).0
}

async fn harden(
    sent: Sent<'_>,
    active: ActiveBuild,
    resolver: &Resolver<'_>,
    leftovers: &Leftovers,
) -> Result<(ActiveBuild, Hardened), Error> {
    let mut judged = Graph::default();
    let watch = |graph: &Graph| {
        leftovers.remember(&graph.cache_ids());
        judged = graph.clone();
    };
    match cofferdam_frontend::build(active.bridge(), resolver, sent.plan, watch).await {
        Ok(hardened) => Ok((active, hardened)),
        Err(error) => {
            let failed = Failed { active, judged, files: sent.files };
            Err(failed.explain(error, sent.request).await)
        }
    }
}

/// Everything that can still say no says it before the engine keeps anything.
async fn check(
    sent: Sent<'_>,
    resolver: &Resolver<'_>,
    lock: &mut LockFile,
    printer: &Printer,
) -> Result<(), Error> {
    failure::check_context(sent.files, sent.locals)?;
    failure::check_secrets(sent.files, sent.locals, sent.request)?;
    resolver.check_local_images().await?;
    lock.update(resolver.lock().await, printer)
}
