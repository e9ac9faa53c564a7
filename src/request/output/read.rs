//! One `--output`.

use std::path::PathBuf;

use super::{Attrs, Dest, LocalMode, Output};
use crate::request::{boolean, csv};

/// Reads a bare path, `-`, or `type=…,key=value`.
pub(super) fn one(text: &str) -> Result<Output, String> {
    let fields = csv::fields(text).map_err(|error| error.to_string())?;
    if fields.len() == 1 && fields.first().is_some_and(|f| f == text) && !text.starts_with("type=")
    {
        return Ok(match text {
            "-" => Output::Tar { dest: Dest::Stdout, attrs: Attrs::new() },
            dir => local(Some(dir.to_string()), Attrs::new())?,
        });
    }
    let (mut kind, mut dest, mut attrs) = (None, None, Attrs::new());
    for field in fields {
        let (key, value) = field.split_once('=').ok_or_else(|| format!("invalid value {field}"))?;
        match key.trim().to_ascii_lowercase().as_str() {
            "type" => kind = Some(value.to_string()),
            "dest" => dest = Some(value.to_string()).filter(|dest| !dest.is_empty()),
            key => drop(attrs.insert(key.to_string(), value.to_string())),
        }
    }
    match kind.as_deref() {
        None | Some("") => Err("type is required for output".into()),
        Some("local") => local(dest, attrs),
        Some("tar") => Ok(Output::Tar { dest: file(dest), attrs }),
        Some("oci") => {
            let dest = archive_or_directory("oci", &mut attrs, dest)?.unwrap_or(Dest::Stdout);
            Ok(Output::Oci { dest, attrs })
        }
        Some("docker") => {
            let dest = archive_or_directory("docker", &mut attrs, dest)?;
            Ok(Output::Docker { dest, context: attrs.remove("context"), attrs })
        }
        Some("image") => image(false, attrs),
        Some("registry") => image(true, attrs),
        Some("cacheonly") => Ok(Output::CacheOnly),
        Some(other) => Err(format!("unknown type {other:?}")),
    }
}

fn local(dest: Option<String>, mut attrs: Attrs) -> Result<Output, String> {
    let dest = directory("local", dest)?;
    let mode = match attrs.remove("mode").as_deref() {
        None | Some("" | "copy") => LocalMode::Copy,
        Some("delete") => LocalMode::Delete,
        Some(other) => return Err(format!("invalid mode {other:?}; known are copy and delete")),
    };
    let platform_split = take_bool(&mut attrs, "platform-split")?;
    Ok(Output::Local { dest, platform_split, mode, attrs })
}

fn image(to_registry: bool, mut attrs: Attrs) -> Result<Output, String> {
    let names = attrs.remove("name").unwrap_or_default();
    let names = names.split(',').filter(|name| !name.is_empty()).map(String::from).collect();
    let push_by_digest = take_bool(&mut attrs, "push-by-digest")?.unwrap_or(false);
    let push = take_bool(&mut attrs, "push")?.unwrap_or(false) || to_registry;
    if to_registry {
        do_not_unpack(&mut attrs);
    }
    Ok(Output::Image { names, push, push_by_digest, attrs })
}

/// What only goes to a registry need not be unpacked, unless somebody says so.
pub(super) fn do_not_unpack(attrs: &mut Attrs) {
    attrs.entry("unpack".into()).or_insert_with(|| "false".into());
}

/// `tar=false` makes a directory of what is an archive otherwise.
fn archive_or_directory(
    kind: &str,
    attrs: &mut Attrs,
    dest: Option<String>,
) -> Result<Option<Dest>, String> {
    // buildx takes a value that is no boolean for true.
    let tar = attrs.get("tar").and_then(|text| boolean::parse(text).ok()).unwrap_or(true);
    if tar {
        Ok(dest.map(|dest| file(Some(dest))))
    } else {
        Ok(Some(Dest::Dir(directory(kind, dest)?)))
    }
}

fn file(dest: Option<String>) -> Dest {
    match dest.as_deref() {
        None | Some("-") => Dest::Stdout,
        Some(path) => Dest::File(path.into()),
    }
}

fn directory(kind: &str, dest: Option<String>) -> Result<PathBuf, String> {
    match dest.as_deref() {
        None => Err(format!("dest is required for {kind} exporter")),
        Some("-") => Err(format!("dest cannot be stdout for {kind} exporter")),
        Some(path) => Ok(path.into()),
    }
}

fn take_bool(attrs: &mut Attrs, key: &str) -> Result<Option<bool>, String> {
    let text = attrs.remove(key).filter(|text| !text.is_empty());
    text.map(|text| boolean::parse(&text).map_err(|why| format!("{key}={text}: {why}"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_buildx_is_read() {
        let local = |dest: &str| Output::Local {
            dest: dest.into(),
            platform_split: None,
            mode: LocalMode::Copy,
            attrs: Attrs::new(),
        };
        let oci = |dest: Dest| Output::Oci { dest, attrs: Attrs::new() };
        let attrs = |pairs: &[(&str, &str)]| -> Attrs {
            pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect()
        };
        let image = |names: &[&str], push, push_by_digest, with: &[(&str, &str)]| Output::Image {
            names: names.iter().map(|name| (*name).to_string()).collect(),
            push,
            push_by_digest,
            attrs: attrs(with),
        };
        let docker = |dest, context: Option<&str>| Output::Docker {
            dest,
            context: context.map(String::from),
            attrs: Attrs::new(),
        };
        for (text, expected) in [
            ("out", local("out")),
            (".", local(".")),
            ("a=b", local("a=b")),
            ("type=local,dest=out", local("out")),
            ("type=local,\"dest=a,b\"", local("a,b")),
            ("-", Output::Tar { dest: Dest::Stdout, attrs: Attrs::new() }),
            ("type=tar", Output::Tar { dest: Dest::Stdout, attrs: Attrs::new() }),
            (
                "type=tar,dest=a.tar",
                Output::Tar { dest: Dest::File("a.tar".into()), attrs: Attrs::new() },
            ),
            ("type=oci", oci(Dest::Stdout)),
            ("type=oci,dest=a.tar", oci(Dest::File("a.tar".into()))),
            (
                "type=oci,dest=d,tar=false",
                Output::Oci { dest: Dest::Dir("d".into()), attrs: attrs(&[("tar", "false")]) },
            ),
            ("type=docker", docker(None, None)),
            ("type=docker,context=lab", docker(None, Some("lab"))),
            ("type=docker,dest=-", docker(Some(Dest::Stdout), None)),
            ("type=image", image(&[], false, false, &[])),
            ("type=image,\"name=a,b\",push=true", image(&["a", "b"], true, false, &[])),
            ("type=registry", image(&[], true, false, &[("unpack", "false")])),
            ("type=image,push=true,push-by-digest=true", image(&[], true, true, &[])),
            ("type=image,Compression=zstd", image(&[], false, false, &[("compression", "zstd")])),
            ("type=cacheonly", Output::CacheOnly),
        ] {
            assert_eq!(one(text).as_ref(), Ok(&expected), "{text}");
        }
        for bad in [
            "type=",
            "type=zip",
            "dest=x,push=true",
            "type=local",
            "type=local,dest=-",
            "type=local,dest=x,mode=move",
            "type=image,push=maybe",
            "type=tar,x",
            "type=oci,tar=false",
            "type=local,dest=\"x\"",
        ] {
            assert!(one(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = one(&text);
        }
    }
}
