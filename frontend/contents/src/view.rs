//! The file system that some layers make, and which of them brought what.

use std::collections::BTreeMap;

use crate::accounts::{Account, AccountFile, Group, Shadow};
use crate::caches::Cache;
use crate::contents::{Contents, Secrets};
use crate::entry::{FileKind, Item};
use crate::hidden::Hidden;
use crate::kept::{Kept, Place};
use crate::lists::Lists;
use crate::text::{name, parent};

/// Links that are followed on the way to one file, as kernels do.
const LINKS: usize = 40;

/// One list over all layers.
#[derive(Debug, Clone)]
pub(crate) struct Tracked<T> {
    /// What is there now, and the layer that brought it as it is.
    pub(crate) now: BTreeMap<Place, (usize, T)>,
    /// What was ever there, by layer; what a layer has from below as it is counts once.
    pub(crate) ever: Vec<(usize, Place, T)>,
    /// How many of each layer were not kept.
    dropped: Vec<u64>,
}

impl<T> Default for Tracked<T> {
    fn default() -> Self {
        Self { now: BTreeMap::new(), ever: Vec::new(), dropped: Vec::new() }
    }
}

impl<T: Clone + PartialEq> Tracked<T> {
    fn apply(&mut self, layer: usize, list: &Kept<T>, hidden: &Hidden) {
        self.dropped.push(list.dropped());
        self.now.retain(|place, (_, item)| match list.get(place) {
            // Every layer names the directories that its files are in.
            Some(new) => new == item,
            None => !hidden.hides(place.path()),
        });
        for (place, item) in list.iter() {
            if !self.now.contains_key(place) {
                self.ever.push((layer, place.clone(), item.clone()));
                self.now.insert(place.clone(), (layer, item.clone()));
            }
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&(usize, T)> {
        self.now.get(&Place::of(path))
    }

    /// How many more a layer has than can be named.
    pub(crate) fn dropped(&self, layer: usize) -> u64 {
        self.dropped.get(layer).copied().unwrap_or(0)
    }
}

/// The file system that some layers make.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    pub(crate) lists: Lists<Tracked<Item>, Tracked<Secrets>>,
    /// Caches that are still there, by layer and directory.
    pub(crate) caches: Vec<(usize, String, Cache)>,
    /// Each version of a file that says who there is, by layer, since it was last removed.
    accounts: BTreeMap<String, Vec<(usize, AccountFile)>>,
}

impl View {
    pub(crate) fn of(layers: &[Contents]) -> Self {
        let mut view = Self::default();
        layers.iter().enumerate().for_each(|(number, layer)| view.apply(number, layer));
        view
    }

    fn apply(&mut self, number: usize, layer: &Contents) {
        let Contents { sums: _, lists, caches, accounts, hidden } = layer;
        for (all, new) in self.lists.items_mut().into_iter().zip(lists.items()) {
            all.apply(number, new, hidden);
        }
        self.lists.secrets.apply(number, &lists.secrets, hidden);
        self.caches.retain_mut(|(_, _, cache)| cache.outlives(hidden));
        let new = caches.iter().map(|(path, cache)| (number, path.to_string(), cache.clone()));
        self.caches.extend(new);
        self.accounts.retain(|path, _| accounts.contains_key(path) || !hidden.hides(path));
        for (path, file) in accounts {
            self.accounts.entry(path.clone()).or_default().push((number, file.clone()));
        }
    }

    fn versions(&self, path: &str) -> &[(usize, AccountFile)] {
        self.accounts.get(path).map_or(&[], Vec::as_slice)
    }

    /// A file as it is now.
    fn file(&self, path: &str) -> Option<&AccountFile> {
        self.versions(path).last().map(|(_, file)| file)
    }

    /// The accounts; `None` when it is not known who there is.
    pub(crate) fn accounts(&self) -> Option<&[Account]> {
        match self.file("etc/passwd") {
            Some(AccountFile::Passwd(accounts)) => Some(accounts),
            None => Some(&[]),
            Some(_) => None,
        }
    }

    /// The groups, likewise.
    pub(crate) fn groups(&self) -> Option<&[Group]> {
        match self.file("etc/group") {
            Some(AccountFile::Group(groups)) => Some(groups),
            None => Some(&[]),
            Some(_) => None,
        }
    }

    /// The passwords; none when there is no such file.
    pub(crate) fn shadow(&self) -> &[Shadow] {
        match self.file("etc/shadow") {
            Some(AccountFile::Shadow(lines)) => lines,
            _ => &[],
        }
    }

    /// Whom `sudo` asks for no password: the layer, the file, the names.
    pub(crate) fn sudoers(&self) -> impl Iterator<Item = (usize, &str, &[String])> {
        self.accounts.iter().filter_map(|(path, versions)| match versions.last() {
            Some((layer, AccountFile::Sudoers(who))) => {
                Some((*layer, path.as_str(), who.as_slice()))
            }
            _ => None,
        })
    }

    /// The layer since which something is true of a file, without a break; it is now.
    pub(crate) fn since(&self, path: &str, is: impl Fn(&AccountFile) -> bool) -> Option<usize> {
        let versions = self.versions(path).iter().rev();
        versions.take_while(|(_, file)| is(file)).map(|(layer, _)| *layer).last()
    }

    /// Where a path leads to, links followed as far as they are known; without the slash before it.
    pub(crate) fn resolve(&self, path: &str) -> Option<String> {
        let mut waiting: Vec<String> = path.split('/').rev().map(ToString::to_string).collect();
        let mut there = String::new();
        let mut links = 0;
        while let Some(part) = waiting.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    there = parent(&there).to_string();
                    continue;
                }
                _ => {}
            }
            let next = if there.is_empty() { part } else { format!("{there}/{part}") };
            match self.lists.programs.get(&next) {
                Some((_, Item { kind: FileKind::Symlink, target: Some(target), .. })) => {
                    links += 1;
                    if links > LINKS || waiting.len() > LINKS * LINKS {
                        return None;
                    }
                    if target.starts_with('/') {
                        there.clear();
                    }
                    waiting.extend(target.split('/').rev().map(ToString::to_string));
                }
                _ => there = next,
            }
        }
        Some(there)
    }

    /// The program that a command starts, as far as it is known.
    pub(crate) fn program(&self, config: &crate::Config) -> Option<String> {
        let command = config.command().next()?;
        if command.starts_with('/') {
            return self.resolve(command);
        }
        if command.contains('/') {
            return self.resolve(&format!("{}/{command}", config.workdir));
        }
        for directory in config.directories() {
            let directory = self.resolve(directory)?;
            let path = format!("{directory}/{command}");
            let known = self.lists.programs.get(&path).or_else(|| self.lists.owned.get(&path));
            if known.is_some_and(|(_, item)| !item.is_directory()) {
                return self.resolve(&path);
            }
            // Who else has programs there is not known.
            if !matches!(name(&directory), "bin" | "sbin") {
                return None;
            }
        }
        None
    }
}
