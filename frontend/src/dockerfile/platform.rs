//! Platforms such as `linux/arm64`, for the predefined build arguments.

use std::fmt;

/// An operating system and architecture, normalised as containerd does it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    pub os: String,
    /// Windows only, as in `windows(10.0.20348)/amd64`.
    pub os_version: String,
    pub arch: String,
    pub variant: String,
}

impl Platform {
    /// Reads `os/arch[/variant]`; `None` when it has another shape.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let mut parts = lower.split('/');
        let (os, arch) = (parts.next()?, parts.next()?);
        let variant = parts.next().unwrap_or_default();
        if parts.next().is_some() || arch.is_empty() {
            return None;
        }
        let (os, os_version) = match os.split_once('(') {
            Some((os, version)) => (os, version.strip_suffix(')')?),
            None => (os, ""),
        };
        let os = if os == "macos" { "darwin" } else { os };
        let plain = |part: &str| {
            part.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        if os.is_empty() || ![os, os_version, arch, variant].into_iter().all(plain) {
            return None;
        }
        let (arch, variant) = normal_arch(arch, variant);
        Some(Self { os: os.to_owned(), os_version: os_version.to_owned(), arch, variant })
    }

    /// Without the operating system's version, as BUILDPLATFORM has it.
    pub(crate) fn short(&self) -> String {
        let Self { os, arch, variant, .. } = self;
        if variant.is_empty() { format!("{os}/{arch}") } else { format!("{os}/{arch}/{variant}") }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.os_version.is_empty() {
            return out.write_str(&self.short());
        }
        let short = self.short();
        let rest = short.strip_prefix(&self.os).unwrap_or(&short);
        write!(out, "{}({}){rest}", self.os, self.os_version)
    }
}

fn normal_arch(arch: &str, variant: &str) -> (String, String) {
    let (arch, variant) = match (arch, variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (arch.to_owned(), variant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_forms() {
        for (text, expected) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("windows(10.0.20348)/amd64", "windows(10.0.20348)/amd64"),
        ] {
            assert_eq!(Platform::parse(text).unwrap().to_string(), expected);
        }
        for bad in ["", "linux", "linux/", "a/b/c/d", "lin$ux/amd64", "/amd64"] {
            assert_eq!(Platform::parse(bad), None, "{bad}");
        }
    }
}
