//! The document, read: its operations, its answers, its references.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema;
use crate::support::{Answer, TestApp};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The document as it is served.
pub(super) struct Document {
    pub(super) root: Value,
}

/// One operation of the document.
pub(super) struct Operation<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) value: &'a Value,
}

impl Document {
    pub(super) async fn of(app: &TestApp) -> Self {
        Self::served(&app.anon().get(super::ITSELF).await)
    }

    pub(super) fn served(answer: &Answer) -> Self {
        Self { root: answer.json() }
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.root["paths"].as_object().expect("paths");
        assert!(paths.len() >= 10, "the operations were not found");
        paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().expect("a path item").iter();
            methods.map(move |(method, value)| {
                assert!(METHODS.contains(&method.as_str()), "{method} of {path}");
                Operation { method, path, value }
            })
        })
    }

    /// What the document says of the answer with this status.
    pub(super) fn response<'a>(&'a self, operation: &'a Operation<'_>, status: u16) -> &'a Value {
        let response = &operation.value["responses"][&status.to_string()];
        assert!(response.is_object(), "{status} of {} {}", operation.method, operation.path);
        self.resolve(response)
    }

    /// The value itself, or where its reference leads.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        schema::resolve(&self.root, value)
    }

    pub(super) fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        schema::fits(&self.root, schema, value, "$")
    }

    /// Every `$ref` in the document.
    pub(super) fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut left = vec![&self.root];
        while let Some(value) = left.pop() {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                    left.extend(fields.values());
                }
                Value::Array(items) => left.extend(items),
                _ => {}
            }
        }
        found
    }
}

impl Operation<'_> {
    pub(super) fn statuses(&self) -> impl Iterator<Item = u16> {
        let responses = self.value["responses"].as_object().expect("responses");
        responses.keys().map(|status| status.parse().expect("a status"))
    }
}
