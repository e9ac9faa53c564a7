//! The part of a build that the engine does: session, judged graph, export without a name.

use std::sync::{Arc, Once};
use std::time::SystemTime;

use cofferdam_frontend::bridge::Bridge as _;
use cofferdam_frontend::build::BuildError;
use cofferdam_frontend::graph::Graph;
use cofferdam_frontend::remote::{Named, NamedContext as Bound};
use cofferdam_frontend::{Hardened, Plan};

use super::absent;
use super::attests;
use super::bill;
use super::context::{self, Taken};
use super::failure::{self, Failed};
use super::image_rules;
use super::leftovers::Leftovers;
use super::limits;
use super::load::{Load, Loaded, Loading};
use super::logs::{LogSearch, Searched};
use super::named;
use super::outputs::Outlets;
use super::plan::{Locals, plan, shared_key};
use super::scan;
use super::steps::Steps;
use super::text_rules;
use super::triggers::Triggers;
use crate::attest::Bill;
use crate::engine::session::{Filesync, Outputs as Files, Services};
use crate::engine::{ActiveBuild, BuildId, Engine, Exported, Opening, SessionTransport};
use crate::error::Error;
use cofferdam_frontend::pins::Lock;
use tokio::sync::{Barrier, Mutex, oneshot};

use crate::inputs::{LockFile, PinnedText, Resolver, pin_text};
use crate::report::printer::Printer;
use crate::request::{BuildRequest, DockerfileText, Limits};
use crate::vcs::Origin;

/// One build in one engine: what holds from its first call to its last.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) request: &'a BuildRequest,
    /// What came through standard input.
    pub(super) taken: &'a Taken,
    pub(super) engine: &'a Engine,
    pub(super) id: &'a BuildId,
    pub(super) locals: &'a Locals,
    /// What the session serves; the pinned Dockerfile joins it when there is one.
    pub(super) files: &'a Filesync,
    /// Prefix of its cache mounts.
    pub(super) namespace: &'a str,
    /// What its steps print.
    pub(super) logs: &'a Arc<LogSearch>,
}

/// What came of it; nobody has named it yet.
pub(super) struct Built {
    /// The Dockerfile as it was written.
    pub(super) dockerfile: DockerfileText,
    /// The Dockerfile as the engine got it.
    pub(super) text: PinnedText,
    pub(super) hardened: Hardened,
    pub(super) exported: Exported,
    /// What git said of the context.
    pub(super) origin: Option<Origin>,
    /// What went into Docker engines, in the order in which it was asked for.
    pub(super) loaded: Vec<Loaded>,
    /// When our checks between the build and the export began and ended.
    pub(super) checked: (SystemTime, SystemTime),
    /// What the images hold.
    pub(super) bills: Vec<Bill>,
    /// How much of what the steps printed was searched for secrets.
    pub(super) log: Searched,
}

/// What decides and keeps books while the engine works.
pub(super) struct Desk<'a> {
    /// The file, and what all nodes have resolved so far.
    pub(super) lock: &'a Mutex<LockFile>,
    pub(super) resolved: &'a Arc<Mutex<Lock>>,
    /// Where every node waits until all have built: nothing is exported before.
    pub(super) ready: &'a Barrier,
    pub(super) leftovers: &'a Leftovers,
    /// What the text is warned about, which all nodes build and one tells.
    pub(super) told: &'a Once,
    /// The same of what the image is warned about.
    pub(super) shown: &'a Once,
    pub(super) printer: &'a Printer,
}

