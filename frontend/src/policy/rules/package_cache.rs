//! What package managers keep for the next time, which an image never has.

use std::collections::BTreeMap;

use crate::dockerfile::{self, Keyword};
use crate::policy::commands::{
    Action, Manager, PackageCall, calls, calls_of, insert_after, package_calls,
};
use crate::policy::{About, Edit, Findings, Place, Rule, Run, Severity, View};
use crate::shell::{Call, Joint};

pub struct PackageCache;

static ABOUT: About = About {
    id: "package-cache",
    title: "caches of package managers in the image",
    severity: Severity::Low,
    also: &[
        "DL3009",
        "DL3019",
        "DL3032",
        "DL3036",
        "DL3040",
        "DL3042",
        "DS-0015",
        "DS-0019",
        "DS-0020",
        "DS-0025",
        "DKL-DI-0004",
        "DKL-DI-0005",
    ],
    places: &[Place::Text, Place::Image],
    strict_only: false,
    page: include_str!("../../../../docs/rules/package-cache.md"),
};

impl Rule for PackageCache {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let mut seen = BTreeMap::new();
        for (run, _, call) in package_calls(view) {
            if call.action != Action::Install || !view.in_result(run.node.stage) {
                continue;
            }
            if !keeps_any(&call) {
                continue;
            }
            let (what, clean, paths) = cache(call.manager);
            let stays =
                || keeps(run, &call) && !covered(run, paths) && !cleaned(run, call.manager, paths);
            // One finding for a manager and step; apk has its option for each call.
            let key = (run.node.index, call.manager);
            let first = !seen.contains_key(&key);
            if !*seen.entry(key).or_insert_with(stays) || !first && call.manager != Manager::Apk {
                continue;
            }
            let span = run.body.span(call.call.word.span.start..call.verb.span.end);
            let finding =
                found.report(&ABOUT, span, format!("the step leaves {what} in the image"));
            finding.help(match call.manager {
                Manager::Apk => "add --no-cache".to_owned(),
                _ => format!("end the step with `{clean}`"),
            });
            if call.manager == Manager::Apk {
                let edits = insert_after(run, call.verb, " --no-cache");
                if !edits.is_empty() {
                    finding.safe_fix("keep no cache", edits);
                }
            } else if let Some(at) = end(run) {
                finding.safe_fix("clean up", vec![Edit::insert(at, format!(" && {clean}"))]);
            }
        }
        pip(view, found);
    }
}

/// What a manager leaves, the command that removes it, and where it is.
fn cache(manager: Manager) -> (&'static str, &'static str, &'static [&'static str]) {
    match manager {
        Manager::Apt => {
            ("apt's lists", "rm -rf /var/lib/apt/lists/*", &["/var/lib/apt", "/var/lib", "/var"])
        }
        Manager::Apk => (
            "apk's cache",
            "rm -rf /var/cache/apk/*",
            &["/var/cache/apk", "/etc/apk/cache", "/var/cache"],
        ),
        Manager::Yum => {
            ("yum's cache", "yum clean all", &["/var/cache/yum", "/var/cache/dnf", "/var/cache"])
        }
        Manager::Dnf => (
            "dnf's cache",
            "dnf clean all",
            &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum", "/var/cache"],
        ),
        Manager::Zypper => {
            ("zypper's cache", "zypper clean --all", &["/var/cache/zypp", "/var/cache"])
        }
    }
}

/// Whether this call by itself leaves a cache.
fn keeps_any(call: &PackageCall<'_>) -> bool {
    match call.manager {
        Manager::Apk => {
            call.call.option(&["--no-cache", "--no-network"]).is_none()
                && !call.call.args.iter().any(|word| word.text.starts_with('$'))
        }
        // The fix calls it by its name; the others have few users.
        Manager::Dnf => matches!(call.call.name, "dnf" | "dnf5"),
        _ => true,
    }
}

