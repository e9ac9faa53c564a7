//! What the frontend is told about a request, under the names that BuildKit's Dockerfile frontend
//! has for it.

use std::collections::BTreeMap;

use crate::request::{BuildRequest, ExtraHost, HostAddress, Limits, Resources, Ulimit};

/// A build argument that asks for an index even for one platform.
const MULTI_PLATFORM: &str = "BUILDKIT_MULTI_PLATFORM";

/// The options that follow from the request alone; where the Dockerfile and the contexts are is
/// said by whoever serves them.
pub(super) fn of(
    request: &BuildRequest,
    build_args: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut options = BTreeMap::new();
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            options.insert(key.to_string(), value);
        }
    };
    let list = |values: Vec<String>| (!values.is_empty()).then(|| values.join(","));
    set("target", request.target.clone());
    set("platform", list(request.platforms.clone()));
    let index = build_args.get(MULTI_PLATFORM).is_some_and(|text| crate::request::is_true(text));
    set("multi-platform", (index || request.index).then(|| "true".into()));
    set("force-network-mode", request.network.forced().map(String::from));
    set("add-hosts", list(request.hosts.iter().filter_map(host).collect()));
    for (key, value) in build_args {
        set(&format!("build-arg:{key}"), Some(value.clone()));
    }
    for (key, value) in &request.labels {
        set(&format!("label:{key}"), Some(value.clone()));
    }

    let Limits { shm_size, ulimits, cgroup_parent, resources } = &request.limits;
    let number = |number: &Option<i64>| number.map(|number| number.to_string());
    set("shm-size", number(shm_size));
    let ulimit =
        |(name, Ulimit { soft, hard }): (&String, &Ulimit)| format!("{name}={soft}:{hard}");
    set("ulimit", list(ulimits.iter().map(ulimit).collect()));
    set("cgroup-parent", cgroup_parent.clone());

    let Resources {
        memory,
        memory_swap,
        cpu_shares,
        cpu_period,
        cpu_quota,
        cpuset_cpus,
        cpuset_mems,
    } = resources;
    set("memory", number(memory));
    set("memswap", number(memory_swap));
    set("cpushares", number(cpu_shares));
    set("cpuperiod", number(cpu_period));
    set("cpuquota", number(cpu_quota));
    set("cpusetcpus", cpuset_cpus.clone());
    set("cpusetmems", cpuset_mems.clone());
    options
}

fn host(host: &ExtraHost) -> Option<String> {
    match &host.address {
        HostAddress::Ip(ip) => Some(format!("{}={ip}", host.name)),
        // Found out before a build begins.
        HostAddress::Gateway => None,
    }
}
