//! The judgement of a graph: may this run, and does it say exactly what will be read?
//!
//! The text was pinned before; here it is proven. Triggers of a base (ONBUILD) and frontends of
//! other languages show only here.

use std::collections::{BTreeMap, BTreeSet};

use bollard_buildkit_proto::pb::{self, op::Op as Body};

use super::{Graph, Source, Vertex};
use crate::dockerfile::Span;
use crate::pins::Reference;
use crate::policy::rules::registry_not_allowed;

/// What an image name is allowed to mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The manifest or index with this digest.
    Digest(String),
    /// An image that only this engine's store has.
    Local {
        /// Its ID in the store.
        image_id: String,
    },
}

impl Pin {
    /// The digest that identifies the content, whichever kind it is.
    pub fn digest(&self) -> &str {
        match self {
            Self::Digest(digest) | Self::Local { image_id: digest } => digest,
        }
    }
}

/// Every image that may be read: canonical name (with tag, if any) to what it must be.
pub type Pins = BTreeMap<String, Vec<Pin>>;

/// Something that must not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Id of the rule.
    pub rule: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where: file, first and last line.
    pub lines: Vec<(String, usize, usize)>,
    /// Bytes of the Dockerfile, where more is known than its lines.
    pub span: Option<Span>,
    /// What to write instead.
    pub fix: String,
}

/// An image of the graph that no pin covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpinned {
    /// Canonical name.
    pub name: String,
    /// The digest that the frontend found, if the engine told it one.
    pub found: Option<String>,
    /// Where: file, first and last line; empty for what a base's trigger asks for.
    pub lines: Vec<(String, usize, usize)>,
}

impl Unpinned {
    /// The source's identifier as it stands in the graph.
    pub fn identifier(&self) -> String {
        match &self.found {
            Some(found) => format!("docker-image://{}@{found}", self.name),
            None => format!("docker-image://{}", self.name),
        }
    }
}

/// A source of the graph with the digest it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundSource {
    /// What it is.
    pub source: Source,
    /// Its digest, checksum or commit; `None` for the session's own directories.
    pub digest: Option<String>,
    /// Whether only this engine's store has it.
    pub local_only: bool,
}

/// A graph that may run, and what it reads.
#[derive(Clone, Debug)]
pub struct Judged {
    graph: Graph,
    sources: Vec<BoundSource>,
    excepted: Vec<Violation>,
}

impl Judged {
    /// The graph as it will run.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Everything it reads, each once, images first in the graph's order.
    pub fn sources(&self) -> &[BoundSource] {
        &self.sources
    }

    /// What would be refused if nobody had recorded why it is needed.
    pub fn excepted(&self) -> &[Violation] {
        &self.excepted
    }
}

/// A source op that was prepared for this very build, for example its remote context.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// The op as the graph must have it, attributes included.
    pub op: pb::SourceOp,
    /// What it is bound to, `sha256:…` or `gitCommit:…`; `None` for what this session uploads.
    pub digest: Option<String>,
}

/// What a graph may refer to.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Images and what they must be.
    pub pins: Pins,
    /// Names of the session's directories.
    pub locals: BTreeSet<String>,
    /// Sources that were prepared for this build.
    pub offered: Vec<Offered>,
    /// Digests of images in directories that the session shows.
    pub layouts: BTreeSet<String>,
    /// Registries and repositories that images may come from; empty allows all.
    pub registries: Vec<String>,
    /// Rules that somebody lifted for this Dockerfile and said why.
    pub excepted: BTreeSet<String>,
}

/// The rules of this module that can be lifted; the others protect the judgement itself.
const EXCEPTABLE: [&str; 5] =
    ["git-ref", "host-network", "insecure-exec", registry_not_allowed::RULE, "remote-add"];

impl Allowed {
    fn excepts(&self, rule: &str) -> bool {
        EXCEPTABLE.contains(&rule) && self.excepted.contains(rule)
    }
}

/// Images that need a pin before the graph can be judged.
pub fn unpinned(graph: &Graph, allowed: &Allowed) -> Vec<Unpinned> {
    let mut found: Vec<Unpinned> = Vec::new();
    for (vertex, source) in graph.sources() {
        let Source::Image { name, digest } = source else { continue };
        if bound(&name, digest.as_deref(), &allowed.pins).is_some() {
            continue;
        }
        let image = Unpinned { name, found: digest, lines: graph.locate(&vertex.digest) };
        if !found.iter().any(|f| f.name == image.name && f.found == image.found) {
            found.push(image);
        }
    }
    found
}

