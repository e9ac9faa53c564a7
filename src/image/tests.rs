//! The same image from everywhere, and what is wrong with it told alike.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::request::ImageRequest;

mod fixture;

use fixture::{Registry, World, layer, npm};

fn packages(request: &ImageRequest) -> Result<Vec<String>, Error> {
    let image = super::read(request)?;
    Ok(image.packages().map(|found| format!("{} in {}", found.package, found.layer)).collect())
}

#[test]
fn an_image_is_the_same_wherever_it_is() {
    let world = World::new();
    let expected = ["lodash 4.17.21 in 0", "minimist 1.2.8 in 1"];
    let layers = [layer(&[npm("lodash", "4.17.21")]), layer(&[npm("minimist", "1.2.8")])];
    let registry = Registry::start();
    for pack in [fixture::gzip, fixture::plain] {
        let image = world.image(&layers, pack, "linux/amd64");
        let index = world.index(&[&image]);
        let directory = world.layout(&index, "");
        let archive = world.archive("oci", &directory);
        let saved = world.saved("saved", &layers);
        let packed = world.gzipped("packed", &saved);
        registry.serves(&world, &index, "latest");
        let sources = [directory, archive, saved, packed, format!("{}/app", registry.address)];
        for source in sources {
            let request = world.request(&source, None);
            assert_eq!(packages(&request).unwrap(), expected, "{source}");
            // Once more, out of the cache.
            assert_eq!(packages(&request).unwrap(), expected, "{source}");
        }
    }
}

#[test]
fn layers_that_are_known_are_not_fetched() {
    let world = World::new();
    let layers = [layer(&[npm("lodash", "4.17.21")]), layer(&[npm("minimist", "1.2.8")])];
    let image = world.image(&layers, fixture::gzip, "linux/amd64");
    let registry = Registry::start();
    registry.serves(&world, &world.index(&[&image]), "latest");
    let source = format!("{}/app", registry.address);
    let blobs = || {
        let asked = registry.asked();
        image.layers.iter().filter(|digest| asked.iter().any(|it| it.contains(*digest))).count()
    };
    // Nothing is kept of an image that nobody wanted to be.
    let mut request = world.request(&source, None);
    request.cache = None;
    packages(&request).unwrap();
    assert_eq!(blobs(), 2);
    registry.forget();
    packages(&world.request(&source, None)).unwrap();
    assert_eq!(blobs(), 2);
    registry.forget();
    packages(&world.request(&source, None)).unwrap();
    assert_eq!(blobs(), 0);
    // A damaged entry is none, and is written again.
    let entries = world.cached();
    assert_eq!(entries.len(), 2);
    std::fs::write(&entries[0], "cofferdam layer").unwrap();
    packages(&world.request(&source, None)).unwrap();
    assert_eq!(blobs(), 1);
    registry.forget();
    packages(&world.request(&source, None)).unwrap();
    assert_eq!(blobs(), 0);
}

#[test]
fn platforms_are_chosen_through_nested_indexes() {
    let world = World::new();
    let of = |name: &str, platform: &str| {
        world.image(&[layer(&[npm(name, "1")])], fixture::gzip, platform)
    };
    let (amd, arm) = (of("amd", "linux/amd64"), of("arm", "linux/arm64/v8"));
    let attestation = world.image(&[layer(&[npm("att", "1")])], fixture::gzip, "unknown/unknown");
    let inner = world.index(&[&amd, &arm, &attestation]);
    let directory = world.layout(&inner, "v1");
    let read = |platform: Option<&str>| packages(&world.request(&directory, platform));
    assert_eq!(read(None).unwrap(), ["amd 1 in 0"]);
    assert_eq!(read(Some("linux/arm64")).unwrap(), ["arm 1 in 0"]);
    let error = read(Some("linux/s390x")).unwrap_err();
    assert!(error.to_string().contains("linux/amd64, linux/arm64"), "{error}");
    assert_eq!(error.exit_code(), 1);
    let tagged = |tag: &str| packages(&world.request(&format!("oci:{directory}:{tag}"), None));
    assert_eq!(tagged("v1").unwrap(), ["amd 1 in 0"]);
    assert!(tagged("v2").unwrap_err().to_string().contains("v1"));
}

