//! The whole story of a build on one screen.

use std::sync::{Arc, Once};
use std::time::{Duration, SystemTime};

use futures_util::future::{join_all, try_join_all};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Barrier, Mutex, mpsc};

use crate::error::Error;
use crate::inputs::LockFile;
use crate::report::printer::Printer;
use crate::request::BuildRequest;

mod absent;
mod attests;
mod bill;
mod context;
mod failure;
mod hosts;
mod image_rules;
mod in_engine;
mod joined;
mod leftovers;
mod limits;
mod load;
mod logs;
mod masked;
mod metadata;
mod named;
mod node;
mod options;
mod outputs;
mod plan;
mod publish;
mod push;
mod question;
mod relay;
mod scan;
mod site;
mod smoke;
mod statement;
mod steps;
mod supported;
mod text_rules;
mod triggers;
mod verdict;
mod words;

use context::Taken;
use in_engine::{Desk, Job};
use node::Node;
use outputs::Outlets;
use site::Site;
use statement::Known;
use steps::Steps;

/// Messages of the engine's progress that may wait for the printer.
const PROGRESS_BACKLOG: usize = 256;
/// How long an interrupted build may take to tidy up after itself.
const LAST_MOMENT: Duration = Duration::from_millis(1200);

/// Builds what was asked for, or explains why not.
pub fn run(request: BuildRequest, printer: &Printer) -> Result<(), Error> {
    supported::check(&request)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    request.notices.iter().for_each(|notice| printer.notice(notice));
    let result = runtime.block_on(interruptible(request, printer));
    // Calls that the engine never answers must not keep the process.
    runtime.shutdown_background();
    result
}

/// Runs the build until it ends or a signal comes, and tidies up either way.
async fn interruptible(request: BuildRequest, printer: &Printer) -> Result<(), Error> {
    let stop = |kind| signal(kind).map_err(Error::io("listen for signals"));
    let (mut interrupt, mut terminate) =
        (stop(SignalKind::interrupt())?, stop(SignalKind::terminate())?);
    let tags = request.tags.clone();
    let (request, taken) = tokio::select! {
        taken = context::take_stdin(request) => taken.map_err(|error| error.naming(&tags))?,
        _ = interrupt.recv() => return Err(Error::Interrupted),
        _ = terminate.recv() => return Err(Error::Interrupted),
    };
    let nodes = node::connect(&request).await?;
    let result = tokio::select! {
        result = build(&request, &taken, &nodes, printer) => {
            let shown = |error| masked::error(request.secrets.needles(), error);
            let result = result.map_err(shown);
            result.map_err(|error| error.naming(&request.tags).offering(&request.exceptions))
        }
        _ = interrupt.recv() => Err(Error::Interrupted),
        _ = terminate.recv() => Err(Error::Interrupted),
    };
    let tidy = join_all(nodes.iter().map(|node| node.leftovers.clone().tidy(&node.engine)));
    match &result {
        Err(Error::Interrupted) => drop(tokio::time::timeout(LAST_MOMENT, tidy).await),
        Err(Error::EngineLost(_)) => {}
        _ => drop(tidy.await),
    }
    result
}

/// Pin, judge, run, strip, export, record, and only then name: on each node what it builds, and
/// the last two once.
async fn build(
    request: &BuildRequest,
    taken: &Taken,
    nodes: &[Node],
    printer: &Printer,
) -> Result<(), Error> {
    let started = SystemTime::now();
    let outputs = request.outputs.resolve(request.builder.outputs(), &request.tags)?;
    for Node { engine, request, .. } in nodes {
        plan::check_platforms(request, engine)?;
        named::check(request, engine)?;
        attests::check(request, engine, &outputs)?;
        engine.channel().await?;
    }
    let several = nodes.len() > 1;
    if several {
        joined::check(&outputs)?;
    }
    let lock = Mutex::new(LockFile::read(&request.lock_path)?);
    let resolved = Arc::new(Mutex::new(lock.lock().await.content.clone()));
    let ready = Barrier::new(nodes.len());
    let (told, shown) = (Once::new(), Once::new());
    let sites = nodes.iter().map(Site::new).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = sites.first() else { return Err(Error::usage("the builder has no nodes")) };
    let mut outlets =
        Outlets::new(&first.node.request, &outputs, &first.node.engine, printer).await?;
    if several {
        joined::check_push(&outputs, &outlets)?;
    }
    let mut loads = std::mem::take(&mut outlets.loads);
    let (sender, receiver) = mpsc::channel(PROGRESS_BACKLOG);
    let names = || plan::filter(sites.iter().map(|site| site.locals.suffix().into()).collect());
    if let Some(asked) = &request.call {
        let story = async { first.job(taken).ask(asked, &Steps::new(sender)).await };
        let progress = printer.progress(receiver, &request.progress, names());
        let (answer, _) = tokio::join!(story, progress);
        return question::print(asked, &answer?, printer);
    }
    // The job of all platforms, for what is done once.
    let whole = Job { request, ..first.job(taken) };
    let whole = if several { whole } else { first.job(taken) };
    // The progress ends when nobody holds its sender any more: at the end of the story.
    let story = async {
        let steps = Steps::new(sender);
        let runs = sites.iter().map(|site| {
            let steps = if several { relay::named(&site.node.name, &steps) } else { steps.clone() };
            let loads = std::mem::take(&mut loads);
            let leftovers = &site.node.leftovers;
            let desk = Desk {
                lock: &lock,
                resolved: &resolved,
                ready: &ready,
                leftovers,
                told: &told,
                shown: &shown,
                printer,
            };
            let (job, outlets) = (site.job(taken), &outlets);
            async move {
                let active = job.open(outlets, &steps).await?;
                job.run(active, outlets, loads, desk, &steps).await
            }
        });
        // The first that fails ends the others.
        let mut all = try_join_all(runs.collect::<Vec<_>>()).await?;
        let built = match all.pop() {
            Some(only) if all.is_empty() => only,
            last => {
                joined::join(request, all.into_iter().chain(last).collect(), &mut outlets).await?
            }
        };
        let file = lock.lock().await;
        let known = Known { job: whole, built: &built, lock: &file, started };
        // The engines' part of the tidying takes as long as ours.
        let forgotten = nodes.iter().map(|node| node.leftovers.forget_inputs(&node.engine));
        let (published, _) =
            tokio::join!(publish::publish(known, &outlets, &steps), join_all(forgotten));
        published?;
        nodes.iter().for_each(|node| node.leftovers.keep());
        Ok::<_, Error>(built)
    };
    let progress = printer.progress(receiver, &request.progress, names());
    let (built, watched) = tokio::join!(story, progress);
    let built = built?;
    publish::print_id(request, &built.exported, printer)?;
    let file = lock.lock().await;
    let known = Known { job: whole, built: &built, lock: &file, started };
    verdict::print(&known, watched.ledger, printer);
    Ok(())
}
