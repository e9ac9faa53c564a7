//! Platforms, with the grammar and the normalisation of containerd.

use crate::error::Error;

const KNOWN_OS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];
const KNOWN_ARCH: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// Reads `--platform`: repeated, separated by commas, or both; each once, in the order given.
pub(super) fn read(typed: &[String]) -> Result<Vec<String>, Error> {
    let mut platforms = Vec::new();
    for text in typed.iter().flat_map(|list| list.split(',')).filter(|text| !text.is_empty()) {
        let platform = normalize(text).map_err(|reason| {
            Error::usage_hint(
                format!("--platform {text:?}: {reason}"),
                "write os/arch[/variant], for example linux/amd64 or linux/arm/v7",
            )
        })?;
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(platforms)
}

/// The normal form of one platform: `linux/x86_64` is `linux/amd64`, `arm` is `linux/arm/v7`.
pub(super) fn normalize(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("local") {
        return Ok(of_this_machine());
    }
    let parts: Vec<&str> = text.split('/').collect();
    let well_formed = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    let os_part = |part: &str| match part.split_once('(') {
        // Windows writes its version behind its name.
        Some((os, version)) => {
            let version = version.strip_suffix(')').unwrap_or("(");
            well_formed(&os)
                && version.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-".contains(c))
        }
        None => well_formed(&part),
    };
    let (first, rest) = parts.split_first().ok_or("it is empty")?;
    if !os_part(first) || !rest.iter().all(well_formed) {
        return Err("it is no platform".into());
    }
    match *parts.as_slice() {
        [one] => {
            let os = operating_system(one);
            if KNOWN_OS.contains(&os.split('(').next().unwrap_or_default()) {
                return Ok(join(&os, architecture(&go_architecture(), "")));
            }
            let arch = architecture(one, "");
            if KNOWN_ARCH.contains(&arch.0.as_str()) {
                return Ok(join("linux", arch));
            }
            Err("unknown operating system or architecture".into())
        }
        [os, arch] => Ok(join(&operating_system(os), architecture(arch, ""))),
        [os, arch, variant] => Ok(join(&operating_system(os), architecture(arch, variant))),
        _ => Err("it has more than three parts".into()),
    }
}

/// What `local` means.
fn of_this_machine() -> String {
    join(std::env::consts::OS, architecture(&go_architecture(), ""))
}

fn go_architecture() -> String {
    match std::env::consts::ARCH {
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
    .to_string()
}

fn operating_system(text: &str) -> String {
    let (name, version) = match text.split_once('(') {
        Some((name, version)) => (name, format!("({version}")),
        None => (text, String::new()),
    };
    match name.to_ascii_lowercase().as_str() {
        "macos" => format!("darwin{version}"),
        name => format!("{name}{version}"),
    }
}

fn architecture(arch: &str, variant: &str) -> (String, String) {
    let (arch, variant) = (arch.to_ascii_lowercase(), variant.to_ascii_lowercase());
    let (arch, variant) = match (arch.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        (arch, variant) => (arch, variant),
    };
    (arch.to_string(), variant.to_string())
}

fn join(os: &str, (arch, variant): (String, String)) -> String {
    if variant.is_empty() { format!("{os}/{arch}") } else { format!("{os}/{arch}/{variant}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn platforms_have_one_spelling() {
        for (text, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v2", "linux/amd64/v2"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/armhf", "linux/arm/v7"),
            ("arm64", "linux/arm64"),
            ("s390x", "linux/s390x"),
            ("linux/i386", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64"),
        ] {
            assert_eq!(normalize(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in ["", "nonsense", "linux/", "/amd64", "linux/a/b/c", "linux/*", "li nux/amd64"] {
            assert!(normalize(bad).is_err(), "{bad}");
        }
        assert!(normalize("linux").unwrap().starts_with("linux/"));
    }

    #[test]
    fn lists_and_repeats_are_one_list_without_doubles() {
        let typed = ["linux/amd64,linux/arm64", "linux/x86_64", "arm"].map(String::from);
        assert_eq!(read(&typed).unwrap(), ["linux/amd64", "linux/arm64", "linux/arm/v7"]);
        assert!(read(&["linux/amd64,oops".into()]).is_err());
    }

    proptest! {
        #[test]
        fn the_normal_form_stays(text in "[a-zA-Z0-9/_.()-]{0,20}") {
            if let Ok(normal) = normalize(&text) {
                prop_assert_eq!(normalize(&normal), Ok(normal));
            }
        }
    }
}
