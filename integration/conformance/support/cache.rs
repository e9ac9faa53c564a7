//! The engine's build cache.

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{DiskUsageRequest, UsageRecord};

use super::Engine;

impl Engine {
    /// The records that a filter of containerd's lets through.
    ///
    /// Never all of them, as `docker system df` has them: the engine measures what it lists and has
    /// not measured yet, and uses it for as long. What another test prunes in that moment stays, and
    /// the step that wants a cache mount then gets another, empty one.
    pub fn cache(&self, filter: &str) -> Vec<UsageRecord> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let channel = self.connected().await.channel().await.unwrap();
            let mut control = ControlClient::new(channel);
            let filter = vec![filter.into()];
            let request = DiskUsageRequest { filter, ..DiskUsageRequest::default() };
            control.disk_usage(request).await.unwrap().into_inner().record
        })
    }

    /// Those whose words name something, such as a project's steps.
    pub fn cache_of(&self, name: &str) -> Vec<UsageRecord> {
        self.cache(&format!("description~=\"{name}\""))
    }
}
