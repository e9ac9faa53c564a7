//! What one node's part of the build is made of, from its first call to its last.

use std::sync::Arc;

use super::context::Taken;
use super::in_engine::Job;
use super::logs::LogSearch;
use super::named;
use super::node::Node;
use super::plan::Locals;
use crate::engine::BuildId;
use crate::engine::session::Filesync;
use crate::error::Error;

/// A node that builds.
#[derive(Debug)]
pub(super) struct Site<'a> {
    pub(super) node: &'a Node,
    id: BuildId,
    pub(super) locals: Locals,
    files: Filesync,
    namespace: String,
    logs: Arc<LogSearch>,
}

impl<'a> Site<'a> {
    /// Names everything that the node will get.
    pub(super) fn new(node: &'a Node) -> Result<Self, Error> {
        let id = BuildId::random().map_err(Error::io("make a name for the build"))?;
        let request = &node.request;
        let locals = Locals::new(&id);
        let namespace = node.leftovers.begin(&id, &node.engine, request.state_dir.as_deref());
        let files = locals.serve(request)?;
        named::serve(request, &id, &files);
        let logs = Arc::new(LogSearch::new(request.secrets.clone()));
        Ok(Self { node, id, locals, files, namespace, logs })
    }

    /// The build there.
    pub(super) fn job<'b>(&'b self, taken: &'b Taken) -> Job<'b> {
        Job {
            request: &self.node.request,
            taken,
            engine: &self.node.engine,
            id: &self.id,
            locals: &self.locals,
            files: &self.files,
            namespace: &self.namespace,
            logs: &self.logs,
        }
    }
}
