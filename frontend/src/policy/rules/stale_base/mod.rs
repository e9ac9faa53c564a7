//! Bases that get no security updates any more.

mod table;

use self::table::{LINES, Line};
use crate::day::Day;
use crate::dockerfile::{ImageInput, ImageInputKind, Span};
use crate::policy::{About, Edit, Findings, Place, Rule, Severity, View};

pub struct StaleBase;

static ABOUT: About = About {
    id: "stale-base",
    title: "a base after the end of its life",
    severity: Severity::Medium,
    also: &[],
    places: &[Place::Text],
    strict_only: false,
    page: include_str!("../../../../../docs/rules/stale-base.md"),
};

impl Rule for StaleBase {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn text(&self, view: &View<'_>, found: &mut Findings) {
        let Some(today) = view.settings.today else { return };
        let bases = view.images().inputs.iter().filter(|input| input.kind == ImageInputKind::From);
        for input in bases {
            let Ok(reference) = input.parsed() else { continue };
            let image = reference.path.strip_prefix("library/");
            let (Some(image), Some(tag)) = (image, reference.tag.as_deref()) else { continue };
            if reference.domain != "docker.io" {
                continue;
            }
            let Some((line, version, end)) = ended(image, tag, today) else { continue };
            let message = format!("{} {version} has had no updates since {end}", line.image);
            let finding = found.report(&ABOUT, input.span, message);
            finding.help(if other(line) {
                format!("its successor today: {}", line.successor)
            } else {
                format!("its successor today: {}:{}", line.image, line.successor)
            });
            if let Some(edit) = successor(line, image, tag, input, view) {
                finding.unsafe_fix(format!("use {}:{}", line.image, line.successor), vec![edit]);
            }
        }
    }
}

/// What in a tag has ended: the program's own version, or the distribution it stands on.
fn ended<'t>(image: &str, tag: &'t str, today: Day) -> Option<(&'static Line, &'t str, Day)> {
    let line = |name: &str| LINES.iter().find(|line| line.image == name);
    let own = line(image).and_then(|line| Some((line, tag.split('-').next()?)));
    let under = tag.split('-').filter_map(|part| {
        if let Some(version) = part.strip_prefix("alpine") {
            return Some((line("alpine")?, version));
        }
        let word = part.bytes().all(|byte| byte.is_ascii_lowercase());
        let named = |image| {
            let line = line(image)?;
            line.versions.iter().any(|(name, _)| *name == part).then_some((line, part))
        };
        if word { named("debian").or_else(|| named("ubuntu")) } else { None }
    });
    own.into_iter().chain(under).find_map(|(line, version)| {
        let end = end(line, version)?;
        (end < today).then_some((line, version, end))
    })
}

/// Whether the successor is an image of another name.
fn other(line: &Line) -> bool {
    line.successor.contains(':')
}

/// The last day of a version: of its longest part that has a row.
fn end(line: &Line, version: &str) -> Option<Day> {
    let fits = |name: &str| {
        let rest = version.strip_prefix(name);
        // `php:5` was the last 5, not every 5: those have rows of their own.
        let below =
            |other: &str| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let whole = line.versions.iter().any(|(other, _)| below(other));
        rest.is_some_and(|rest| rest.is_empty() || !whole && rest.starts_with('.'))
    };
    let rows = line.versions.iter().filter(|(name, _)| fits(name));
    rows.max_by_key(|(name, _)| name.len()).map(|(_, end)| *end)
}

