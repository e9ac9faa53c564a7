//! The whole story of a build on one screen.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use cofferdam_frontend::graph::Graph;

use crate::engine::session::{Filesync, Services};
use crate::engine::{BuildId, Engine, Exported, SessionTransport};
use crate::error::Error;
use crate::inputs::{LockFile, Resolver, pin_text};
use crate::record::{Slot, Store, write_atomically};
use crate::report::printer::Printer;
use crate::request::BuildRequest;

mod failure;
mod leftovers;
mod plan;
mod statement;
mod verdict;
mod words;

use leftovers::Leftovers;
use plan::{Locals, plan};

/// Messages of the engine's progress that may wait for the printer.
const PROGRESS_BACKLOG: usize = 256;
/// How long an interrupted build may take to tidy up after itself.
const LAST_MOMENT: Duration = Duration::from_millis(1200);

/// Builds what was asked for, or explains why not.
pub fn run(request: BuildRequest, printer: &Printer) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let result = runtime.block_on(interruptible(&request, printer));
    // Calls that the engine never answers must not keep the process.
    runtime.shutdown_background();
    result
}

/// Runs the build until it ends or a signal comes, and tidies up either way.
async fn interruptible(request: &BuildRequest, printer: &Printer) -> Result<(), Error> {
    let stop = |kind| signal(kind).map_err(Error::io("listen for signals"));
    let (mut interrupt, mut terminate) =
        (stop(SignalKind::interrupt())?, stop(SignalKind::terminate())?);
    let engine = Engine::connect(request.endpoint.clone()).await?;
    let leftovers = Mutex::new(Leftovers::default());
    let result = tokio::select! {
        result = build(request, &engine, &leftovers, printer) => result,
        _ = interrupt.recv() => Err(Error::Interrupted),
        _ = terminate.recv() => Err(Error::Interrupted),
    };
    let leftovers = leftovers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let tidy = leftovers.tidy(&engine, result.is_err());
    match &result {
        Err(Error::Interrupted) => drop(tokio::time::timeout(LAST_MOMENT, tidy).await),
        Err(Error::EngineLost(_)) => {}
        _ => tidy.await,
    }
    result
}

/// Pin, judge, run, strip, export, record, and only then name.
async fn build(
    request: &BuildRequest,
    engine: &Engine,
    leftovers: &Mutex<Leftovers>,
    printer: &Printer,
) -> Result<(), Error> {
    let started = SystemTime::now();
    let id = BuildId::random().map_err(Error::io("make a name for the build"))?;
    plan::check_platforms(request, engine)?;

    let mut lock = LockFile::read(&request.lock_path)?;
    let source = failure::source(request);
    let resolver =
        Resolver::new(engine, &request.auth, request.locked, source.clone(), lock.content.clone());
    let text = pin_text(&resolver, request, &engine.facts().platform).await?;
    lock.update(resolver.lock().await, printer)?;

    let locals = Locals::new(&id);
    let slot = Slot::take(request.state_dir.as_deref(), id.as_str());
    let slot_name = slot.name().to_string();
    let plan = plan(request, &text, &locals, &slot_name);
    leftovers.lock().unwrap_or_else(PoisonError::into_inner).begin(&id, &locals, slot);
    let files = locals.serve(request, &text)?;

    let hardened = run_in_engine(Run {
        request,
        engine,
        id: &id,
        files: files.clone(),
        shared_key: plan::shared_key(request, slot_name.as_str()),
        plan: &plan,
        resolver: &resolver,
        locals: &locals,
        leftovers,
        lock: &mut lock,
        printer,
    })
    .await
    .map_err(|error| error.naming(&request.tags));
    let (hardened, exported) = hardened?;

    let facts = statement::Inputs {
        request,
        engine,
        id: &id,
        text: &text,
        hardened: &hardened,
        exported: &exported,
        files: &files,
        locals: &locals,
        lock: &lock,
        started,
    };
    let store = Store::open(request.data_dir.clone());
    statement::write(&facts, &store).await?;
    name(request, engine, &exported, leftovers).await?;
    publish_id(request, &exported, printer)?;
    if request.show_progress {
        printer.verdict(&verdict::of(&facts));
    }
    Ok(())
}

