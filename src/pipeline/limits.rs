//! Limits that an engine is too old for: BuildKit passes over what it does not know.

use std::collections::BTreeSet;

use crate::request::{Limits, Resources};

/// Came with the same version as `--shm-size`, `--ulimit` and `--cgroup-parent`.
const LIMITS: &str = "exec.meta.ulimit";
const RESOURCES: &str = "exec.meta.linux.resources";

/// What steps will run without, as a line; `caps` are the engine's.
pub(super) fn unheeded(limits: &Limits, caps: &BTreeSet<String>) -> Option<String> {
    let Limits { shm_size, ulimits, cgroup_parent, resources } = limits;
    let Resources {
        memory,
        memory_swap,
        cpu_shares,
        cpu_period,
        cpu_quota,
        cpuset_cpus,
        cpuset_mems,
    } = resources;
    let flags = [
        (LIMITS, shm_size.is_some(), "--shm-size"),
        (LIMITS, !ulimits.is_empty(), "--ulimit"),
        (LIMITS, cgroup_parent.is_some(), "--cgroup-parent"),
        (RESOURCES, memory.is_some(), "memory"),
        (RESOURCES, memory_swap.is_some(), "memory-swap"),
        (RESOURCES, cpu_shares.is_some(), "cpu-shares"),
        (RESOURCES, cpu_period.is_some(), "cpu-period"),
        (RESOURCES, cpu_quota.is_some(), "cpu-quota"),
        (RESOURCES, cpuset_cpus.is_some(), "cpuset-cpus"),
        (RESOURCES, cpuset_mems.is_some(), "cpuset-mems"),
    ];
    let names: Vec<&str> = flags
        .into_iter()
        .filter(|(cap, asked, _)| *asked && !caps.contains(*cap))
        .map(|(_, _, name)| name)
        .collect();
    if names.is_empty() {
        return None;
    }
    Some(format!(
        "this engine's BuildKit is too old for these limits, steps run without: {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_does_not_know_is_one_line() {
        let resources = Resources { memory: Some(1), ..Resources::default() };
        let limits = Limits { shm_size: Some(1), resources, ..Limits::default() };
        let caps = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
        let told = unheeded(&limits, &caps(&[])).unwrap();
        assert!(told.ends_with("--shm-size, memory"), "{told}");
        assert!(unheeded(&limits, &caps(&[LIMITS])).unwrap().ends_with(": memory"));
        assert_eq!(unheeded(&limits, &caps(&[LIMITS, RESOURCES])), None);
        assert_eq!(unheeded(&Limits::default(), &caps(&[])), None);
    }
}
