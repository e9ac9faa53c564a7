//! Package managers of systems: what is asked of them.

use super::calls;
use crate::policy::{Run, View};
use crate::shell::{Call, Word};

/// A package manager, those with the same command line taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manager {
    Apt,
    Apk,
    /// `dnf`, `microdnf`, `tdnf`
    Dnf,
    Yum,
    Zypper,
}

/// What it is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Install,
    /// Fetch the lists of packages.
    Update,
    /// Install newer versions.
    Upgrade,
    Remove,
    Clean,
    Other,
}

/// One call of a package manager.
#[derive(Clone, Copy, Debug)]
pub struct PackageCall<'a> {
    pub manager: Manager,
    pub action: Action,
    /// `install`, `add`, `upgrade` …
    pub verb: &'a Word,
    pub call: Call<'a>,
}

impl Manager {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "apt-get" | "apt" | "aptitude" => Self::Apt,
            "apk" => Self::Apk,
            "dnf" | "microdnf" | "tdnf" | "dnf5" => Self::Dnf,
            "yum" => Self::Yum,
            "zypper" => Self::Zypper,
            _ => return None,
        })
    }

    /// Options whose value is the next word.
    fn valued(self) -> &'static [&'static str] {
        match self {
            Self::Apt => &[
                "-t",
                "--target-release",
                "--default-release",
                "-o",
                "--option",
                "-c",
                "--config-file",
                "-a",
                "--host-architecture",
                "-P",
            ],
            Self::Apk => &[
                "-t",
                "--virtual",
                "-X",
                "--repository",
                "-p",
                "--root",
                "--repositories-file",
                "--keys-dir",
                "--cache-dir",
                "--arch",
                "--wait",
            ],
            Self::Dnf | Self::Yum => &[
                "-c",
                "--config",
                "-x",
                "--exclude",
                "--enablerepo",
                "--disablerepo",
                "--repo",
                "--repoid",
                "--installroot",
                "--releasever",
                "--setopt",
                "-d",
                "-e",
                "-R",
                "--downloaddir",
                "--forcearch",
            ],
            Self::Zypper => &["-r", "--repo", "-t", "--type", "-R", "--root", "--from", "-p"],
        }
    }

    fn action(self, verb: &str) -> Action {
        match (self, verb) {
            (Self::Apk, "add") => Action::Install,
            (Self::Apk, "del") => Action::Remove,
            (Self::Apk, "install" | "remove") => Action::Other,
            (_, "install") | (Self::Zypper, "in") | (Self::Yum | Self::Dnf, "localinstall") => {
                Action::Install
            }
            (Self::Yum | Self::Dnf, "update" | "upgrade" | "distro-sync") => Action::Upgrade,
            (Self::Zypper, "update" | "up" | "dist-upgrade" | "dup" | "patch") => Action::Upgrade,
            (Self::Zypper, "refresh" | "ref") | (Self::Yum | Self::Dnf, "makecache") => {
                Action::Update
            }
            (_, "update") => Action::Update,
            (_, "upgrade" | "dist-upgrade" | "full-upgrade" | "safe-upgrade") => Action::Upgrade,
            (_, "remove" | "purge" | "autoremove" | "erase" | "autopurge") => Action::Remove,
            (Self::Zypper, "rm") => Action::Remove,
            (_, "clean" | "autoclean" | "cache") => Action::Clean,
            _ => Action::Other,
        }
    }
}

impl<'a> PackageCall<'a> {
    /// What a call asks of a package manager; `None` for other programs.
    pub fn of(call: Call<'a>) -> Option<Self> {
        let manager = Manager::of(call.name)?;
        let verb = call.operands(manager.valued()).next()?;
        let action = manager.action(verb.literal()?);
        Some(Self { manager, action, verb, call })
    }

    /// The operands behind the verb.
    pub fn packages(&self) -> impl Iterator<Item = &'a Word> + use<'a> {
        self.call.operands(self.manager.valued()).skip(1)
    }

    /// Whether a setting such as `-o APT::Install-Recommends=0` or `--setopt=gpgcheck=0` is given.
    pub fn sets(&self, setting: &str) -> bool {
        self.call.args.iter().any(|word| word.text.contains(setting))
    }
}

/// The name in `name=1.2`, `name~1`, `name:arch`, `name/release`, `name@repository`, `name<2`.
pub fn package_name(word: &str) -> &str {
    word.split(['=', '~', '<', '>', ':', '/', '@']).next().unwrap_or(word)
}

/// Every call of a package manager.
pub fn package_calls<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v Run<'v>, usize, PackageCall<'v>)> {
    calls(view).filter_map(|(run, index, call)| Some((run, index, PackageCall::of(call)?)))
}

/// Every install whose packages stay in the image: behind which nothing of its script removes any.
/// Whoever removes something is believed to remove these.
pub fn lasting_installs<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v Run<'v>, PackageCall<'v>)> {
    let mut removed = LastCall::default();
    package_calls(view).filter_map(move |(run, index, call)| {
        let lasts = call.action == Action::Install
            && view.in_result(run.node.stage)
            && removed.of(run, &[Action::Remove]).is_none_or(|at| at < index);
        lasts.then_some((run, call))
    })
}

/// The last call of a package manager for one of these in a script, worked out once for each.
#[derive(Debug, Default)]
pub struct LastCall {
    known: Option<(*const (), Option<usize>)>,
}

impl LastCall {
    /// The place of the last such call among the script's commands.
    pub fn of(&mut self, run: &Run<'_>, actions: &[Action]) -> Option<usize> {
        let key = std::ptr::from_ref(run).cast();
        if let Some((_, last)) = self.known.filter(|(known, _)| *known == key) {
            return last;
        }
        let asks = |call: Call<'_>| {
            PackageCall::of(call).is_some_and(|call| actions.contains(&call.action))
        };
        let mut commands = run.script.commands.iter().enumerate().rev();
        let last = commands.find(|(_, command)| command.call().is_some_and(asks));
        let last = last.map(|(index, _)| index);
        self.known = Some((key, last));
        last
    }
}
