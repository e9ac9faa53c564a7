//! Platforms and which of them run each other's programs.
//!
//! Source: containerd/platforms, `Normalize`, `Only` and `OnlyStrict`.

use std::fmt;

/// An operating system, an architecture, and the architecture's variant, in normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

impl Platform {
    /// Brings the parts into normal form.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_string(),
            other => other.to_string(),
        };
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.to_ascii_lowercase();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("i386", _) => ("386", ""),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
            ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64" | "arm64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            (architecture, variant) => (architecture, variant),
        };
        Self { os, architecture: architecture.into(), variant: variant.into() }
    }

    /// Reads `os/architecture[/variant]`; what is left out stays empty.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().unwrap_or_default();
        Self::new(next(), next(), next())
    }

    /// The platforms whose programs run here, the best first; this one is the first.
    pub fn runs(&self) -> Vec<Self> {
        let with = |architecture: &str, variant: &str| Self {
            os: self.os.clone(),
            architecture: architecture.into(),
            variant: variant.into(),
        };
        let number = |from: usize| self.variant.get(from..).and_then(|v| v.parse::<u8>().ok());
        let mut all = vec![self.clone()];
        match self.architecture.as_str() {
            "amd64" => {
                let level = number(1).unwrap_or(1).min(9);
                all.extend((1..level).rev().map(|level| {
                    with("amd64", &if level > 1 { format!("v{level}") } else { String::new() })
                }));
                all.push(with("386", ""));
            }
            "arm" => {
                let version = number(1).unwrap_or(0).min(9);
                all.extend((5..version).rev().map(|version| with("arm", &format!("v{version}"))));
            }
            "arm64" => {
                if !self.variant.is_empty() {
                    all.push(with("arm64", ""));
                }
                all.extend(with("arm", "v8").runs());
            }
            _ => {}
        }
        all
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_machine_has_one_name() {
        for (text, normal) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/AMD64/v3", "linux/amd64/v3"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("linux/riscv64", "linux/riscv64"),
        ] {
            assert_eq!(Platform::parse(text).to_string(), normal, "{text}");
        }
    }

    #[test]
    fn a_machine_runs_what_its_elders_ran() {
        let runs = |text| {
            let all = Platform::parse(text).runs();
            all.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(runs("linux/amd64"), "linux/amd64 linux/386");
        assert_eq!(runs("linux/amd64/v3"), "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386");
        assert_eq!(
            runs("linux/arm64"),
            "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5"
        );
        assert_eq!(runs("linux/arm/v6"), "linux/arm/v6 linux/arm/v5");
        assert_eq!(runs("linux/s390x"), "linux/s390x");
    }

    proptest! {
        #[test]
        fn any_text_has_a_normal_form_that_stays(text in "\\PC{0,30}") {
            let once = Platform::parse(&text);
            prop_assert_eq!(&Platform::new(&once.os, &once.architecture, &once.variant), &once);
            prop_assert_eq!(&once.runs()[0], &once);
        }
    }
}