/// Whether a script leaves a cache at all.
fn keeps(run: &Run<'_>, call: &PackageCall<'_>) -> bool {
    match call.manager {
        // The lists come from an update; without one there were none.
        Manager::Apt => calls_of(run)
            .filter_map(|(_, call)| PackageCall::of(call))
            .any(|it| it.manager == Manager::Apt && it.action == Action::Update),
        _ => true,
    }
}

/// Whether a cache or tmpfs mount stands where the cache is.
fn covered(run: &Run<'_>, paths: &[&str]) -> bool {
    let node = run.node.instruction;
    node.flags.iter().filter(|flag| flag.name == "mount").any(|flag| {
        let Ok(mount) = dockerfile::mount(&node.logical, flag) else { return true };
        let target = ["target", "dst", "destination"].iter().find_map(|key| mount.get(key));
        let target = target.map_or("", |target| target.text.trim_end_matches('/'));
        let kind = mount.get("type").map_or("bind", |kind| kind.text.as_str());
        matches!(kind, "cache" | "tmpfs")
            && (target.contains('$')
                || paths
                    .iter()
                    .any(|path| *path == target || target.starts_with(&format!("{path}/"))))
    })
}

/// Whether something in the script removes the cache.
fn cleaned(run: &Run<'_>, manager: Manager, paths: &[&str]) -> bool {
    calls_of(run).any(|(_, call)| {
        let system = PackageCall::of(call);
        let clean = system.is_some_and(|it| {
            let same = it.manager == manager
                || matches!(it.manager, Manager::Dnf | Manager::Yum)
                    && matches!(manager, Manager::Dnf | Manager::Yum);
            // apt-get clean keeps the lists.
            same && it.action == Action::Clean && manager != Manager::Apt
        });
        let removes = matches!(call.name, "rm" | "find" | "mv" | "rmdir")
            && call.args.iter().any(|word| {
                let text = word.text.as_str();
                paths.iter().any(|path| {
                    text.strip_prefix(path).is_some_and(|rest| {
                        path.matches('/').count() > 2 || matches!(rest, "" | "/" | "/*")
                    })
                }) || text.contains("/var/{")
                    || text.contains("/var/lib/{")
                    || text.contains("/var/cache/{")
            });
        // A script or function that cleans up.
        clean
            || removes
            || ["clean", "cleanup", "install_packages"].iter().any(|it| call.name.contains(it))
    })
}

/// Where a command can be appended to the whole script.
fn end(run: &Run<'_>) -> Option<usize> {
    let script = &run.script;
    let simple = !script.incomplete
        && run.node.instruction.heredocs.is_empty()
        && script.commands.iter().all(|it| it.redirects.iter().all(|to| to.body.is_empty()))
        && script.commands.iter().all(|it| {
            it.substituted || it.depth == 0 && matches!(it.joint, Joint::And | Joint::End)
        });
    let last = script.commands.last().filter(|last| last.depth == 0)?;
    let rest = run.body.bytes.get(last.span.end..)?;
    if !simple || !rest.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    run.body.parts(last.span.clone()).last().map(|part| part.end)
}

/// `pip install` without `--no-cache-dir`.
fn pip(view: &View<'_>, found: &mut Findings) {
    let mut configured = None;
    let mut covering: Option<(usize, bool)> = None;
    for (run, _, call) in calls(view) {
        let Some(verb) = pip_install(call).filter(|_| view.in_result(run.node.stage)) else {
            continue;
        };
        let none = call
            .args
            .iter()
            .any(|word| word.text.starts_with("--no-cache") || word.text.starts_with('$'));
        let cleaned = || {
            calls_of(run).any(|(_, call)| {
                let paths = call.args.iter().any(|word| word.text.contains("cache"));
                (call.name == "rm" || call.name == "find" || call.name.starts_with("pip")) && paths
            })
        };
        let mounted = || covered(run, &["/root/.cache", "/home", "/.cache", "/cache"]);
        if none {
            continue;
        }
        let index = run.node.index;
        let known = covering.filter(|(known, _)| *known == index).map(|(_, known)| known);
        let fine = known.unwrap_or_else(|| cleaned() || mounted());
        covering = Some((index, fine));
        if fine {
            continue;
        }
        let configured = *configured.get_or_insert_with(|| {
            let named = |keyword| {
                view.all(keyword).any(|node| {
                    node.instruction.pairs().iter().any(|it| it.name.text == "PIP_NO_CACHE_DIR")
                })
            };
            let source = String::from_utf8_lossy(view.file.source());
            named(Keyword::Env)
                || named(Keyword::Arg)
                || source.contains("no-cache-dir =")
                || source.contains("PIP_NO_CACHE_DIR")
        });
        if configured {
            continue;
        }
        let span = run.body.span(call.word.span.start..verb.span.end);
        let finding = found.report(&ABOUT, span, "the step leaves pip's cache in the image");
        finding.help("add --no-cache-dir");
        let edits = insert_after(run, verb, " --no-cache-dir");
        if !edits.is_empty() {
            finding.safe_fix("keep no cache", edits);
        }
    }
}

