//! `inspect` on real trees: what is found, what is not searched twice, and what is not touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Tree, in_namespace, skip_without_root};
use cofferdam_inspector::report::inspection::{Inspection, Leak, Place};

const SECRET: &str = "tr0ub4dor&3-horse";

/// Layers, and beside them the file of one secret.
fn tree() -> Tree {
    let tree = Tree::new();
    fs::write(secret(&tree), format!("{SECRET}\n")).unwrap();
    tree
}

fn secret(tree: &Tree) -> PathBuf {
    tree.root().with_file_name("secret")
}

/// A file with some bytes, and the directories above it.
fn put(tree: &Tree, path: &str, bytes: impl AsRef<[u8]>) {
    let path = tree.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn run(args: &[&Path]) -> Output {
    let helper = env!("CARGO_BIN_EXE_cofferdam-inspector");
    Command::new(helper).arg("inspect").args(args).output().unwrap()
}

fn read(output: &Output, layers: usize) -> Inspection {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains(SECRET), "{output:?}");
    Inspection::parse(&output.stdout, layers).unwrap()
}

/// Inspects the tree as one layer.
fn inspect(tree: &Tree) -> Inspection {
    let args = ["--layer".as_ref(), &*tree.root(), "--needle".as_ref(), &secret(tree)];
    read(&run(&args), 1)
}

fn told(inspection: &Inspection) -> Vec<(usize, &str, Place, &str)> {
    let told = |leak: &Leak| (leak.layer, leak.path.clone(), leak.place, leak.transform.clone());
    let all: Vec<_> = inspection.leaks.iter().map(told).collect();
    assert_eq!(all.len() as u64, inspection.sum.leaks);
    inspection
        .leaks
        .iter()
        .map(|leak| (leak.layer, leak.path.as_str(), leak.place, leak.transform.as_str()))
        .collect()
}

#[test]
fn a_secret_is_found_wherever_an_image_can_hold_it() {
    let tree = tree();
    put(&tree, "app/plain.txt", format!("token = {SECRET}\n"));
    put(&tree, "usr/bin/program", [&[0x7f; 300_000][..], SECRET.as_bytes(), &[0; 9]].concat());
    put(&tree, "etc/reversed", SECRET.chars().rev().collect::<String>());
    put(&tree, "etc/base64", "dXNlcjp0cjB1YjRkb3ImMy1ob3JzZQ==");
    // A name that is a leak is not repeated in the answer.
    put(&tree, &format!("var/{SECRET}.d/inside"), SECRET);
    symlink(format!("/run/{SECRET}"), tree.path("link")).unwrap();
    put(&tree, "etc/tagged", "clean");
    let tagged = tree.path("etc/tagged");
    let flags = rustix::fs::XattrFlags::empty();
    let attributes = match rustix::fs::lsetxattr(&tagged, "user.note", SECRET.as_bytes(), flags) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("no attributes to look at: {error}");
            false
        }
    };
    put(&tree, "clean", "tr0ub4dor and 3 horses");

    let inspection = inspect(&tree);

    let mut expected = vec![
        (0, "/app/plain.txt", Place::Content, "raw"),
        (0, "/etc/base64", Place::Content, "base64"),
        (0, "/etc/reversed", Place::Content, "reversed"),
        (0, "/link", Place::Target, "raw"),
        (0, "/usr/bin/program", Place::Content, "raw"),
        (0, "/var/***.d", Place::Name, "raw"),
    ];
    expected.push((0, "/var/***.d/inside", Place::Content, "raw"));
    if attributes {
        expected.insert(3, (0, "/etc/tagged", Place::Attribute, "raw"));
    }
    assert_eq!(told(&inspection), expected);
    assert_eq!(inspection.sum.layers[0].files, 7);
}

#[test]
fn a_secret_in_an_archive_is_found_and_what_cannot_be_unpacked_is_told() {
    let tree = tree();
    put(&tree, "work/conf/token", SECRET);
    let script = "cd \"$0\" && tar -C work -czf conf.tar.gz conf && rm -r work \
                  && head -c 60 conf.tar.gz >cut.gz";
    assert!(Command::new("sh").args(["-c", script]).arg(tree.root()).status().unwrap().success());
    let inspection = inspect(&tree);
    let [leak] = inspection.leaks.as_slice() else { panic!("{:?}", inspection.leaks) };
    assert_eq!(leak.path, "/conf.tar.gz");
    assert!(leak.trail.iter().any(|member| member.contains("conf/token")), "{leak:?}");
    let [unread] = inspection.unread.as_slice() else { panic!("{:?}", inspection.unread) };
    assert_eq!((unread.path.as_str(), unread.reason.as_str()), ("/cut.gz", "truncated"));
}