#[test]
fn damage_is_told_by_everybody() {
    let world = World::new();
    let layers = [layer(&[npm("lodash", "4.17.21")])];
    let image = world.image(&layers, fixture::gzip, "linux/amd64");
    let index = world.index(&[&image]);
    let blob = image.layers[0].clone();
    let whole = world.blob(&blob);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let other = fixture::gzip(&layer(&[npm("evil", "6.6.6")]));
    let table: BTreeMap<&str, (&str, Option<Vec<u8>>)> = BTreeMap::from([
        ("flipped", ("should be sha256:", Some(flipped))),
        ("cut", ("bytes", Some(whole[..whole.len() - 20].to_vec()))),
        ("empty", ("bytes", Some(Vec::new()))),
        ("longer", ("longer than", Some([whole.as_slice(), b"x"].concat()))),
        ("other", ("is damaged", Some(other))),
        ("gone", ("missing", None)),
    ]);
    for (name, (words, bytes)) in table {
        world.replace(&blob, bytes.as_deref());
        let directory = world.layout(&index, "");
        let error = packages(&world.request(&directory, None)).unwrap_err();
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert_eq!((error.exit_code(), error.hint().is_some()), (1, true), "{name}");
        let archive = world.archive("oci", &directory);
        let error = packages(&world.request(&archive, None)).unwrap_err();
        assert!(error.to_string().contains(words), "{name}: {error}");
        let registry = Registry::start();
        registry.serves(&world, &index, "latest");
        let source = format!("{}/app", registry.address);
        let error = packages(&world.request(&source, None)).unwrap_err();
        assert_eq!(error.exit_code(), 4, "{name}: {error}");
        let words = if name == "gone" { "404" } else { words };
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
    assert!(world.cached().is_empty());
}

#[test]
fn descriptions_that_lie_are_told() {
    let world = World::new();
    let layers = [layer(&[npm("lodash", "4.17.21")])];
    let image = world.image(&layers, fixture::gzip, "linux/amd64");
    let told = |manifest: &str| {
        let manifest = world.add(manifest.as_bytes());
        let text = format!(r#"{{"manifests":[{{"digest":"{manifest}","size":1}}]}}"#);
        let error = packages(&world.request(&world.layout(&text, ""), None)).unwrap_err();
        error.to_string()
    };
    let manifest = String::from_utf8(world.blob(&image.manifest)).unwrap();
    let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
    assert!(manifest.contains(kind));
    for (to, words) in [
        ("application/vnd.oci.image.layer.v1.tar+encrypted", "encrypted"),
        ("text/plain", "no layer"),
    ] {
        assert!(told(&manifest.replace(kind, to)).contains(words), "{to}");
    }
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let elsewhere = manifest.replace(kind, foreign).replace(&image.layers[0], fixture::NOBODY);
    assert!(told(&elsewhere).contains("foreign"));
    assert!(told(&manifest.replace("sha256:", "sha512:")).contains("no sha256"));
    assert!(told(&manifest.replace("sha256:", "sha256:../")).contains("no sha256"));
    assert!(told("{}").contains("neither"));
    // A layer that is whole, and not the one of the configuration.
    let two = world.image(&[layer(&[npm("a", "1")]), layer(&[])], fixture::gzip, "linux/amd64");
    let other = manifest.replace(&image.config, &two.config);
    assert!(told(&other).contains("another number of layers"));
    let other = world.image(&[layer(&[npm("b", "1")])], fixture::gzip, "linux/amd64");
    assert!(told(&manifest.replace(&image.config, &other.config)).contains("should be sha256:"));
    // Indexes that stand in one another without end.
    let mut inner = image.manifest.clone();
    for _ in 0..9 {
        inner =
            world.add(format!(r#"{{"manifests":[{{"digest":"{inner}","size":1}}]}}"#).as_bytes());
    }
    let text = format!(r#"{{"manifests":[{{"digest":"{inner}","size":1}}]}}"#);
    let error = packages(&world.request(&world.layout(&text, ""), None)).unwrap_err();
    assert!(error.to_string().contains("indexes"), "{error}");
}

#[test]
fn values_are_found_wherever_they_are_and_never_told() {
    const VALUE: &str = "hunter2-and-a-half";
    let world = World::new();
    let base64 = "aHVudGVyMi1hbmQtYS1oYWxm";
    let layers = [
        layer(&[("etc/motd".to_string(), b"hello".to_vec())]),
        layer(&[
            ("app/config".to_string(), format!("token={VALUE}").into_bytes()),
            (format!("app/{VALUE}/x"), base64.as_bytes().to_vec()),
            npm(VALUE, "1"),
        ]),
    ];
    let image = world.image(&layers, fixture::gzip, "linux/amd64");
    let directory = world.layout(&world.index(&[&image]), "");
    let saved = world.saved("saved", &layers);
    for source in [directory, saved] {
        let request = world.searching(&source, VALUE);
        let image = super::read(&request).unwrap();
        assert!(image.searched[0].leaks.is_empty());
        let found = &image.searched[1];
        let told: Vec<&str> = found.leaks.iter().map(|leak| leak.path.as_str()).collect();
        for path in ["/app/config", "/app/***/x", "/app/node_modules/***/package.json"] {
            assert!(told.contains(&path), "{source}: {told:?}");
        }
        assert!(found.leaks.iter().all(|leak| leak.layer == 1));
        assert!(found.leaks.iter().any(|leak| leak.transform.starts_with("base64")));
        assert!(!format!("{found:?}").contains(VALUE));
    }
    // What is found depends on the value, and is not kept.
    assert!(world.cached().is_empty());
}