/// Judges a graph: either it may run, or here is everything that speaks against it.
pub fn judge(graph: Graph, allowed: &Allowed) -> Result<Judged, Vec<Violation>> {
    let mut found = Vec::new();
    let mut sources: Vec<BoundSource> = Vec::new();
    for (vertex, source) in graph.sources() {
        let bound = match bind(vertex, source.clone(), allowed) {
            Ok(bound) => bound,
            Err(complaint) => {
                found.push(complaint.at(&graph, vertex));
                // What an exception lets through is read, and nobody knows its digest.
                BoundSource { source, digest: None, local_only: false }
            }
        };
        found
            .extend(unlisted(&bound.source, allowed).map(|complaint| complaint.at(&graph, vertex)));
        if !sources.contains(&bound) {
            sources.push(bound);
        }
    }
    for vertex in graph.vertices() {
        found.extend(privileges(vertex).map(|complaint| complaint.at(&graph, vertex)));
    }
    let (excepted, violations): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|violation| allowed.excepts(violation.rule));
    if violations.is_empty() { Ok(Judged { graph, sources, excepted }) } else { Err(violations) }
}

/// The pin that a name with a digest satisfies.
fn bound<'a>(name: &str, digest: Option<&str>, pins: &'a Pins) -> Option<&'a Pin> {
    pins.get(name)?.iter().find(|pin| match (pin, digest) {
        (pin, Some(digest)) => pin.digest() == digest,
        // A store without digests for its own images says nothing; the ID is compared before and
        // after the build instead.
        (Pin::Local { .. }, None) => true,
        (Pin::Digest(_), None) => false,
    })
}

struct Complaint {
    rule: &'static str,
    message: String,
    fix: String,
}

impl Complaint {
    fn at(self, graph: &Graph, vertex: &Vertex) -> Violation {
        let Self { rule, message, fix } = self;
        Violation { rule, message, lines: graph.locate(&vertex.digest), span: None, fix }
    }
}

fn bind(vertex: &Vertex, source: Source, allowed: &Allowed) -> Result<BoundSource, Complaint> {
    if let Some(Body::Source(op)) = &vertex.op.op
        && let Some(offered) = allowed.offered.iter().find(|offered| offered.op == *op)
    {
        return Ok(BoundSource { source, digest: offered.digest.clone(), local_only: false });
    }
    let (digest, local_only) = match &source {
        Source::Image { name, digest } => match bound(name, digest.as_deref(), &allowed.pins) {
            Some(pin) => (Some(pin.digest().to_string()), matches!(pin, Pin::Local { .. })),
            None => return Err(unexpected_image(&source, allowed.pins.get(name))),
        },
        Source::Local(name) if allowed.locals.contains(name) => (None, false),
        Source::Layout { digest: Some(digest), .. } if allowed.layouts.contains(digest) => {
            (Some(digest.clone()), false)
        }
        Source::Http { checksum: Some(checksum), .. } => (Some(checksum.clone()), false),
        Source::Git { commit: Some(commit), .. } => (Some(format!("gitCommit:{commit}")), false),
        Source::Http { url, checksum: None } => {
            return Err(Complaint {
                rule: "remote-add",
                message: format!("{url} is downloaded without a checksum"),
                fix: format!("ADD --checksum=sha256:<digest> {url} …"),
            });
        }
        Source::Git { remote, commit: None } => {
            return Err(Complaint {
                rule: "git-ref",
                message: format!("{remote} is not fixed to a commit"),
                fix: "name the whole commit id after `#`".into(),
            });
        }
        Source::Local(_) | Source::Layout { .. } | Source::Other(_) => {
            return Err(Complaint {
                rule: "unknown-source",
                message: format!("the build reads {source}, which nobody offered"),
                fix: "remove it, or name it as a build context".into(),
            });
        }
    };
    Ok(BoundSource { source, digest, local_only })
}

/// An image from elsewhere than the project's list says.
fn unlisted(source: &Source, allowed: &Allowed) -> Option<Complaint> {
    let Source::Image { name, .. } = source else { return None };
    let listed = |name: &Reference| name.is_listed(&allowed.registries);
    if allowed.registries.is_empty()
        || Reference::parse_normalized(name).is_ok_and(|it| listed(&it))
    {
        return None;
    }
    Some(Complaint {
        rule: registry_not_allowed::RULE,
        message: format!("the build reads {name}, and its registry is not on the project's list"),
        fix: format!("allowed are {}", allowed.registries.join(", ")),
    })
}