#[test]
fn only_what_a_layer_changed_is_its_own() {
    let tree = tree();
    put(&tree, "lower/etc/old", SECRET);
    put(&tree, "lower/etc/replaced", "clean");
    put(&tree, "lower/gone", SECRET);
    let copied =
        Command::new("cp").arg("-al").args([tree.path("lower"), tree.path("upper")]).status();
    assert!(copied.unwrap().success());
    fs::remove_file(tree.path("upper/gone")).unwrap();
    fs::remove_file(tree.path("upper/etc/replaced")).unwrap();
    put(&tree, "upper/etc/replaced", SECRET);
    put(&tree, "upper/new/file", SECRET);

    let (lower, upper, needle) = (tree.path("lower"), tree.path("upper"), secret(&tree));
    let inspection = read(
        &run(&[
            "--layer".as_ref(),
            &*lower,
            "--layer".as_ref(),
            &*upper,
            "--over".as_ref(),
            &*lower,
            "--needle".as_ref(),
            &*needle,
        ]),
        2,
    );

    let paths: Vec<_> = told(&inspection).into_iter().map(|told| (told.0, told.1)).collect();
    assert_eq!(paths, [(0, "/etc/old"), (0, "/gone"), (1, "/etc/replaced"), (1, "/new/file")]);
    assert_eq!(inspection.sum.layers[1].files, 2);
}

#[test]
fn on_an_overlay_the_layers_own_directories_alone_are_entered() {
    skip_without_root!();
    let tree = tree();
    put(&tree, "base/usr/lib/a/b/c", "clean");
    put(&tree, "base/etc/passwd", "root");
    // Each layer is made after what is below it, as engines make them; a base's root may be the
    // oldest in it.
    let later = || std::thread::sleep(std::time::Duration::from_millis(20));
    later();
    put(&tree, "base/usr/share/doc/text", "clean");
    later();
    let script = format!(
        "cd \"$ROOT\" && mkdir up1 up2 w1 w2 m1 m2 || exit 1
         mount -t overlay o -o lowerdir=base,upperdir=up1,workdir=w1 m1 || exit 77
         printf '%s' '{SECRET}' >m1/usr/lib/a/leak; umount m1
         sleep 0.02
         mount -t overlay o -o lowerdir=up1:base,upperdir=up2,workdir=w2 m2 || exit 77
         rm m2/usr/lib/a/leak; echo clean >m2/etc/issue; echo user >>m2/etc/passwd; umount m2
         mount -t overlay o -o lowerdir=up1:base m1 && mount -t overlay o -o lowerdir=up2:up1:base m2
         # Whoever came here would say that something hides a part of the image.
         mount -t tmpfs none m1/usr/share/doc && mount -t tmpfs none m2/usr/share/doc || exit 1
         exec \"$HELPER\" inspect --layer \"$ROOT/base\" --layer \"$ROOT/m1\" --over \"$ROOT/base\" \
           --layer \"$ROOT/m2\" --over \"$ROOT/m1\" --needle '{}'",
        secret(&tree).display()
    );
    let Some(output) = in_namespace(&tree, &script) else { return };
    if output.status.code() == Some(77) {
        eprintln!("skipped: overlay cannot be mounted here");
        return;
    }
    let inspection = read(&output, 3);
    assert_eq!(told(&inspection), [(1, "/usr/lib/a/leak", Place::Content, "raw")]);
    let [_, one, two] = inspection.sum.layers[..] else { panic!("three layers") };
    // The file, and the four directories above it that were copied up for it.
    assert_eq!((one.files, one.names), (1, 5), "{one:?}");
    // Two files, and etc, usr, usr/lib, usr/lib/a and the root: a deletion makes them the layer's.
    assert_eq!((two.files, two.names), (2, 7), "{two:?}");
}

#[test]
fn nothing_hostile_is_followed_opened_or_waited_for() {
    skip_without_root!();
    let tree = tree();
    let outside = tree.root().with_file_name("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), SECRET).unwrap();
    symlink(&outside, tree.path("directory")).unwrap();
    symlink(outside.join("file"), tree.path("file")).unwrap();
    symlink("loop", tree.path("loop")).unwrap();
    let mut special = Command::new("sh");
    special.arg("-c").arg("cd \"$0\" && mkfifo pipe && mknod zero c 1 5 && mknod disk b 7 200");
    assert!(special.arg(tree.root()).status().unwrap().success());
    drop(std::os::unix::net::UnixListener::bind(tree.path("socket")).unwrap());
    let sparse = fs::File::create(tree.path("sparse")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    tree.deep("d", 3000);
    fs::write(tree.path("a\nb\u{1b}[31m"), "clean").unwrap();

    let inspection = inspect(&tree);

    assert_eq!(told(&inspection), []);
    // The sparse file and the one with the strange name.
    assert_eq!(inspection.sum.layers[0].files, 2);
    assert!(inspection.sum.layers[0].names > 3000);
}

#[test]
fn a_file_of_many_names_is_read_once() {
    let tree = tree();
    put(&tree, "one", SECRET);
    for name in ["two", "three", "four"] {
        fs::hard_link(tree.path("one"), tree.path(name)).unwrap();
    }
    let inspection = inspect(&tree);
    assert_eq!((inspection.leaks.len(), inspection.sum.layers[0].files), (1, 1));
    assert_eq!(inspection.sum.layers[0].names, 5);
}

#[test]
fn what_cannot_be_inspected_fails_and_says_why() {
    let tree = tree();
    let missing = tree.path("missing");
    for args in [
        ["--layer".as_ref(), &*missing, "--needle".as_ref(), &*secret(&tree)],
        ["--layer".as_ref(), &*tree.root(), "--needle".as_ref(), &*missing],
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("missing"), "{output:?}");
        assert!(Inspection::parse(&output.stdout, 1).is_err());
    }
}
