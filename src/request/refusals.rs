//! What policy refuses before a build begins.

use std::collections::BTreeMap;
use std::path::Path;

use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::policy::secret_arg;

use super::allow::Allow;
use super::network::{self, Network};
use super::policy::Policy;
use crate::config::Exceptions;
use crate::error::Error;

/// Refuses what makes an image or the host less safe.
pub(super) fn check(
    build_args: &BTreeMap<String, String>,
    network: Network,
    allow: &Allow,
    policy: &Policy,
    rego: Option<&Path>,
    exceptions: &Exceptions,
) -> Result<(), Error> {
    let mut violations: Vec<Violation> = build_args
        .iter()
        .filter_map(|(name, value)| {
            let found = secret_arg::secret_build_arg(name, value)?;
            Some(Violation {
                rule: "secret-in-arg",
                message: format!("--build-arg {name}: {}", found.reason),
                lines: Vec::new(),
                span: None,
                fix: secret_arg::advice(name, &found),
            })
        })
        .collect();
    // The network of the host is a matter of the steps that use it: the graph shows them.
    let Allow { network_host: _, security_insecure, devices: _, local_delete: _ } = allow;
    if network == Network::Host {
        violations.push(network::host_refusal());
    }
    if *security_insecure {
        violations.push(Violation {
            rule: "insecure-exec",
            message: "--allow security.insecure lets RUN steps do to the host what root can".into(),
            lines: Vec::new(),
            span: None,
            fix: "leave --allow out, and RUN --security=insecure with it".into(),
        });
    }
    if policy.disabled {
        violations.push(Violation {
            rule: "policy-disabled",
            message: "--policy disabled=true switches policies off".into(),
            lines: Vec::new(),
            span: None,
            fix: "leave --policy out".into(),
        });
    }
    if let Some(path) = rego {
        violations.push(Violation {
            rule: "policy-disabled",
            message: format!("{} is a policy in Rego, which is not evaluated here", path.display()),
            lines: Vec::new(),
            span: None,
            fix: "have docker buildx build evaluate it, or take the file away".into(),
        });
    }
    violations.retain(|violation| exceptions.allows(violation.rule).is_none());
    if violations.is_empty() {
        return Ok(());
    }
    let refusal = Error::Refused { names: Vec::new(), violations, text: None };
    Err(refusal.offering(exceptions))
}
