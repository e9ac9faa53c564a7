//! Processes of the image run as root.

use super::final_user::{self, User};
use crate::dockerfile::{Keyword, Span};
use crate::pins::Reference;
use crate::policy::{About, Edit, Findings, Place, Rule, Severity, View};

pub struct NonrootUser;

static ABOUT: About = About {
    id: "nonroot-user",
    title: "the image runs as root",
    severity: Severity::High,
    also: &["DL3002", "DS-0002", "CKV_DOCKER_3", "CKV_DOCKER_8", "CIS-DI-0001"],
    places: &[Place::Text, Place::Image],
    strict_only: false,
    page: include_str!("../../../../docs/rules/nonroot-user.md"),
};

/// A user that no distribution has, and the one that distroless images call nonroot.
const NOBODY: &str = "65532:65532";

impl Rule for NonrootUser {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let Some(target) = view.target() else { return };
        if !final_user::is_runnable(view) || final_user::is_windows(view) {
            return;
        }
        let (span, message, severity) = match final_user::final_user(view) {
            User::Set(user) if final_user::is_root(&user.name) => {
                (user.word.span, "the last USER is root".to_owned(), Severity::High)
            }
            User::Set(_) | User::Unknown => return,
            User::Unset => {
                let Some(base) = base(view) else { return };
                let span = target.base.as_ref().map_or(Span::default(), |word| word.span);
                match base {
                    Base::Root => (span, "no USER: the image runs as root".into(), Severity::High),
                    Base::Other(name) => {
                        let message =
                            format!("no USER: the image runs as root unless {name} sets one");
                        (span, message, Severity::Medium)
                    }
                    Base::Nonroot => return,
                }
            }
        };
        let user = former_user(view).unwrap_or_else(|| NOBODY.to_owned());
        let finding = found.report(&ABOUT, span, message);
        finding.severity(severity).help(format!(
            "end with USER {user}, and give it the files that it writes with COPY --chown"
        ));
        if let Some(edit) = appended(view, target.index, &user) {
            finding.unsafe_fix(format!("end with USER {user}"), vec![edit]);
        }
    }
}

/// As whom a base's processes run.
enum Base {
    Root,
    Nonroot,
    /// Nothing is known about the image of this name.
    Other(String),
}

/// Docker's official images with a USER of their own.
const OWN_USER: [&str; 25] = [
    "api-firewall",
    "docker",
    "eggdrop",
    "elasticsearch",
    "geonetwork",
    "groovy",
    "haproxy",
    "hitch",
    "influxdb",
    "irssi",
    "jetty",
    "kibana",
    "liberty",
    "logstash",
    "mariadb",
    "memcached",
    "odoo",
    "open-liberty",
    "percona",
    "plone",
    "rocket.chat",
    "solr",
    "sonarqube",
    "spark",
    "varnish",
];

/// Docker's official images that run as root. Others of `docker.io/library` are nobody's or somebody's
/// own, built on the machine.
const ROOT: [&str; 82] = [
    "adoptopenjdk",
    "almalinux",
    "alpine",
    "amazoncorretto",
    "amazonlinux",
    "archlinux",
    "bash",
    "buildpack-deps",
    "busybox",
    "caddy",
    "cassandra",
    "centos",
    "chronograf",
    "clojure",
    "composer",
    "couchdb",
    "crate",
    "dart",
    "debian",
    "drupal",
    "eclipse-temurin",
    "elixir",
    "erlang",
    "fedora",
    "flink",
    "friendica",
    "gcc",
    "ghost",
    "golang",
    "gradle",
    "haskell",
    "haxe",
    "httpd",
    "ibm-semeru-runtimes",
    "ibmjava",
    "joomla",
    "jruby",
    "julia",
    "kapacitor",
    "mageia",
    "matomo",
    "maven",
    "mediawiki",
    "mongo",
    "monica",
    "mono",
    "mysql",
    "neo4j",
    "nextcloud",
    "nginx",
    "node",
    "openjdk",
    "oraclelinux",
    "perl",
    "photon",
    "php",
    "phpmyadmin",
    "postfixadmin",
    "postgres",
    "pypy",
    "python",
    "r-base",
    "rabbitmq",
    "racket",
    "redis",
    "redmine",
    "registry",
    "rockylinux",
    "ros",
    "ruby",
    "rust",
    "sapmachine",
    "swift",
    "swipl",
    "telegraf",
    "tomcat",
    "tomee",
    "traefik",
    "ubuntu",
    "unit",
    "xwiki",
    "yourls",
];

/// Parts of names that say that an image has a user.
const SAYS_NONROOT: [&str; 13] = [
    "nonroot",
    "non-root",
    "rootless",
    "unprivileged",
    "cgr.dev/",
    "dhi.io/",
    "bitnami/",
    "chiseled",
    "/s2i",
    "jenkins",
    "websphere",
    "notary",
    "wordpress:cli",
];

