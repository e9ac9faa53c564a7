//! Java: archives say who they are in Maven's properties, or in the manifest and their name.

use crate::package::{Ecosystem, Package, add};
use crate::reading::Reason;
use crate::source::Source;
use crate::text::{field, file_name, lines, lossy};
use crate::zip::{Member, members};

/// Archives in archives in archives.
const DEEPEST: usize = 4;
/// The longest manifest or list of properties, in bytes.
const TEXT: usize = 4 << 20;
/// The largest archive inside of another that has to be unpacked for a look.
const NESTED: usize = 48 << 20;
/// All that is unpacked of one file.
const BUDGET: usize = 256 << 20;

/// Whether a name is that of a Java archive.
pub(crate) fn is_archive(name: &[u8]) -> bool {
    let endings: [&[u8]; 7] = [b".jar", b".war", b".ear", b".jpi", b".hpi", b".kar", b".par"];
    endings.iter().any(|ending| name.ends_with(ending))
}

/// Appends the packages of an archive and of the archives in it; what was read before damage stays.
pub(crate) fn archive(
    source: &mut dyn Source,
    origin: &str,
    into: &mut Vec<Package>,
) -> Result<(), Reason> {
    let mut walk = Walk { budget: BUDGET, damage: None, into };
    walk.archive(source, origin, 0)?;
    walk.damage.map_or(Ok(()), Err)
}

struct Walk<'a> {
    budget: usize,
    damage: Option<Reason>,
    into: &'a mut Vec<Package>,
}

impl Walk<'_> {
    fn archive(
        &mut self,
        source: &mut dyn Source,
        origin: &str,
        depth: usize,
    ) -> Result<(), Reason> {
        let mut manifest = Manifest::default();
        let mut poms = Vec::new();
        let wanted = |name: &[u8]| is_archive(name) || is_properties(name) || name == MANIFEST;
        for member in members(source, &mut self.budget, wanted)? {
            if member.name == MANIFEST {
                let text = self.unpacked(&member, source);
                manifest = text.map(|text| Manifest::read(&text)).unwrap_or_default();
            } else if is_properties(&member.name) {
                let text = self.unpacked(&member, source);
                poms.extend(text.and_then(|text| properties(&text)));
            } else if let Err(reason) = self.nested(&member, source, origin, depth) {
                self.damage.get_or_insert(reason);
            }
            if self.budget == 0 {
                break;
            }
        }
        let stem = stem(origin);
        // An archive with other people's classes has their properties too, and maybe none of its own.
        let own = poms.iter().any(|pom| stem.starts_with(&pom.artifact));
        let mut add = |name: &str, version: &str, licence: Option<&str>| {
            let mut package = Package::new(Ecosystem::Maven, name, version, origin);
            package.licence = licence.map(str::to_string);
            add(self.into, package)
        };
        for pom in &poms {
            let licence = manifest.licence.as_deref().filter(|_| poms.len() == 1);
            add(&format!("{}:{}", pom.group, pom.artifact), &pom.version, licence)?;
        }
        if !own && let Some((name, version)) = manifest.guess(stem) {
            add(&name, &version, manifest.licence.as_deref())?;
        }
        Ok(())
    }

    fn nested(
        &mut self,
        member: &Member,
        source: &mut dyn Source,
        origin: &str,
        depth: usize,
    ) -> Result<(), Reason> {
        if depth >= DEEPEST {
            return Err(Reason::damaged("archives nested too deep"));
        }
        let origin = format!("{origin}!/{}", lossy(&member.name));
        if let Some(mut window) = member.window(source)? {
            return self.archive(&mut window, &origin, depth + 1);
        }
        let bytes = member.bytes(source, NESTED, &mut self.budget)?;
        self.archive(&mut bytes.as_slice(), &origin, depth + 1)
    }

    /// A member, or nothing and a note of why.
    fn unpacked(&mut self, member: &Member, source: &mut dyn Source) -> Option<Vec<u8>> {
        let bytes = member.bytes(source, TEXT, &mut self.budget);
        bytes.map_err(|reason| _ = self.damage.get_or_insert(reason)).ok()
    }
}

const MANIFEST: &[u8] = b"META-INF/MANIFEST.MF";

fn is_properties(name: &[u8]) -> bool {
    name.starts_with(b"META-INF/maven/") && file_name(name) == b"pom.properties"
}

/// What Maven writes into what it packs.
struct Pom {
    group: String,
    artifact: String,
    version: String,
}

fn properties(text: &[u8]) -> Option<Pom> {
    let value = |key: &str| {
        lines(text).find_map(|line| {
            let line = lossy(line);
            let (name, value) = line.split_once(['=', ':'])?;
            let value = value.trim();
            (name.trim() == key && !value.is_empty() && !value.contains("${"))
                .then(|| value.to_string())
        })
    };
    Some(Pom {
        group: value("groupId")?,
        artifact: value("artifactId")?,
        version: value("version")?,
    })
}

/// The main section of a manifest.
#[derive(Default)]
struct Manifest {
    symbolic_name: Option<String>,
    vendor: Option<String>,
    implementation: Option<String>,
    bundle: Option<String>,
    specification: Option<String>,
    licence: Option<String>,
}

