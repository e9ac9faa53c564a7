//! What RUN steps may use: shared memory, ulimits, memory and processors.

use std::collections::BTreeMap;

use super::size;
use crate::error::Error;

/// Limits of RUN steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Size of /dev/shm in bytes.
    pub shm_size: Option<i64>,
    /// By name.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// The control group that theirs stand in.
    pub cgroup_parent: Option<String>,
    /// Memory and processors.
    pub resources: Resources,
}

/// A soft and a hard limit; -1 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// What a process starts with.
    pub soft: i64,
    /// What it may raise that to.
    pub hard: i64,
}

/// Limits of memory and processors, as `docker run` names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Bytes.
    pub memory: Option<i64>,
    /// Bytes, memory included; -1 without limit.
    pub memory_swap: Option<i64>,
    /// Relative weight.
    pub cpu_shares: Option<i64>,
    /// Microseconds.
    pub cpu_period: Option<i64>,
    /// Microseconds of each period.
    pub cpu_quota: Option<i64>,
    /// Which processors, `0-3,5`.
    pub cpuset_cpus: Option<String>,
    /// Which memory nodes.
    pub cpuset_mems: Option<String>,
}

const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

impl Ulimit {
    fn read(text: &str) -> Result<(String, Self), String> {
        let (name, values) = text.split_once('=').ok_or("expected name=soft[:hard]")?;
        if !ULIMITS.contains(&name) {
            return Err(format!("invalid ulimit type: {name}; known are {}", ULIMITS.join(" ")));
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| format!("{text:?} is no number"));
        let (soft, hard) = match values.split_once(':') {
            Some((soft, hard)) => (number(soft)?, number(hard)?),
            None => (number(values)?, number(values)?),
        };
        if hard != -1 && (soft == -1 || soft > hard) {
            return Err(format!(
                "soft limit must be less than or equal to hard limit: {soft} > {hard}"
            ));
        }
        Ok((name.to_string(), Self { soft, hard }))
    }
}

impl Resources {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads `name=value` entries; the last one of a name counts.
    fn read(entries: &[String]) -> Result<Self, Error> {
        let mut resources = Self::default();
        for entry in entries {
            resources.set(entry).map_err(|reason| {
                Error::usage_hint(
                    format!("resource {entry:?}: {reason}"),
                    "write --resource NAME=VALUE; names are memory, memory-swap, cpu-shares, \
                     cpu-period, cpu-quota, cpuset-cpus and cpuset-mems",
                )
            })?;
        }
        Ok(resources)
    }

    fn set(&mut self, entry: &str) -> Result<(), String> {
        let (name, value) = entry.split_once('=').ok_or("expected name=value")?;
        let value = value.trim();
        let number = || value.parse::<i64>().map_err(|_| format!("{value:?} is no number"));
        match name.trim() {
            "memory" => self.memory = Some(size::bytes(value)?).filter(|bytes| *bytes > 0),
            "memory-swap" => {
                self.memory_swap =
                    Some(size::bytes_or_unlimited(value)?).filter(|bytes| *bytes != 0);
            }
            // buildx sends positive numbers only: others mean no limit.
            "cpu-shares" => self.cpu_shares = Some(number()?).filter(|n| *n > 0),
            "cpu-period" => self.cpu_period = Some(number()?).filter(|n| *n > 0),
            "cpu-quota" => self.cpu_quota = Some(number()?).filter(|n| *n > 0),
            "cpuset-cpus" => self.cpuset_cpus = Some(value.to_string()).filter(|v| !v.is_empty()),
            "cpuset-mems" => self.cpuset_mems = Some(value.to_string()).filter(|v| !v.is_empty()),
            other => return Err(format!("unknown resource {other:?}")),
        }
        Ok(())
    }
}

/// Reads the flags; `resources` holds the old flags' entries first, as with buildx.
pub(super) fn read(
    shm_size: Option<&str>,
    ulimits: &[String],
    cgroup_parent: Option<String>,
    resources: &[String],
) -> Result<Limits, Error> {
    let shm_size = shm_size.filter(|text| !text.is_empty()).map(size::bytes).transpose();
    let shm_size = shm_size.map_err(|reason| {
        Error::usage_hint(format!("--shm-size: {reason}"), "write a size, for example 128m")
    })?;
    let ulimits = ulimits.iter().map(|text| Ulimit::read(text)).collect::<Result<_, _>>();
    let ulimits = ulimits.map_err(|reason| {
        Error::usage_hint(format!("--ulimit: {reason}"), "write --ulimit nofile=1024:2048")
    })?;
    Ok(Limits {
        shm_size: shm_size.filter(|bytes| *bytes > 0),
        ulimits,
        cgroup_parent: cgroup_parent.filter(|parent| !parent.is_empty()),
        resources: Resources::read(resources)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ulimits_are_read_as_docker_reads_them() {
        let read = |text: &str| {
            Ulimit::read(text).map(|(name, l)| format!("{name}={}:{}", l.soft, l.hard))
        };
        assert_eq!(read("nofile=1024").unwrap(), "nofile=1024:1024");
        assert_eq!(read("nofile=1024:2048").unwrap(), "nofile=1024:2048");
        assert_eq!(read("core=-1").unwrap(), "core=-1:-1");
        assert_eq!(read("memlock=5:-1").unwrap(), "memlock=5:-1");
        for bad in [
            "",
            "nofile",
            "as=1",
            "nofile=",
            "nofile=a",
            "nofile=2:1",
            "nofile=-1:5",
            "nofile=1:2:3",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn resources_have_the_names_and_units_of_docker_run() {
        let entries =
            ["memory=1g", "memory-swap=-1", "cpu-shares=512", "cpuset-cpus=0-3,5", "memory=2g"];
        let read = Resources::read(&entries.map(String::from)).unwrap();
        assert_eq!(read.memory, Some(2 << 30));
        assert_eq!((read.memory_swap, read.cpu_shares), (Some(-1), Some(512)));
        assert_eq!(read.cpuset_cpus.as_deref(), Some("0-3,5"));
        for bad in ["memory", "memory=x", "cpus=2", "cpu-quota=1.5"] {
            assert!(Resources::read(&[bad.to_string()]).is_err(), "{bad}");
        }
        assert!(Resources::read(&["cpu-quota=0".into(), "memory=0".into()]).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = (Ulimit::read(&text), Resources::read(&[text]));
        }
    }
}
