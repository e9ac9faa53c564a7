//! What was searched for secrets, as a statement tells it: absent there and under these encodings,
//! and no more.

use cofferdam_frontend::build::inspect::Inspected;
use serde_json::{Value, json};

/// Archives that are named one by one; the others are counted.
const NAMED: usize = 100;

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is in these places, where exceptions let it stand, and nowhere else.
    OnlyIn(&'static [&'static str]),
    /// Nothing, and why.
    None(&'static str),
}

/// The search of one platform's image.
#[derive(Debug)]
pub struct SecretSearch<'a> {
    /// `linux/amd64` and the like.
    pub platform: &'a str,
    /// The layers and what was looked at in them.
    pub inspected: &'a Inspected,
    /// What was searched for, and what is known of it.
    pub secrets: Vec<(String, Proof)>,
    /// The encodings under which they were searched.
    pub encodings: Vec<&'static str>,
}

impl SecretSearch<'_> {
    /// The byproduct `secret-search`.
    pub(super) fn byproduct(&self) -> Value {
        let Self { platform, inspected, secrets, encodings } = self;
        let sum = &inspected.inspection.sum;
        let total = |field: fn(&_) -> u64| sum.layers.iter().map(field).sum::<u64>();
        let secret = |(id, proof): &(String, Proof)| match proof {
            Proof::OnlyIn([]) => json!({ "id": id, "absent": true }),
            Proof::OnlyIn(places) => json!({ "id": id, "absent": false, "onlyIn": places }),
            Proof::None(reason) => json!({ "id": id, "absent": null, "reason": reason }),
        };
        let unread = inspected.inspection.unread.iter().take(NAMED).map(|unread| {
            let path =
                unread.trail.iter().fold(unread.path.clone(), |path, member| path + " > " + member);
            json!({ "path": path, "reason": unread.reason })
        });
        json!({
            "name": "secret-search",
            "annotations": {
                "platform": platform,
                "secrets": secrets.iter().map(secret).collect::<Vec<_>>(),
                "encodings": encodings,
                "layers": inspected.layers.len(),
                "names": total(|layer| layer.names),
                "files": total(|layer| layer.files),
                "bytes": total(|layer| layer.bytes),
                "configuration": true,
                "notUnpacked": unread.collect::<Vec<_>>(),
                "notUnpackedTotal": sum.unread,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_inspector::report::inspection::{Inspection, LayerSum, Sum, Unread};

    use super::*;

    #[test]
    fn what_is_not_proven_is_not_said_to_be_absent() {
        let layer = LayerSum { names: 3, files: 2, bytes: 10 };
        let unread = Unread {
            layer: 0,
            path: "/a.zip".into(),
            trail: vec!["b".into()],
            reason: "encrypted".into(),
        };
        let sum = Sum { layers: vec![layer, layer], unread: 1, ..Sum::default() };
        let inspection = Inspection { unread: vec![unread], sum, ..Inspection::default() };
        let inspected = Inspected { inspection, ..Inspected::default() };
        let told = SecretSearch {
            platform: "linux/amd64",
            inspected: &inspected,
            secrets: vec![
                ("db".into(), Proof::OnlyIn(&[])),
                ("pin".into(), Proof::None("short")),
                ("word".into(), Proof::OnlyIn(&["base"])),
            ],
            encodings: vec!["raw"],
        }
        .byproduct();
        let told = &told["annotations"];
        assert_eq!(told["secrets"][0], json!({ "id": "db", "absent": true }));
        assert_eq!(told["secrets"][1]["absent"], Value::Null);
        assert_eq!(
            told["secrets"][2],
            json!({ "id": "word", "absent": false, "onlyIn": ["base"] })
        );
        assert_eq!((&told["files"], &told["bytes"]), (&json!(4), &json!(20)));
        assert_eq!(told["notUnpacked"][0]["path"], "/a.zip > b");
    }
}
