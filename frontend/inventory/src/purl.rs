//! Package URLs: <https://github.com/package-url/purl-spec>.

use std::fmt::Write;

use crate::os_release::Distro;
use crate::package::{Ecosystem, Package};

impl Package {
    /// Its package URL; packages of a distribution are named within `distro`.
    #[must_use]
    pub fn purl(&self, distro: Option<&Distro>) -> String {
        let name = canonical(self.ecosystem, &self.name);
        let (namespace, name) = match self.ecosystem {
            Ecosystem::Deb | Ecosystem::Apk | Ecosystem::Rpm => {
                (distro.map(|distro| vendor(&distro.id)), name.as_str())
            }
            Ecosystem::Maven => split(&name, |name| name.rsplit_once(':')),
            Ecosystem::Npm | Ecosystem::Golang => split(&name, |name| name.rsplit_once('/')),
            _ => (None, name.as_str()),
        };
        let mut purl = format!("pkg:{}", self.ecosystem);
        for segment in namespace.iter().flat_map(|n| n.split('/')).filter(|s| !s.is_empty()) {
            purl.push('/');
            encode(&mut purl, segment);
        }
        purl.push('/');
        encode(&mut purl, name);
        let (epoch, version) = match self.ecosystem {
            Ecosystem::Rpm => match self.version.split_once(':') {
                Some((epoch, version)) => (Some(epoch), version),
                None => (None, self.version.as_str()),
            },
            _ => (None, self.version.as_str()),
        };
        if !version.is_empty() {
            purl.push('@');
            encode(&mut purl, version);
        }
        let mut separator = '?';
        for (key, value) in self.qualifiers(distro, epoch) {
            let _ = write!(purl, "{separator}{key}=");
            encode(&mut purl, &value);
            separator = '&';
        }
        purl
    }

    /// In the order of their keys.
    fn qualifiers(&self, distro: Option<&Distro>, epoch: Option<&str>) -> Vec<(&str, String)> {
        let mut found = Vec::new();
        let architecture = self.architecture.clone();
        if self.ecosystem == Ecosystem::Gem {
            found.extend(architecture.map(|platform| ("platform", platform)));
            return found;
        }
        if !self.ecosystem.is_distribution() {
            return found;
        }
        found.extend(architecture.map(|architecture| ("arch", architecture)));
        found.extend(distro.map(|distro| ("distro", distro.to_string())));
        found.extend(epoch.map(|epoch| ("epoch", epoch.to_string())));
        // What scanners of SBOMs look up advisories by.
        if let Some(source) = &self.source {
            let same = source.version == self.version;
            if !same {
                found.push(("upstream", format!("{}@{}", source.name, source.version)));
            } else if source.name != self.name {
                found.push(("upstream", source.name.clone()));
            }
        }
        found
    }
}

/// The namespace of a distribution's packages, where it is not the distribution's own name.
fn vendor(id: &str) -> String {
    match id {
        "rhel" => "redhat".into(),
        id if id.starts_with("opensuse") => "opensuse".into(),
        id => id.to_lowercase(),
    }
}

/// Names that differ only in what their ecosystem ignores become one.
fn canonical(ecosystem: Ecosystem, name: &str) -> String {
    match ecosystem {
        Ecosystem::PyPi => name.to_lowercase().replace('_', "-"),
        Ecosystem::Deb | Ecosystem::Apk | Ecosystem::Golang => name.to_lowercase(),
        _ => name.to_string(),
    }
}

fn split(name: &str, at: impl Fn(&str) -> Option<(&str, &str)>) -> (Option<String>, &str) {
    match at(name) {
        Some((namespace, name)) => (Some(namespace.to_string()), name),
        None => (None, name),
    }
}

/// Appends text, percent-encoded.
pub(crate) fn encode(into: &mut String, text: &str) {
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Upstream;

    fn purl(ecosystem: Ecosystem, name: &str, version: &str) -> String {
        Package::new(ecosystem, name, version, "x").purl(None)
    }

    #[test]
    fn names_and_versions_are_written_as_the_specification_does() {
        use Ecosystem::{Cargo, Deb, Gem, Generic, Golang, Maven, Npm, NuGet, PyPi, Rpm};
        for (ecosystem, name, version, expected) in [
            (Deb, "g++-10", "10.2.1+6", "pkg:deb/g%2B%2B-10@10.2.1%2B6"),
            (Npm, "@angular/animation", "12.3.1", "pkg:npm/%40angular/animation@12.3.1"),
            (Npm, "foobar", "1.0", "pkg:npm/foobar@1.0"),
            (PyPi, "Django_package", "1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1"),
            (Golang, "github.com/Azure/X", "v1.0.0", "pkg:golang/github.com/azure/x@v1.0.0"),
            (Golang, "stdlib", "1.22.1", "pkg:golang/stdlib@1.22.1"),
            (Maven, "org.a.b:batik", "1.9", "pkg:maven/org.a.b/batik@1.9"),
            (Maven, "batik", "1.9", "pkg:maven/batik@1.9"),
            (NuGet, "EnterpriseLibrary.Common", "6.0", "pkg:nuget/EnterpriseLibrary.Common@6.0"),
            (Cargo, "rand", "0.7.2", "pkg:cargo/rand@0.7.2"),
            (Gem, "ruby-advisory-db-check", "0.12.4", "pkg:gem/ruby-advisory-db-check@0.12.4"),
            (Generic, "bitwarderl", "", "pkg:generic/bitwarderl"),
            (Rpm, "dbus", "1:1.12.8-26.el8", "pkg:rpm/dbus@1.12.8-26.el8?epoch=1"),
        ] {
            assert_eq!(purl(ecosystem, name, version), expected);
        }
    }

    #[test]
    fn distributions_are_named_by_their_vendors() {
        for (id, expected) in
            [("rhel", "redhat"), ("opensuse-leap", "opensuse"), ("rocky", "rocky")]
        {
            let distro = Distro { id: id.into(), ..Distro::default() };
            let purl = Package::new(Ecosystem::Rpm, "bash", "5-1", "x").purl(Some(&distro));
            assert_eq!(purl, format!("pkg:rpm/{expected}/bash@5-1?distro={id}"));
        }
    }

    #[test]
    fn qualifiers_are_sorted_and_name_the_source() {
        let distro =
            Distro { id: "debian".into(), version: Some("12".into()), ..Distro::default() };
        let mut package = Package::new(Ecosystem::Deb, "bsdutils", "1:2.38.1-5+deb12u3", "x");
        package.architecture = Some("amd64".into());
        let version = "2.38.1-5+deb12u3".to_string();
        package.source = Some(Upstream { name: "util-linux".into(), version });
        assert_eq!(
            package.purl(Some(&distro)),
            "pkg:deb/debian/bsdutils@1:2.38.1-5%2Bdeb12u3?arch=amd64&distro=debian-12\
             &upstream=util-linux%402.38.1-5%2Bdeb12u3"
        );
        let mut gem = Package::new(Ecosystem::Gem, "jruby-launcher", "1.1.2", "x");
        gem.architecture = Some("java".into());
        assert_eq!(gem.purl(Some(&distro)), "pkg:gem/jruby-launcher@1.1.2?platform=java");
    }
}