/// The word `install` of pip.
fn pip_install(call: Call<'_>) -> Option<&crate::shell::Word> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let name = call.name.trim_end_matches(digits);
    let mut args = call.args.iter();
    match name {
        "pip" => {}
        "python" => {
            args.find(|word| word.text == "-m")?;
            args.next().filter(|word| word.text == "pip")?;
        }
        _ => return None,
    }
    args.find(|word| !word.text.starts_with('-')).filter(|word| word.text == "install")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::commands::testing::{fires, fixed, silent};

    #[test]
    fn what_stays() {
        fires(
            &PackageCache,
            &[
                "apt-get update && apt-get install -y x",
                "apt-get update && apt-get install -y x && apt-get install -y y && apt-get clean",
                "apk add x",
                "apk update && apk add x",
                "yum install -y x",
                "dnf install -y x",
                "zypper -n in x",
                "pip install x==1",
                "python3 -m pip install x==1",
            ],
        );
    }

    #[test]
    fn what_does_not() {
        silent(
            &PackageCache,
            &[
                "apt-get update && apt-get install -y x && rm -rf /var/lib/apt/lists/*",
                "apt-get update && apt-get install -y x; rm -rf /var/lib/apt/lists/* /tmp/*",
                "apt-get update && apt-get install -y x && rm -r /var/lib/apt",
                "apt-get update && apt-get install -y x && find /var/lib/apt/lists -type f -delete",
                "apt-get update && apt-get install -y x && rm -rf /var/{cache,lib/apt}/*",
                "apt-get install -y x",
                "--mount=type=cache,target=/var/lib/apt,sharing=locked apt-get update && apt-get install -y x",
                "apk add --no-cache x",
                "x | xargs -rt apk add --no-network --virtual .run",
                "apk add x && rm -rf /var/cache/apk/*",
                "--mount=type=cache,target=/var/cache/apk apk add x",
                "yum install -y x && yum clean all",
                "yum install -y x && rm -rf /var/cache/yum",
                "dnf install -y x && dnf clean all",
                "pip install --no-cache-dir x",
                "pip3 install x && rm -rf ~/.cache/pip",
                "--mount=type=cache,target=/root/.cache/pip pip install x",
                "FROM a\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n",
                "FROM a AS b\nRUN apt-get update && apt-get install -y x\nFROM scratch\nCOPY --from=b /x /x\n",
            ],
        );
    }

    #[test]
    fn fixes() {
        let fixed = |text| fixed(&PackageCache, text);
        assert_eq!(
            fixed("apt-get update && \\\n  apt-get install -y x"),
            "apt-get update && \\\n  apt-get install -y x && rm -rf /var/lib/apt/lists/*"
        );
        assert_eq!(fixed("apk add -t x y"), "apk add --no-cache -t x y");
        assert_eq!(fixed("pip install x"), "pip install --no-cache-dir x");
        assert_eq!(fixed("apk add x && apk add y"), "apk add --no-cache x && apk add --no-cache y");
        let mixed = "apt-get update; apt-get install -y x || true";
        assert_eq!(fixed(mixed), mixed);
    }
}
