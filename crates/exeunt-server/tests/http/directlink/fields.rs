//! The fields of a JSON object in the order in which the text has them, each once.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The fields of an object, in order.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, Value)>);

impl Fields {
    pub(super) fn of(text: &str) -> Self {
        let fields: Self = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut names = fields.names();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), fields.0.len(), "a field twice: {text}");
        fields
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.iter().map(|(name, _)| name).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn get(&self, name: &str) -> &Value {
        self.iter().find(|(one, _)| *one == name).unwrap_or_else(|| panic!("{name} in {self:?}")).1
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[test]
fn order_is_kept_and_a_repeated_field_is_seen() {
    assert_eq!(Fields::of(r#"{"b": 1, "a": "x"}"#).names(), ["b", "a"]);
    assert!(std::panic::catch_unwind(|| Fields::of(r#"{"a": 1, "a": 2}"#)).is_err());
}