impl Manifest {
    fn read(text: &[u8]) -> Self {
        let mut joined: Vec<Vec<u8>> = Vec::new();
        for line in lines(text).take_while(|line| !line.is_empty()) {
            match (line.strip_prefix(b" "), joined.last_mut()) {
                (Some(rest), Some(last)) => last.extend(rest),
                _ => joined.push(line.to_vec()),
            }
        }
        let mut found = Self::default();
        for line in &joined {
            let Some((key, value)) = field(line) else { continue };
            let value = lossy(value);
            let place = match key.to_ascii_lowercase().as_slice() {
                b"bundle-symbolicname" => &mut found.symbolic_name,
                b"implementation-vendor-id" => &mut found.vendor,
                b"implementation-version" => &mut found.implementation,
                b"bundle-version" => &mut found.bundle,
                b"specification-version" => &mut found.specification,
                b"bundle-license" => &mut found.licence,
                _ => continue,
            };
            // `org.example.name;singleton:=true`
            let value = match key.eq_ignore_ascii_case(b"bundle-symbolicname") {
                true => value.split(';').next().unwrap_or_default().trim(),
                false => value.trim(),
            };
            *place =
                Some(value.to_string()).filter(|value| !value.is_empty() && !value.contains("${"));
        }
        found
    }

    /// Name and version by file name and manifest; `None` when nothing says the version.
    fn guess(&self, stem: &str) -> Option<(String, String)> {
        let (artifact, version) = match split_version(stem) {
            Some((artifact, version)) => (artifact, Some(version.to_string())),
            None => (stem, None),
        };
        let said = [&self.implementation, &self.bundle, &self.specification];
        let version = version.or_else(|| said.into_iter().find_map(Clone::clone))?;
        let symbolic = self.symbolic_name.as_deref().filter(|name| name.contains('.'));
        let group = symbolic.map_or(self.vendor.as_deref(), |name| {
            Some(name.strip_suffix(artifact).and_then(|n| n.strip_suffix('.')).unwrap_or(name))
        });
        let name = match group {
            Some(group) if group != artifact => format!("{group}:{artifact}"),
            _ => artifact.to_string(),
        };
        Some((name, version)).filter(|(name, _)| !name.is_empty())
    }
}

/// The file name without its ending.
fn stem(origin: &str) -> &str {
    let name = origin.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// `commons-lang3-3.12.0` in two, at the first dash before a digit.
fn split_version(stem: &str) -> Option<(&str, &str)> {
    let at = stem
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| stem.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit))?;
    Some((stem.get(..at)?, stem.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip;

    fn read(bytes: &[u8], origin: &str) -> (Vec<String>, Result<(), Reason>) {
        let mut found = Vec::new();
        let result = archive(&mut &bytes[..], origin, &mut found);
        let told = |package: &Package| {
            format!("{package} {}", package.origins.first().map_or("", String::as_str))
        };
        (found.iter().map(told).collect(), result)
    }

    fn pom(artifact: &str) -> (String, String) {
        (
            format!("META-INF/maven/org.x/{artifact}/pom.properties"),
            format!("#Generated\nversion=1.2\ngroupId=org.x\nartifactId={artifact}\n"),
        )
    }

    #[test]
    fn properties_and_nested_archives() {
        let (inner_name, inner) = pom("inner");
        let inner = zip::archive(&[(&inner_name, inner.as_bytes(), true)]);
        let (name, text) = pom("app");
        let bytes = zip::archive(&[
            ("BOOT-INF/lib/inner-1.2.jar", &inner, false),
            ("WEB-INF/lib/inner-1.2.jar", &inner, true),
            (&name, text.as_bytes(), true),
            ("org/x/App.class", b"", false),
        ]);
        let (found, result) = read(&bytes, "srv/app.jar");
        result.unwrap();
        assert_eq!(
            found,
            [
                "org.x:inner 1.2 srv/app.jar!/BOOT-INF/lib/inner-1.2.jar",
                "org.x:inner 1.2 srv/app.jar!/WEB-INF/lib/inner-1.2.jar",
                "org.x:app 1.2 srv/app.jar",
            ]
        );
    }

    #[test]
    fn without_properties_the_manifest_and_the_name_say_it() {
        let manifest = |text: &str, origin: &str| {
            let bytes = zip::archive(&[("META-INF/MANIFEST.MF", text.as_bytes(), true)]);
            read(&bytes, origin).0
        };
        let text = "Manifest-Version: 1.0\r\nBundle-SymbolicName: com.fasterxml.jackson.core.jack\r\n \
                    son-core;singleton:=true\r\nBundle-Version: 2.14.1\r\n\r\nName: x\r\n";
        assert_eq!(
            manifest(text, "usr/share/java/jackson-core.jar"),
            ["com.fasterxml.jackson.core:jackson-core 2.14.1 usr/share/java/jackson-core.jar"]
        );
        assert_eq!(
            manifest("", "a/log4j-1.2-api-2.17.1.jar"),
            ["log4j 1.2-api-2.17.1 a/log4j-1.2-api-2.17.1.jar"]
        );
        assert_eq!(manifest("", "a/tool.jar"), [""; 0]);
        let shaded = pom("other");
        let bytes = zip::archive(&[(&shaded.0, shaded.1.as_bytes(), true)]);
        let expected = ["org.x:other 1.2 a/tool-3.0.jar", "tool 3.0 a/tool-3.0.jar"];
        assert_eq!(read(&bytes, "a/tool-3.0.jar").0, expected);
    }

    #[test]
    fn damage_and_depth_are_said() {
        assert!(matches!(read(&[b'x'; 99], "a.jar").1, Err(Reason::Damaged { .. })));
        let mut bytes = zip::archive(&[("x", b"", false)]);
        for _ in 0..DEEPEST {
            bytes = zip::archive(&[("a-1.jar", &bytes, true)]);
        }
        assert_eq!(read(&bytes, "a.jar").1, Ok(()));
        let deeper = zip::archive(&[("a-1.jar", &bytes, false)]);
        let (found, result) = read(&deeper, "a.jar");
        assert!(matches!(result, Err(Reason::Damaged { .. })));
        assert_eq!(found.len(), DEEPEST);
    }
}