/// What [`run_in_engine`] works with.
struct Run<'a> {
    request: &'a BuildRequest,
    engine: &'a Engine,
    id: &'a BuildId,
    files: Filesync,
    shared_key: String,
    plan: &'a cofferdam_frontend::Plan,
    resolver: &'a Resolver<'a>,
    locals: &'a Locals,
    leftovers: &'a Mutex<Leftovers>,
    lock: &'a mut LockFile,
    printer: &'a Printer,
}

/// Opens the session, builds, and exports without a name; the progress is printed meanwhile.
async fn run_in_engine(run: Run<'_>) -> Result<(cofferdam_frontend::Hardened, Exported), Error> {
    let services = Services {
        files: run.files.clone(),
        secrets: run.request.secrets.clone(),
        auth: run.request.auth.clone(),
    };
    let (sender, receiver) = mpsc::channel(PROGRESS_BACKLOG);
    let transport = SessionTransport::Auto;
    let active = run.engine.start(run.id, run.shared_key, services, transport, sender).await?;
    let shown = run.request.show_progress;
    let progress = run.printer.progress(receiver, shown, run.locals.filter());
    let story = async {
        let mut judged = Graph::default();
        let watch = |graph: &Graph| {
            let mut leftovers = run.leftovers.lock().unwrap_or_else(PoisonError::into_inner);
            leftovers.remember(&graph.cache_ids());
            judged = graph.clone();
        };
        let built = cofferdam_frontend::build(active.bridge(), run.resolver, run.plan, watch).await;
        let hardened = match built {
            Ok(hardened) => hardened,
            Err(error) => {
                let failed = failure::Failed { active, judged, files: &run.files };
                return Err(failed.explain(error, run.request).await);
            }
        };
        // Everything that can still say no says it before the engine keeps anything.
        let checked = async {
            failure::check_context(&run.files, run.locals)?;
            failure::check_secrets(&run.files, run.locals, run.request)?;
            run.resolver.check_local_images().await?;
            run.lock.update(run.resolver.lock().await, run.printer)
        };
        if let Err(error) = checked.await {
            return Err(failure::end(error, active).await);
        }
        let reference = hardened.reference.clone();
        let exported = active
            .export(reference, hardened.metadata.clone())
            .await
            .map_err(|error| failure::of_bridge(error, None, run.request))?;
        Ok((hardened, exported))
    };
    let (result, ()) = tokio::join!(story, progress);
    if let Ok((_, exported)) = &result {
        let mut leftovers = run.leftovers.lock().unwrap_or_else(PoisonError::into_inner);
        leftovers.nameless(&exported.image_id);
    }
    result
}

/// Moves the names to the new image: the first moment at which anybody can see it.
async fn name(
    request: &BuildRequest,
    engine: &Engine,
    exported: &Exported,
    leftovers: &Mutex<Leftovers>,
) -> Result<(), Error> {
    for tag in &request.tags {
        let repository =
            cofferdam_frontend::pins::Reference { tag: None, ..tag.clone() }.familiar();
        engine.tag(&exported.image_id, &repository, tag.tag_or_latest()).await?;
    }
    leftovers.lock().unwrap_or_else(PoisonError::into_inner).keep();
    Ok(())
}

/// Tells scripts the image's ID.
fn publish_id(request: &BuildRequest, exported: &Exported, printer: &Printer) -> Result<(), Error> {
    if let Some(path) = &request.iidfile {
        write_atomically(path, exported.image_id.as_bytes())
            .map_err(Error::io(format!("write {}", path.display())))?;
    }
    if request.print_id {
        printer.stdout(format!("{}\n", exported.image_id).as_bytes())?;
    }
    Ok(())
}
