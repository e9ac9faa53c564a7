//! `inspect` on layers of packages: what each brings, changes and takes away.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use cofferdam_inspector::report::before::Before;
use cofferdam_inspector::report::inspection::Inspection;
use cofferdam_inventory::{attribute, states};

use crate::support::{self, Tree, in_namespace, skip_without_root};

/// A package of `node_modules`, and the directories above it.
fn npm(layer: &Path, name: &str, version: &str) -> PathBuf {
    let path = layer.join("app/node_modules").join(name).join("package.json");
    put(&path, format!(r#"{{"name":"{name}","version":"{version}"}}"#));
    path
}

fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // A new file, as on an overlay: the one below keeps what it holds.
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}

/// The next state: everything of the one below, by hard links.
fn above(tree: &Tree, below: &str, name: &str) -> PathBuf {
    let (below, path) = (tree.path(below), tree.path(name));
    assert!(Command::new("cp").arg("-al").args([&below, &path]).status().unwrap().success());
    path
}

/// Inspects states, each on the one before it: at once, and the lowest before the others.
fn inspect(tree: &Tree, names: &[&str]) -> Inspection {
    let whole = part(tree, names, 0..names.len(), None);
    let mut parts = part(tree, names, 0..1, None);
    parts.join(part(tree, names, 1..names.len(), Some(&parts.before)));
    parts.sum.spent = whole.sum.spent;
    assert_eq!(parts, whole);
    whole
}

/// Inspects some of them, with what is known of those below.
fn part(tree: &Tree, names: &[&str], which: Range<usize>, below: Option<&Before>) -> Inspection {
    let mut args = Vec::new();
    for number in which.clone() {
        args.extend(["--layer".into(), tree.path(names[number])]);
        if let Some(below) = number.checked_sub(1) {
            args.extend(["--over".into(), tree.path(names[below])]);
        }
    }
    let output = support::inspect(args, below);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    Inspection::parse(&output.stdout, which.len()).unwrap()
}

/// The packages of the last state, each with the layer that it came with.
fn found(inspection: &Inspection) -> Vec<String> {
    let states = states(&inspection.packages);
    let layers = attribute(&states);
    let packages = states.last().unwrap().packages.iter().zip(layers);
    packages.map(|(package, layer)| format!("{package} of {layer}")).collect()
}

#[test]
fn packages_belong_to_the_layer_that_brought_them_and_deleted_ones_are_absent() {
    let tree = Tree::new();
    let base = tree.path("0");
    for name in ["kept", "removed", "updated", "moved", "linked", "covered"] {
        npm(&base, name, "1.0.0");
    }
    put(&base.join("var/lib/dpkg/status"), "Package: libc6\nVersion: 2\n\n");
    let one = above(&tree, "0", "1");
    let modules = one.join("app/node_modules");
    fs::remove_dir_all(modules.join("removed")).unwrap();
    npm(&one, "updated", "2.0.0");
    npm(&one, "added", "1.0.0");
    fs::rename(modules.join("moved"), one.join("elsewhere")).unwrap();
    // What a link leads to does not stand under its own name.
    fs::rename(modules.join("linked"), one.join("linked")).unwrap();
    symlink("../../linked", modules.join("linked")).unwrap();
    fs::remove_file(modules.join("covered/package.json")).unwrap();
    fs::create_dir(modules.join("covered/package.json")).unwrap();
    let two = above(&tree, "1", "2");
    // A database that was written again brings nothing; one without packages has none.
    put(&two.join("var/lib/dpkg/status"), "Package: libc6\nVersion: 2\n\n");
    put(&two.join("app/node_modules/added/package.json"), "{}");
    let expected = ["libc6 2 of 0", "kept 1.0.0 of 0", "updated 2.0.0 of 1"];
    assert_eq!(found(&inspect(&tree, &["0", "1", "2"])), expected);
    assert_eq!(
        found(&inspect(&tree, &["0", "1"])),
        ["libc6 2 of 0", "added 1.0.0 of 1", "kept 1.0.0 of 0", "updated 2.0.0 of 1"]
    );
}

#[test]
fn a_package_is_found_under_each_of_its_names_and_empty_databases_too() {
    let tree = Tree::new();
    let layer = tree.path("0");
    let stored = npm(&layer, "stored", "1.0.0");
    let store = layer.join("store/node_modules/stored");
    fs::create_dir_all(&store).unwrap();
    fs::hard_link(&stored, store.join("package.json")).unwrap();
    put(&layer.join("var/lib/dpkg/status"), "");
    let inspection = inspect(&tree, &["0"]);
    let inventory = states(&inspection.packages).pop().unwrap();
    assert_eq!(inventory.packages[0].origins.len(), 2, "{inventory:?}");
    assert!(inventory.databases.contains("var/lib/dpkg/status"));
    assert_eq!(inspection.sum.layers[0].files, 1);
}

#[test]
fn on_an_overlay_whiteouts_and_opaque_directories_take_packages_away() {
    skip_without_root!();
    let tree = Tree::new();
    for name in ["kept", "removed", "replaced"] {
        npm(&tree.path("base"), name, "1.0.0");
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    let script = "cd \"$ROOT\" && mkdir up work m1 || exit 1
         mount -t overlay o -o lowerdir=base,upperdir=up,workdir=work m1 || exit 77
         cd m1/app/node_modules && rm -r removed replaced && mkdir replaced && cd ../../..
         umount m1; mount -t overlay o -o lowerdir=up:base m1 || exit 77
         exec \"$HELPER\" inspect --layer \"$ROOT/base\" --layer \"$ROOT/m1\" --over \"$ROOT/base\"";
    let Some(output) = in_namespace(&tree, script) else { return };
    if output.status.code() == Some(77) {
        eprintln!("skipped: overlay cannot be mounted here");
        return;
    }
    assert!(output.status.success(), "{output:?}");
    let inspection = Inspection::parse(&output.stdout, 2).unwrap();
    assert_eq!(found(&inspection), ["kept 1.0.0 of 0"]);
}

#[test]
fn what_is_hostile_is_told_and_nothing_waits() {
    skip_without_root!();
    let tree = Tree::new();
    let layer = tree.path("0");
    put(&layer.join("var/lib/rpm/rpmdb.sqlite"), "no database");
    let pipe = layer.join("var/lib/rpm/rpmdb.sqlite-wal");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::create_dir_all(layer.join("var/lib/dpkg")).unwrap();
    let sparse = fs::File::create(layer.join("var/lib/dpkg/status")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    put(&layer.join("lib/apk/db/installed"), "P:musl\nV:1");
    put(&layer.join("app/x\n.jar"), "no archive");
    let inspection = inspect(&tree, &["0"]);
    let inventory = states(&inspection.packages).pop().unwrap();
    let unread: Vec<&str> = inventory.unread.iter().map(|one| one.path.as_str()).collect();
    let expected =
        ["app/x\n.jar", "lib/apk/db/installed", "var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite"];
    assert_eq!(unread, expected);
}
