//! What a front says, as a digest: whoever reads it can tell whether it is what was measured.

use schemas::{Digest, Front};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The front with the digest of its content.
#[must_use]
pub fn sealed(front: Front) -> Front {
    let content = digest_of(&front);
    Front { content: Some(content), ..front }
}

/// Whether a front is what its digest says. One without a digest is of before there were any, and taken as it is.
pub fn is_intact(front: &Front) -> bool {
    front.content.as_ref().is_none_or(|content| *content == digest_of(front))
}

/// SHA-256 of a front but for its id, its revision and the digest itself.
///
/// It is taken of the front's JSON with sorted keys, numbers with a fraction to seven digits (a reader of JSON may take the last
/// ones for others, and no measurement has so many), and without what is null or an empty list, so that a field which is added
/// to the messages later and left at its default changes nothing. Two revisions with the same digest say the same.
fn digest_of(front: &Front) -> Digest {
    let mut value = serde_json::to_value(front).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        for field in ["id", "revision", "content"] {
            fields.remove(field);
        }
    }
    let text = canonical(value).map_or_else(String::new, |value| value.to_string());
    Digest::from_bytes(Sha256::digest(text.as_bytes()).into())
}

/// A value without what it does not say, keys in order, fractions rounded; nothing for null and the empty list.
fn canonical(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.is_empty() => None,
        // An item has a place, so none is left out.
        Value::Array(items) => {
            Some(items.into_iter().map(|item| canonical(item).unwrap_or_default()).collect())
        }
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().filter_map(|(name, value)| Some((name, canonical(value)?))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Some(Value::Object(Map::from_iter(fields)))
        }
        Value::Number(number) if number.is_f64() => {
            Some(Value::String(format!("{:.6e}", number.as_f64().unwrap_or_default())))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::{prop_assert, proptest};
    use schemas::{Front, FrontId, Millis};

    use super::{is_intact, sealed};

    fn released(name: &str) -> Front {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/fixtures/v1");
        let bytes = std::fs::read(folder.join(format!("{name}.msgpack"))).unwrap();
        schemas::decode(&bytes).unwrap()
    }

    /// The digest in the released bytes was made by another program, and must fit for ever, whatever is added to the messages.
    #[test]
    fn a_released_front_stays_intact() {
        let front = released("front_with_content");
        assert!(front.content.is_some());
        assert_eq!(sealed(front.clone()).content, front.content);
        assert!(is_intact(&front));
        assert!(is_intact(&released("front")), "the first fronts have no digest");
    }

    #[test]
    fn only_id_and_revision_are_free() {
        let front = sealed(released("front_of_a_search"));
        let renamed = Front { id: FrontId::fresh(), revision: front.revision + 1, ..front.clone() };
        assert!(is_intact(&renamed));
        let mut changed = Vec::new();
        for place in 0..6 {
            let mut one = front.clone();
            match place {
                0 => one.measured += 1,
                1 => one.points[0].samples += 1,
                2 => one.tied.clear(),
                3 => one.points[0].provenance.as_mut().unwrap().suspicions.clear(),
                4 => one.all_edge.configuration.cut.0 += 1,
                _ => one.emulates = None,
            }
            changed.push(one);
        }
        assert!(changed.iter().all(|one| !is_intact(one)));
    }

    proptest! {
        /// Through either form, and for any number.
        #[test]
        fn it_holds_after_a_way_through_messagepack_and_json(ms in 0.0_f64..1e12) {
            let mut front = released("front_of_a_search");
            front.points[0].latency.mean_ms = Millis::new(ms).unwrap();
            let front = sealed(front);
            let wire: Front = schemas::decode(&schemas::encode(&front).unwrap()).unwrap();
            let file: Front = serde_json::from_str(&serde_json::to_string_pretty(&front).unwrap()).unwrap();
            prop_assert!(is_intact(&wire) && is_intact(&file));
        }
    }
}