/// The tag's version replaced, where the rest of the tag surely exists with the successor too.
fn successor(
    line: &Line,
    image: &str,
    tag: &str,
    input: &ImageInput,
    view: &View<'_>,
) -> Option<Edit> {
    let (version, rest) = tag.split_once('-').map_or((tag, ""), |(version, rest)| (version, rest));
    let plain = matches!(rest, "" | "slim" | "alpine" | "fpm" | "fpm-alpine" | "apache" | "cli");
    // One piece, with the tag at its end as it is written.
    let [span] = input.parts.as_slice() else { return None };
    let written = view.text(*span);
    let fits = image == line.image && !other(line);
    if !plain || !fits || !written.ends_with(&format!(":{tag}")) {
        return None;
    }
    let start = span.end - tag.len();
    Some(Edit::replace(Span::new(start, start + version.len()), line.successor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Settings;
    use crate::policy::testing::{TODAY, findings, findings_with, fixed, silent, speaks};

    #[test]
    fn the_table_is_sorted() {
        assert!(LINES.is_sorted_by(|a, b| a.image < b.image));
        for line in &LINES {
            assert!(line.versions.is_sorted_by(|a, b| a.0 < b.0), "{}", line.image);
            let gone = end(line, line.successor).is_some_and(|end| end < TODAY);
            assert!(!gone, "{}", line.image);
        }
    }

    #[test]
    fn versions_that_ended() {
        speaks(
            &StaleBase,
            &[
                "FROM debian:buster-slim\n",
                "FROM debian:10.13\n",
                "FROM debian:stretch-20220622-slim\n",
                "FROM node:14-alpine\n",
                "FROM node:14.21.3-bullseye\n",
                "FROM python:2\n",
                "FROM python:2.7.18-slim\n",
                "FROM python:3.7-slim-bookworm\n",
                "FROM golang:1.22.1\n",
                "FROM alpine:3.9\n",
                "FROM centos:7.9.2009\n",
                "FROM ubuntu:bionic-20230530\n",
                "FROM nginx:1.25-alpine3.17\n",
                "FROM redis:7-buster\n",
                "FROM openjdk:8-jdk-alpine\n",
                "FROM openjdk:17.0.2\n",
                "ARG V=3.8\nFROM python:$V\n",
            ],
        );
        let found = findings(&StaleBase, "FROM debian:buster-slim\n");
        assert_eq!(found[0].message, "debian buster has had no updates since 2024-06-30");
    }

    #[test]
    fn versions_that_live_and_names_of_others() {
        silent(
            &StaleBase,
            &[
                "FROM debian:bookworm-slim\n",
                "FROM debian:13\n",
                "FROM debian:1\n",
                "FROM alpine:3\n",
                "FROM alpine:3.22\n",
                "FROM alpine:edge\n",
                "FROM node:lts-alpine\n",
                "FROM node:24\n",
                "FROM node:100\n",
                "FROM python:3\n",
                "FROM python:3.11-alpine\n",
                "FROM golang:1\n",
                "FROM golang:1.110\n",
                "FROM php:8-fpm-alpine\n",
                "FROM php:5.2\n",
                "FROM ubuntu:22.04\n",
                "FROM centos\n",
                "FROM example.com/debian:buster\n",
                "FROM bitnami/node:14\n",
                "FROM myteam/focal:1\n",
                "FROM redis:7\n",
                "FROM openjdk:22-ea-jdk\n",
                "FROM scratch\n",
                "FROM debian:12 AS buster\nFROM buster\n",
            ],
        );
    }

    #[test]
    fn without_a_day_nothing_is_old() {
        let settings = Settings::default();
        assert_eq!(findings_with(&StaleBase, "FROM debian:buster\n", &settings), []);
    }

    #[test]
    fn fixes_only_plain_tags() {
        assert_eq!(fixed(&StaleBase, "FROM node:14-alpine\n"), "FROM node:24-alpine\n");
        assert_eq!(fixed(&StaleBase, "FROM debian:buster-slim\n"), "FROM debian:trixie-slim\n");
        assert_eq!(fixed(&StaleBase, "FROM node:14-buster\n"), "FROM node:14-buster\n");
        assert_eq!(fixed(&StaleBase, "ARG V=14\nFROM node:$V\n"), "ARG V=14\nFROM node:$V\n");
        assert_eq!(fixed(&StaleBase, "FROM centos:7\n"), "FROM centos:7\n");
    }
}