/// `None` when the base cannot be told.
fn base(view: &View<'_>) -> Option<Base> {
    let stage = final_user::first_stage(view)?;
    if stage.base.as_ref().is_some_and(|word| word.text == "scratch") {
        return Some(Base::Root);
    }
    let input = view.base(stage.index)?;
    let reference = input.parsed().ok()?;
    let full = Reference { digest: None, ..reference };
    let name = full.to_string();
    if SAYS_NONROOT.iter().any(|part| name.contains(part)) {
        return Some(Base::Nonroot);
    }
    let official = full.path.strip_prefix("library/").filter(|_| full.domain == "docker.io");
    Some(match official {
        Some(image) if OWN_USER.contains(&image) => Base::Nonroot,
        Some(image) if ROOT.contains(&image) => Base::Root,
        _ => Base::Other(full.familiar()),
    })
}

/// The last user before root came back.
fn former_user(view: &View<'_>) -> Option<String> {
    final_user::users(view).into_iter().rev().find_map(|node| {
        let crate::dockerfile::Args::Text(word) = &node.instruction.args else { return None };
        let user = view.expand(node, word)?;
        let name = user.split(':').next().unwrap_or_default();
        (!name.is_empty() && !final_user::is_root(name)).then(|| word.text.clone())
    })
}

/// A USER behind everything in the stage that writes files.
fn appended(view: &View<'_>, stage: usize, user: &str) -> Option<Edit> {
    let stage = view.stages.get(stage)?;
    let source = view.file.source();
    let end_of_line = if source.windows(2).any(|two| two == b"\r\n") { "\r\n" } else { "\n" };
    let instructions = view.file.instructions.get(stage.from..stage.body.end)?;
    let ends = |keyword| {
        use Keyword::{Cmd, Entrypoint, Expose, Healthcheck, Label, Stopsignal};
        matches!(keyword, Cmd | Entrypoint | Expose | Healthcheck | Label | Stopsignal)
    };
    let tail = instructions.iter().rev().take_while(|node| ends(node.keyword));
    if let Some(first) = tail.last() {
        return Some(Edit::insert(first.span.start, format!("USER {user}{end_of_line}")));
    }
    let item = view.file.item_at(instructions.last()?.span.start)?;
    let whole = item.span.of(source);
    let open =
        whole.trim_ascii_end().last().is_some_and(|byte| char::from(*byte) == view.file.escape());
    let before = if whole.ends_with(b"\n") { "" } else { end_of_line };
    (!open).then(|| Edit::insert(item.span.end, format!("{before}USER {user}{end_of_line}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing::{findings, fixed, places, silent, speaks};

    #[test]
    fn root_by_default_and_by_name() {
        assert_eq!(places(&NonrootUser, "FROM debian:12\nCMD [\"x\"]\n"), ["debian:12"]);
        assert_eq!(places(&NonrootUser, "FROM debian:12\nUSER app\nUSER root\n"), ["root"]);
        speaks(
            &NonrootUser,
            &[
                "FROM scratch\nCOPY a /a\nENTRYPOINT [\"/a\"]\n",
                "FROM debian:12\nUSER 0:0\n",
                "FROM debian:12\nUSER root:staff\n",
                "FROM debian:12 AS a\nUSER app\nFROM debian:12\nCOPY --from=a /a /a\n",
                "FROM debian:12 AS a\nFROM a\n",
                "ARG U=root\nFROM debian:12\nARG U\nUSER $U\n",
                "FROM debian:12\nONBUILD USER app\n",
            ],
        );
        let found = findings(&NonrootUser, "FROM example.com/base:1\n");
        assert_eq!(found[0].severity, Severity::Medium);
        assert_eq!(findings(&NonrootUser, "FROM my-base\n")[0].severity, Severity::Medium);
    }

    #[test]
    fn other_users_and_what_cannot_be_told() {
        silent(
            &NonrootUser,
            &[
                "FROM debian:12\nUSER 1000\n",
                "FROM debian:12\nUSER root\nRUN a\nUSER app\n",
                "FROM debian:12 AS a\nUSER app\nFROM a\nRUN x\n",
                "FROM debian:12\nARG U\nUSER $U\n",
                "FROM debian:12\nUSER ${APP_UID}\n",
                "ARG BASE\nFROM $BASE\n",
                "FROM gcr.io/distroless/static-debian12:nonroot\n",
                "FROM cgr.dev/chainguard/node:latest\n",
                "FROM elasticsearch:8.1\n",
                "FROM nginxinc/nginx-unprivileged:1\n",
                "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\nCMD x\n",
                "# escape=`\nFROM base\n",
                "FROM golang:1.25-nanoserver\n",
                "FROM scratch AS export\nCOPY --from=debian:12 /a /a\n",
                "",
            ],
        );
    }

    #[test]
    fn the_fix_comes_behind_what_writes() {
        assert_eq!(
            fixed(&NonrootUser, "FROM debian:12\nRUN a\nEXPOSE 80\nCMD [\"x\"]\n"),
            "FROM debian:12\nRUN a\nUSER 65532:65532\nEXPOSE 80\nCMD [\"x\"]\n"
        );
        assert_eq!(
            fixed(&NonrootUser, "FROM debian:12\nUSER app\nUSER root\nRUN a"),
            "FROM debian:12\nUSER app\nUSER root\nRUN a\nUSER app\n"
        );
        assert_eq!(
            fixed(&NonrootUser, "FROM debian:12\nCMD x\nRUN <<E\na\nE\n"),
            "FROM debian:12\nCMD x\nRUN <<E\na\nE\nUSER 65532:65532\n"
        );
    }
}
