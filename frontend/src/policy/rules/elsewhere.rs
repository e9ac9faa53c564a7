//! Rules that look at nothing in the text: a build proves them where they happen.

use crate::policy::{About, Place, Rule, Severity};

/// A rule that only a build can check.
pub struct Elsewhere(&'static About);

impl Rule for Elsewhere {
    fn about(&self) -> &'static About {
        self.0
    }
}

const fn about(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    places: &'static [Place],
    page: &'static str,
) -> About {
    About { id, title, severity, also: &[], places, strict_only: false, page }
}

macro_rules! page {
    ($id:literal) => {
        include_str!(concat!("../../../../docs/rules/", $id, ".md"))
    };
}

pub static DEVICE_NODE: Elsewhere = Elsewhere(&about(
    "device-node",
    "a device among the files of the image",
    Severity::High,
    &[Place::Image],
    page!("device-node"),
));

pub static DUPLICATE_ID: Elsewhere = Elsewhere(&about(
    "duplicate-id",
    "two names for one account or group",
    Severity::High,
    &[Place::Image],
    page!("duplicate-id"),
));

pub static EXCEPTION_EXPIRED: Elsewhere = Elsewhere(&about(
    "exception-expired",
    "an exception whose end has passed",
    Severity::High,
    &[Place::Request],
    page!("exception-expired"),
));

pub static FILE_CAPABILITIES: Elsewhere = Elsewhere(&about(
    "file-capabilities",
    "files that give capabilities to whoever starts them",
    Severity::High,
    &[Place::Image],
    page!("file-capabilities"),
));

pub static GIT_DIRECTORY: Elsewhere = Elsewhere(&about(
    "git-directory",
    "the history of a repository in a layer",
    Severity::Medium,
    &[Place::Image],
    page!("git-directory"),
));

pub static NESTED_BUILD: Elsewhere = Elsewhere(&about(
    "nested-build",
    "a step that builds another graph",
    Severity::High,
    &[Place::Graph],
    page!("nested-build"),
));

pub static NOT_LOCKED: Elsewhere = Elsewhere(&about(
    "not-locked",
    "with --locked, an image that the lock lacks",
    Severity::High,
    &[Place::Graph, Place::Request],
    page!("not-locked"),
));

pub static ONBUILD_TRIGGER: Elsewhere = Elsewhere(&about(
    "onbuild-trigger",
    "a base whose ONBUILD instructions run in this build",
    Severity::High,
    &[Place::Image],
    page!("onbuild-trigger"),
));

pub static POLICY_DISABLED: Elsewhere = Elsewhere(&about(
    "policy-disabled",
    "switching policies off",
    Severity::High,
    &[Place::Request],
    page!("policy-disabled"),
));

pub static SECRET_IN_CONTEXT: Elsewhere = Elsewhere(&about(
    "secret-in-context",
    "a file that is a secret and was sent with the context",
    Severity::Critical,
    &[Place::Context],
    page!("secret-in-context"),
));

pub static SECRET_IN_IMAGE: Elsewhere = Elsewhere(&about(
    "secret-in-image",
    "a secret of the build in a layer or the configuration of the image",
    Severity::Critical,
    &[Place::Image],
    page!("secret-in-image"),
));

pub static SECRET_IN_LOG: Elsewhere = Elsewhere(&about(
    "secret-in-log",
    "a step that prints a secret",
    Severity::Critical,
    &[Place::Log],
    page!("secret-in-log"),
));

pub static SETGID_DIRECTORY: Elsewhere = Elsewhere(&about(
    "setgid-directory",
    "a directory that hands down its group",
    Severity::Info,
    &[Place::Image],
    page!("setgid-directory"),
));

pub static SETUID_LEFT: Elsewhere = Elsewhere(&about(
    "setuid-left",
    "files that run as their owner, whoever starts them",
    Severity::High,
    &[Place::Image],
    page!("setuid-left"),
));

pub static SHELL_HISTORY: Elsewhere = Elsewhere(&about(
    "shell-history",
    "a history of typed commands",
    Severity::Medium,
    &[Place::Image],
    page!("shell-history"),
));

pub static SOURCE_POLICY: Elsewhere = Elsewhere(&about(
    "source-policy",
    "a source that a source policy denies",
    Severity::High,
    &[Place::Graph, Place::Request],
    page!("source-policy"),
));

pub static SUDO_WITHOUT_PASSWORD: Elsewhere = Elsewhere(&about(
    "sudo-without-password",
    "sudo that asks for no password",
    Severity::High,
    &[Place::Image],
    page!("sudo-without-password"),
));

pub static UNKNOWN_SECRET: Elsewhere = Elsewhere(&about(
    "unknown-secret",
    "a key, token or password in a new layer, by its shape",
    Severity::Critical,
    &[Place::Image],
    page!("unknown-secret"),
));

pub static UNKNOWN_SOURCE: Elsewhere = Elsewhere(&about(
    "unknown-source",
    "a source that nobody offered",
    Severity::High,
    &[Place::Graph],
    page!("unknown-source"),
));

pub static UNKNOWN_USER: Elsewhere = Elsewhere(&about(
    "unknown-user",
    "a USER whom the image does not know",
    Severity::High,
    &[Place::Image],
    page!("unknown-user"),
));

pub static WRITABLE_ENTRYPOINT: Elsewhere = Elsewhere(&about(
    "writable-entrypoint",
    "a program that the user it runs as can replace",
    Severity::High,
    &[Place::Image],
    page!("writable-entrypoint"),
));
