//! The machine's own package manager says the same.

use std::process::Command;

use cofferdam_inventory::{Kind, read};

/// On machines with dpkg: `dpkg-query -W` lists what we list, byte for byte.
#[test]
fn dpkg_lists_the_same_packages() {
    let status = "/var/lib/dpkg/status";
    let (Ok(text), Ok(listed)) = (
        std::fs::read(status),
        Command::new("dpkg-query")
            .args(["-W", "-f=${db:Status-Status} ${Package} ${Version} (${Architecture}) ${source:Package} ${source:Version}\n"])
            .output(),
    ) else {
        return;
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let gone = ["not-installed ", "config-files "];
    let mut expected: Vec<_> = listed
        .lines()
        .filter(|line| !gone.iter().any(|gone| line.starts_with(gone)))
        .map(|line| line.split_once(' ').unwrap().1.to_string())
        .collect();
    expected.sort();
    let reading = read(Kind::DpkgStatus, status.as_bytes(), &mut text.as_slice());
    assert_eq!(reading.unread, None);
    let mut found: Vec<_> = reading
        .packages
        .iter()
        .map(|package| {
            let source = package.source.as_ref().unwrap();
            format!("{package} {} {}", source.name, source.version)
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}
