//! Layers by the rules of a file system that is really kept, file by file.

use std::collections::BTreeMap;

use cofferdam_inventory::{Kind, Layer, View, attribute, read};
use proptest::prelude::*;

/// What a layer may do; paths are made of few names, so that they meet.
#[derive(Debug, Clone)]
enum Change {
    Manifest(Vec<u8>, u8),
    Other(Vec<u8>),
    Remove(Vec<u8>),
    Opaque(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let path = || proptest::collection::vec(0..3u8, 1..4);
    prop_oneof![
        4 => (path(), 0..3u8).prop_map(|(path, version)| Change::Manifest(path, version)),
        1 => path().prop_map(Change::Other),
        2 => path().prop_map(Change::Remove),
        1 => path().prop_map(Change::Opaque),
    ]
}

fn directory(path: &[u8]) -> String {
    path.iter().map(|part| format!("d{part}/")).collect()
}

/// Where a change happens; removals and other files meet directories and manifests alike.
fn place(path: &[u8]) -> String {
    match path.split_last() {
        Some((2, parents)) => format!("{}node_modules/a/package.json", directory(parents)),
        _ => directory(path).trim_end_matches('/').to_string(),
    }
}

fn manifest(path: &[u8]) -> String {
    format!("{}node_modules/a/package.json", directory(path))
}

fn is_at_or_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One layer on the files below: removals first, then what it brings.
fn apply(files: &mut BTreeMap<String, u8>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Remove(path) => files.retain(|file, _| !is_at_or_below(file, &place(path))),
            Change::Opaque(path) => {
                let top = directory(path);
                files.retain(|file, _| !file.starts_with(&top));
            }
            Change::Manifest(..) | Change::Other(..) => {}
        }
    }
    for change in changes {
        if let Change::Other(path) = change {
            files.retain(|file, _| !is_at_or_below(file, &place(path)));
        }
    }
    for change in changes {
        if let Change::Manifest(path, version) = change {
            files.insert(manifest(path), *version);
        }
    }
}

/// A layer cannot have a file and something below it.
fn is_possible(changes: &[Change]) -> bool {
    let others = changes.iter().filter_map(|change| match change {
        Change::Other(path) => Some(place(path)),
        _ => None,
    });
    let others: Vec<_> = others.collect();
    changes.iter().all(|change| match change {
        Change::Manifest(path, _) => {
            others.iter().all(|other| !is_at_or_below(&manifest(path), other))
        }
        _ => true,
    })
}

proptest! {
    #[test]
    fn a_view_shows_what_a_file_system_would(
        layers in proptest::collection::vec(proptest::collection::vec(change(), 0..6), 1..5)
    ) {
        let (mut view, mut files) = (View::default(), BTreeMap::new());
        let (mut states, mut versions) = (Vec::new(), Vec::new());
        for changes in layers.iter().filter(|changes| is_possible(changes)) {
            let mut layer = Layer::default();
            let mut last = BTreeMap::new();
            for change in changes {
                match change {
                    Change::Manifest(path, version) => _ = last.insert(manifest(path), *version),
                    Change::Other(path) => layer.cover(place(path).as_bytes()),
                    Change::Remove(path) => layer.remove(place(path).as_bytes()),
                    Change::Opaque(path) => layer.opaque(directory(path).as_bytes()),
                }
            }
            for (path, version) in &last {
                let text = format!(r#"{{"name": "a", "version": "{version}.0"}}"#);
                layer.read(path.as_bytes(), read(Kind::Npm, path.as_bytes(), &mut text.as_bytes()));
            }
            view.apply(&layer);
            apply(&mut files, changes);
            let inventory = view.inventory();
            let mut expected = BTreeMap::<_, Vec<_>>::new();
            for (file, version) in &files {
                expected.entry(format!("{version}.0")).or_default().push(file.clone());
            }
            let found: BTreeMap<_, _> = inventory
                .packages
                .iter()
                .map(|p| (p.version.clone(), p.origins.iter().cloned().collect()))
                .collect();
            prop_assert_eq!(found, expected.clone());
            states.push(inventory);
            versions.push(expected);
        }
        // The layer after the last one without the package.
        if let Some(last) = states.last() {
            for (package, first) in last.packages.iter().zip(attribute(&states)) {
                let without = versions.iter().rposition(|v| !v.contains_key(&package.version));
                prop_assert_eq!(first, without.map_or(0, |at| at + 1));
            }
        }
    }
}
