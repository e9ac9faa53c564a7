//! What RUN steps can reach and use.

use clap::Args;

/// What RUN steps can reach and use.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Run")]
pub(in crate::request) struct RunFlags {
    /// Network of RUN: default or none; host needs an exception
    #[arg(long, value_name = "MODE", allow_hyphen_values = true)]
    pub(in crate::request) network: Option<String>,
    /// Name that RUN can resolve; the address may be host-gateway
    #[arg(long = "add-host", value_name = "HOST:IP", allow_hyphen_values = true)]
    pub(in crate::request) add_hosts: Vec<String>,
    /// Size of /dev/shm
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub(in crate::request) shm_size: Option<String>,
    /// Limit of a process, `nofile=1024:2048`
    #[arg(long = "ulimit", value_name = "NAME=SOFT[:HARD]", allow_hyphen_values = true)]
    pub(in crate::request) ulimits: Vec<String>,
    /// Limit of RUN: memory, memory-swap, cpu-quota, cpuset-cpus, …
    #[arg(long = "resource", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(in crate::request) resources: Vec<String>,
    /// Control group that steps run in
    #[arg(long, hide = true, value_name = "PATH", allow_hyphen_values = true)]
    pub(in crate::request) cgroup_parent: Option<String>,
    /// Right that RUN may ask for; most need an exception
    #[arg(long, value_name = "RIGHT", allow_hyphen_values = true)]
    pub(in crate::request) allow: Vec<String>,
    /// Command that has to work in the hardened image
    #[arg(long, value_name = "CMD", allow_hyphen_values = true)]
    pub(in crate::request) smoke: Vec<String>,

    #[command(flatten)]
    pub(in crate::request) older: OlderResources,
}

/// What `--resource` was called before.
#[derive(Debug, Default, Args)]
pub(in crate::request) struct OlderResources {
    #[arg(short = 'm', long, hide = true, value_name = "BYTES", allow_hyphen_values = true)]
    memory: Option<String>,
    #[arg(long, hide = true, value_name = "BYTES", allow_hyphen_values = true)]
    memory_swap: Option<String>,
    #[arg(short = 'c', long, hide = true, value_name = "N", allow_hyphen_values = true)]
    cpu_shares: Option<String>,
    #[arg(long, hide = true, value_name = "N", allow_hyphen_values = true)]
    cpu_period: Option<String>,
    #[arg(long, hide = true, value_name = "N", allow_hyphen_values = true)]
    cpu_quota: Option<String>,
    #[arg(long, hide = true, value_name = "CPUS", allow_hyphen_values = true)]
    cpuset_cpus: Option<String>,
    #[arg(long, hide = true, value_name = "NODES", allow_hyphen_values = true)]
    cpuset_mems: Option<String>,
}

impl OlderResources {
    /// The same as entries of `--resource`, which come behind them and override them.
    pub(in crate::request) fn entries(self) -> Vec<String> {
        let Self {
            memory,
            memory_swap,
            cpu_shares,
            cpu_period,
            cpu_quota,
            cpuset_cpus,
            cpuset_mems,
        } = self;
        [
            ("memory", memory),
            ("memory-swap", memory_swap),
            ("cpu-shares", cpu_shares),
            ("cpu-period", cpu_period),
            ("cpu-quota", cpu_quota),
            ("cpuset-cpus", cpuset_cpus),
            ("cpuset-mems", cpuset_mems),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
        .collect()
    }
}
