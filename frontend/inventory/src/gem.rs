//! Ruby: specifications of installed gems, as RubyGems writes them.

use crate::package::{Ecosystem, Package};
use crate::reading::Reason;
use crate::text::{lines, lossy};

/// Reads `specifications/NAME-VERSION.gemspec`.
pub(crate) fn specification(text: &[u8], origin: &str) -> Result<Package, Reason> {
    let (mut name, mut version, mut platform) = (None, None, None);
    let mut licence = None;
    for line in lines(text) {
        let line = lossy(line);
        let line = line.trim();
        // What RubyGems itself looks at: `# stub: NAME VERSION PLATFORM DIRECTORIES`. Extensions to
        // build may follow in a second one.
        if let Some(stub) = line.strip_prefix("# stub: ").filter(|_| name.is_none()) {
            let mut words = stub.split_whitespace().map(str::to_string);
            (name, version, platform) = (words.next(), words.next(), words.next());
            continue;
        }
        let Some((place, value)) = line.split_once('=') else { continue };
        let Some((_, key)) = place.trim().rsplit_once('.') else { continue };
        match key.trim() {
            "name" if name.is_none() => name = strings(value).next(),
            "version" if version.is_none() => version = strings(value).next(),
            "platform" if platform.is_none() => platform = strings(value).next(),
            "license" | "licenses" => {
                let all: Vec<_> = strings(value).collect();
                licence = Some(all.join(" OR ")).filter(|all| !all.is_empty());
            }
            _ => {}
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(Reason::damaged("it has no name or no version"));
    };
    let mut package = Package::new(Ecosystem::Gem, &name, &version, origin);
    package.architecture = platform.filter(|platform| platform != "ruby");
    package.licence = licence;
    Ok(package)
}

/// The quoted strings of an expression.
fn strings(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(['"', '\''])?;
        let quote = rest.get(start..=start)?;
        let inner = rest.get(start + 1..)?;
        let end = inner.find(quote)?;
        rest = inner.get(end + 1..)?;
        inner.get(..end).map(str::to_string)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stub_says_it() {
        let text = b"# -*- encoding: utf-8 -*-\n# stub: nokogiri 1.15.4 x86_64-linux lib\n# stub: ext/a.rb\0ext/b.rb\n\n\
            Gem::Specification.new do |s|\n  s.name = \"other\".freeze\n  s.version = \"1.15.4\"\n\
            \n  s.licenses = [\"MIT\".freeze, 'Ruby'.freeze]\nend\n";
        let found = specification(text, "x").unwrap();
        assert_eq!(found.to_string(), "nokogiri 1.15.4 (x86_64-linux)");
        assert_eq!(found.licence.as_deref(), Some("MIT OR Ruby"));
    }

    #[test]
    fn without_a_stub_the_assignments_do() {
        let text = b"Gem::Specification.new do |s|\n  s.name = 'rake'\n  \
            s.version = Gem::Version.new(\"13.0.6\")\n  s.platform = Gem::Platform::RUBY\nend\n";
        assert_eq!(specification(text, "x").unwrap().to_string(), "rake 13.0.6");
        assert!(specification(b"s.name = File.read(x)\n", "x").is_err());
    }
}