fn unexpected_image(source: &Source, pins: Option<&Vec<Pin>>) -> Complaint {
    let message = match pins.and_then(|pins| pins.first()) {
        Some(pin) => format!("the build would read {source}, pinned is {}", pin.digest()),
        None => format!("the build would read {source}, which has no pin"),
    };
    Complaint {
        rule: "unpinned-image",
        message,
        fix: "name the image with its digest, or remove its stale entry from cofferdam.lock".into(),
    }
}

fn privileges(vertex: &Vertex) -> Option<Complaint> {
    let (rule, what, fix) = match &vertex.op.op {
        Some(Body::Exec(exec)) if exec.security != pb::SecurityMode::Sandbox as i32 => {
            ("insecure-exec", "a step runs without a sandbox", "drop --security=insecure")
        }
        Some(Body::Exec(exec)) if exec.network == pb::NetMode::Host as i32 => {
            ("host-network", "a step runs in the host's network", "drop --network=host")
        }
        Some(Body::Build(_)) => (
            "nested-build",
            "a step builds another graph, which nobody has judged",
            "build it on its own and refer to the result by digest",
        ),
        _ => return None,
    };
    Some(Complaint { rule, message: what.into(), fix: fix.into() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{definition, exec, image};
    use super::*;

    const NAME: &str = "docker.io/library/a:1";
    const GOOD: &str = "sha256:aa";

    fn graph(ops: Vec<pb::Op>) -> Graph {
        Graph::read(&definition(ops)).unwrap()
    }

    fn allowed(pin: Pin) -> Allowed {
        let pins = [(NAME.to_string(), vec![pin])].into();
        Allowed { pins, locals: ["ctx".into()].into(), ..Allowed::default() }
    }

    fn rules(ops: Vec<pb::Op>, allowed: &Allowed) -> Vec<&'static str> {
        match judge(graph(ops), allowed) {
            Ok(_) => Vec::new(),
            Err(violations) => violations.into_iter().map(|v| v.rule).collect(),
        }
    }

    #[test]
    fn only_the_pinned_digest_passes() {
        let allowed = allowed(Pin::Digest(GOOD.into()));
        let named = |suffix: &str| vec![image(&format!("docker-image://{NAME}{suffix}"))];
        assert!(rules(named("@sha256:aa"), &allowed).is_empty());
        assert_eq!(rules(named("@sha256:bb"), &allowed), ["unpinned-image"]);
        assert_eq!(rules(named(""), &allowed), ["unpinned-image"]);
    }

    #[test]
    fn an_image_nobody_pinned_is_reported_for_pinning() {
        let graph = graph(vec![image("docker-image://docker.io/library/trigger:latest")]);
        let missing = unpinned(&graph, &allowed(Pin::Digest(GOOD.into())));
        assert_eq!(missing[0].name, "docker.io/library/trigger:latest");
        assert_eq!(missing[0].identifier(), "docker-image://docker.io/library/trigger:latest");
    }

    #[test]
    fn a_local_image_passes_without_a_digest_or_with_its_own() {
        let allowed = allowed(Pin::Local { image_id: GOOD.into() });
        assert!(rules(vec![image(&format!("docker-image://{NAME}"))], &allowed).is_empty());
        let other = vec![image(&format!("docker-image://{NAME}@sha256:bb"))];
        assert_eq!(rules(other, &allowed), ["unpinned-image"]);
    }

    #[test]
    fn images_come_from_the_list_whoever_names_them() {
        let mut allowed = allowed(Pin::Digest(GOOD.into()));
        let ops = || vec![image(&format!("docker-image://{NAME}@{GOOD}"))];
        allowed.registries = vec!["registry.example".into()];
        assert_eq!(rules(ops(), &allowed), ["registry-not-allowed"]);
        allowed.excepted = ["registry-not-allowed".to_string()].into();
        assert!(rules(ops(), &allowed).is_empty());
        allowed.excepted.clear();
        allowed.registries.push("docker.io/library".into());
        assert!(rules(ops(), &allowed).is_empty());
    }

    #[test]
    fn downloads_directories_and_other_sources_need_a_reason() {
        let allowed = Allowed { locals: ["ctx".into()].into(), ..Allowed::default() };
        for (identifier, rule) in [
            ("https://h/f", Some("remote-add")),
            ("git://h/r.git#main", Some("git-ref")),
            ("git://h/r.git#0123456789abcdef0123456789abcdef01234567", None),
            ("local://ctx", None),
            ("local://etc", Some("unknown-source")),
            ("oci-layout://x", Some("unknown-source")),
        ] {
            assert_eq!(rules(vec![image(identifier)], &allowed).first().copied(), rule);
        }
    }

    #[test]
    fn a_step_with_more_rights_is_refused() {
        let base = image("local://ctx");
        let allowed = Allowed { locals: ["ctx".into()].into(), ..Allowed::default() };
        let with = |change: fn(&mut pb::ExecOp)| {
            let mut op = exec(&base, vec![]);
            if let Some(Body::Exec(exec)) = &mut op.op {
                change(exec);
            }
            rules(vec![base.clone(), op], &allowed)
        };
        assert_eq!(with(|e| e.network = pb::NetMode::Host as i32), ["host-network"]);
        assert_eq!(with(|e| e.security = pb::SecurityMode::Insecure as i32), ["insecure-exec"]);
        assert!(with(|_| {}).is_empty());
    }

    #[test]
    fn an_exception_lets_its_rule_through_and_no_other() {
        let except = |rules: &[&str]| Allowed {
            locals: ["ctx".into()].into(),
            excepted: rules.iter().map(ToString::to_string).collect(),
            ..Allowed::default()
        };
        let base = image("local://ctx");
        let mut host = exec(&base, vec![]);
        if let Some(Body::Exec(exec)) = &mut host.op {
            exec.network = pb::NetMode::Host as i32;
        }
        let ops = || vec![base.clone(), image("https://h/f"), host.clone()];
        let judged = judge(graph(ops()), &except(&["host-network", "remote-add"])).unwrap();
        let lifted: Vec<&str> = judged.excepted().iter().map(|found| found.rule).collect();
        assert_eq!(lifted, ["remote-add", "host-network"]);
        let read: Vec<String> =
            judged.sources().iter().map(|bound| bound.source.to_string()).collect();
        assert_eq!(read, ["local://ctx", "https://h/f"]);
        assert!(judged.sources().iter().all(|bound| bound.digest.is_none()));
        assert_eq!(rules(ops(), &except(&["host-network"])), ["remote-add"]);
    }

    #[test]
    fn no_exception_lifts_what_the_judgement_stands_on() {
        let all = ["unpinned-image", "unknown-source", "nested-build"];
        let allowed = Allowed { excepted: all.map(String::from).into(), ..Allowed::default() };
        assert_eq!(rules(vec![image("local://etc")], &allowed), ["unknown-source"]);
        let unpinned = image("docker-image://docker.io/library/a:1");
        assert_eq!(rules(vec![unpinned], &allowed), ["unpinned-image"]);
    }

    #[test]
    fn an_offered_source_is_accepted_exactly_as_it_was_offered() {
        let op = |identifier: &str, filename: &str| pb::SourceOp {
            identifier: identifier.into(),
            attrs: [("http.filename".to_string(), filename.to_string())].into(),
        };
        let offered =
            Offered { op: op("https://h/f", "context"), digest: Some("sha256:aa".into()) };
        let allowed = Allowed { offered: vec![offered], ..Allowed::default() };
        let with = |source: pb::SourceOp| {
            graph(vec![pb::Op { op: Some(Body::Source(source)), ..pb::Op::default() }])
        };
        let judged = judge(with(op("https://h/f", "context")), &allowed).unwrap();
        assert_eq!(judged.sources()[0].digest.as_deref(), Some("sha256:aa"));
        assert!(judge(with(op("https://h/f", "other")), &allowed).is_err());
        assert!(judge(with(op("https://h/g", "context")), &allowed).is_err());
    }

    #[test]
    fn a_shown_layout_is_accepted_by_its_digest() {
        let allowed = Allowed { layouts: ["sha256:aa".into()].into(), ..Allowed::default() };
        assert!(rules(vec![image("oci-layout://x@sha256:aa")], &allowed).is_empty());
        assert_eq!(rules(vec![image("oci-layout://x@sha256:bb")], &allowed), ["unknown-source"]);
    }
}