impl Job<'_> {
    /// Opens the session and an empty build in it.
    pub(super) async fn open(self, outlets: &Outlets, steps: &Steps) -> Result<ActiveBuild, Error> {
        let opening = Opening {
            shared_key: shared_key(self.request, self.namespace),
            services: Services {
                files: self.files.clone(),
                secrets: self.request.secrets.clone(),
                auth: self.request.auth.clone(),
                outputs: outlets.files.as_ref().map(Files::service),
                ssh: self.request.ssh.clone(),
                uploads: self.taken.uploads.clone(),
                content: named::stores(self.request, self.id)?,
            },
            transport: SessionTransport::Auto,
            exporters: outlets.exporters.clone(),
            entitlements: self.request.allow.entitlements(),
            options: attests::options(self.request),
            watcher: self.logs.watcher(),
        };
        Ok(self.engine.start(self.id, opening, steps.sender()).await?)
    }

    /// Pins, builds, checks and exports.
    pub(super) async fn run(
        self,
        active: ActiveBuild,
        outlets: &Outlets,
        loads: Vec<Load>,
        desk: Desk<'_>,
        steps: &Steps,
    ) -> Result<Built, Error> {
        let Desk { lock, resolved, ready, leftovers, told, shown, printer } = desk;
        // git looks while the engine does.
        let origin = self.request.vcs.clone().map(|question| tokio::spawn(question.ask()));
        self.say_what_is_unheeded(&active, printer).await;
        if let Err(error) = attests::check_engine(self.request, active.bridge()).await {
            return Err(failure::end(error, active).await);
        }
        let read = context::read(self.request, self.taken, self.locals, active.bridge()).await;
        let (dockerfile, fetched) = match read {
            Ok(read) => read,
            Err(error) => return Err(failure::end(error, active).await),
        };
        let heard = match text_rules::check(self, &dockerfile) {
            Ok(heard) => heard,
            Err(error) => return Err(failure::end(error, active).await),
        };
        told.call_once(|| text_rules::tell(self.request, &dockerfile, &heard.warned, printer));
        let known = Arc::clone(resolved);
        let resolver =
            Resolver::new(self.engine, active.bridge(), self.request, &dockerfile, known);
        let text = match self.pin(&resolver, &dockerfile).await {
            Ok(text) => text,
            Err(error) => return Err(failure::end(error, active).await),
        };
        let plan = plan(self.request, &dockerfile, &text, self.locals, self.namespace);
        let mut plan = Plan { inputs: fetched.inputs, offered: fetched.offered, ..plan };
        let origin = match origin {
            Some(asked) => asked.await.ok().flatten(),
            None => None,
        };
        self.label(&mut plan, origin.as_ref(), printer);
        if let Err(error) = self.name_contexts(&mut plan, &resolver, &active).await {
            return Err(failure::end(error, active).await);
        }
        match scan::find(self.request, &resolver, active.bridge()).await {
            Ok(found) => plan.scan = found,
            Err(error) => return Err(failure::end(error, active).await),
        }
        let triggers = Triggers::of(self, &text.bases, &dockerfile);
        if let Err(error) = triggers.refuse(active.bridge()).await {
            return Err(failure::end(error, active).await);
        }
        let (judged, is_judged) = oneshot::channel();
        let bridge = active.bridge().clone();
        // Once the frontend has read the bases, and while the steps run.
        let telling = async {
            if is_judged.await.is_ok() {
                triggers.tell(&bridge, printer).await;
            }
        };
        let harden =
            self.harden(active, &plan, &resolver, &dockerfile, (leftovers, judged, printer));
        let (hardened, ()) = tokio::join!(harden, telling);
        let (active, mut hardened) = hardened?;
        absent::log(&hardened);
        let began = SystemTime::now();
        let leaks = absent::check_configuration(self.request, &hardened, &dockerfile);
        if let Err(error) = leaks {
            return Err(failure::end(error, active).await);
        }
        match image_rules::check(self.request, &hardened, &dockerfile, &heard) {
            Ok(lines) => shown.call_once(|| image_rules::tell(self.request, &lines, printer)),
            Err(error) => return Err(failure::end(error, active).await),
        }
        if let Err(error) = self.logs.check(hardened.platforms().len(), &dockerfile).await {
            return Err(failure::end(error, active).await);
        }
        if let Err(error) = self.check(&resolver, (lock, ready), printer).await {
            return Err(failure::end(error, active).await);
        }
        let bills = bill::bills(self.request, &hardened, &text.build_args);
        if let Err(error) = bill::check(self.request, &bills) {
            return Err(failure::end(error, active).await);
        }
        let attached = bill::attach(self.request, active.bridge(), &mut hardened, &bills).await;
        if let Err(error) = attached {
            return Err(failure::end(error, active).await);
        }
        let checked = (began, SystemTime::now());
        let loading = Loading::begin(loads, leftovers, steps);
        let mut exported = match active.export(hardened.outcome()).await {
            Ok(exported) => exported,
            Err(error) => {
                return Err(failure::of_export(error, outlets, loading, &dockerfile).await);
            }
        };
        if outlets.stores {
            exported.image_id.iter().for_each(|image| leftovers.nameless(self.engine, image));
        }
        let loaded = loading.finish().await?;
        self.logs.refuse(&dockerfile)?;
        if let Some(loaded) = loaded.first() {
            exported.image_id = Some(loaded.id.clone());
        }
        let log = self.logs.searched();
        Ok(Built { dockerfile, text, hardened, exported, loaded, checked, origin, log, bills })
    }

    /// Limits that the engine is too old for are passed over by it: said once, before it builds.
    async fn say_what_is_unheeded(self, active: &ActiveBuild, printer: &Printer) {
        let limits = &self.request.limits;
        if *limits == Limits::default() {
            return;
        }
        // An engine that does not answer is found out by the next call.
        let Ok(caps) = active.bridge().ping().await else { return };
        if let Some(notice) = limits::unheeded(limits, &caps.llb) {
            printer.notice(&notice);
        }
    }

    /// Adds the labels that are asked of git, over those of the command line, as buildx does.
    fn label(self, plan: &mut Plan, origin: Option<&Origin>, printer: &Printer) {
        if !self.request.vcs.as_ref().is_some_and(|question| question.labels) {
            return;
        }
        let labels = origin.map(Origin::labels).unwrap_or_default();
        if labels.is_empty() {
            printer.notice("BUILDX_GIT_LABELS: git knows nothing about the context");
        }
        let labels = labels.into_iter();
        plan.options.extend(labels.map(|(name, value)| (format!("label:{name}"), value.into())));
    }

    /// Gives every input that the text names its digest, and the engine that text.
    async fn pin(
        self,
        resolver: &Resolver<'_>,
        dockerfile: &DockerfileText,
    ) -> Result<PinnedText, Error> {
        let platform = &self.engine.facts().platform;
        let text = pin_text(resolver, self.request, dockerfile, platform).await?;
        self.locals.offer_dockerfile(self.files, dockerfile, &text)?;
        Ok(text)
    }

    /// Adds `--build-context`.
    async fn name_contexts(
        self,
        plan: &mut Plan,
        resolver: &Resolver<'_>,
        active: &ActiveBuild,
    ) -> Result<(), Error> {
        for (number, (name, asked)) in self.request.named_contexts.iter().enumerate() {
            let at = (self.id, number);
            let context = named::read(asked, at, resolver, plan).await?;
            if let Bound::Remote(remote) = &context {
                context::may_read(self.request, remote)?;
            }
            let tools = context::tools(self.locals, active.bridge()).await?;
            let bound = Named::bind(active.bridge(), name, &context, &tools).await;
            plan.add(bound.map_err(context::explain)?);
        }
        Ok(())
    }

    async fn harden(
        self,
        active: ActiveBuild,
        plan: &Plan,
        resolver: &Resolver<'_>,
        dockerfile: &DockerfileText,
        (leftovers, is_judged, printer): (&Leftovers, oneshot::Sender<()>, &Printer),
    ) -> Result<(ActiveBuild, Hardened), Error> {
        let mut judged = Vec::new();
        let watch = |graphs: &[&Graph]| {
            let caches: Vec<String> = graphs.iter().flat_map(|graph| graph.cache_ids()).collect();
            leftovers.remember(&caches);
            judged = graphs.iter().copied().cloned().collect();
            self.logs.know(graphs);
            let _ = is_judged.send(());
        };
        match cofferdam_frontend::build(active.bridge(), resolver, plan, watch).await {
            Ok(hardened) => {
                for lifted in hardened.excepted() {
                    self.request.exceptions.allows(lifted.rule);
                }
                absent::use_exceptions(self.request, &hardened);
                Ok((active, hardened))
            }
            Err(mut error) => {
                if let BuildError::Leaked(leaks) = &mut error {
                    // Where it came from, if it came that way.
                    let sent = failure::secrets_in_context(self.files, self.locals, self.request);
                    leaks.splice(0..0, sent);
                }
                let failed = Failed { active, judged, files: self.files, plan, printer };
                Err(failed.explain(error, dockerfile).await)
            }
        }
    }

    /// Everything that can still say no says it before the engine keeps anything.
    async fn check(
        self,
        resolver: &Resolver<'_>,
        (lock, ready): (&Mutex<LockFile>, &Barrier),
        printer: &Printer,
    ) -> Result<(), Error> {
        failure::check_context(self.files, self.locals)?;
        failure::check_secrets(self.files, self.locals, self.request)?;
        resolver.check_local_images().await?;
        // Not before everything was read: a lock in the context is that of an earlier build, and
        // what is built does not depend on whether this build made one.
        ready.wait().await;
        let mut file = lock.lock().await;
        file.update(resolver.lock().await, printer)
    }
}
