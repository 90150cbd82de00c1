//! `GET /api/openapi.json`: the document describes exactly what the session API does.
//!
//! Owns the comparison of the document with the routes, and of its examples with its schemas. That real answers fit
//! it is shown in a module of its own.

mod administration;
mod document;
mod own;
mod reality;
mod registering;
mod schema;

use std::collections::BTreeSet;

use exeunt_server::paths;
use serde_json::Value;

use self::document::Document;
use crate::support::TestApp;

const ITSELF: &str = "/api/openapi.json";

#[tokio::test]
async fn it_is_openapi_3_1_of_this_very_version() {
    let app = TestApp::new().await;
    let answer = app.anon().get(ITSELF).await;
    assert_eq!((answer.status.as_u16(), answer.one("content-type")), (200, "application/json"));
    let document = Document::served(&answer);
    assert_eq!(document.root["openapi"], "3.1.0");
    assert_eq!(document.root["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(!answer.text().contains("{version}"));
}

#[tokio::test]
async fn it_describes_exactly_the_routes_and_methods_that_there_are() {
    let app = TestApp::new().await;
    let document = Document::of(&app).await;
    let mut routes = BTreeSet::new();
    for path in paths().filter(|path| path.starts_with("/api/") && *path != ITSELF) {
        let answer = app.anon().ask("BREW".parse().expect("a method"), path).await;
        // HEAD is answered wherever GET is, and the document says so once.
        let methods = answer.one("allow").split(',').filter(|method| *method != "HEAD");
        routes.extend(methods.map(|method| (method.to_owned(), path.to_owned())));
    }
    let described = document.operations().map(|operation| (operation.method.to_uppercase(), operation.path.to_owned()));
    assert_eq!(described.collect::<BTreeSet<_>>(), routes);
}

#[tokio::test]
async fn every_operation_says_what_it_is_who_may_and_how_it_is_refused() {
    let document = Document::of(&TestApp::new().await).await;
    let mut names = BTreeSet::new();
    for operation in document.operations() {
        let value = operation.value;
        for field in ["operationId", "summary", "description"] {
            assert!(value[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {}", operation.path);
        }
        assert!(names.insert(value["operationId"].to_string()), "one name each");
        assert!(value["security"].is_array(), "{}", operation.path);
        for status in operation.statuses() {
            let response = document.response(&operation, status);
            let media_type = match (operation.path, status) {
                (_, 400..) => "application/problem+json",
                ("/api/events", _) => "text/event-stream",
                ("/api/admin/audit.jsonl", _) => "application/jsonl",
                _ => "application/json",
            };
            let content = response["content"].as_object().expect("a content");
            assert_eq!(content.keys().collect::<Vec<_>>(), [media_type], "{status} of {}", operation.path);
            if status >= 400 {
                assert_eq!(content[media_type]["schema"]["$ref"], "#/components/schemas/Problem");
            }
            let has = |header: &str| response["headers"].get(header).is_some();
            assert_eq!(has("WWW-Authenticate"), status == 401, "{status} of {}", operation.path);
            // To wait does not close what is open.
            let waiting_helps = status == 503
                || (status == 429 && !["/api/events", "/api/admin/audit.jsonl"].contains(&operation.path));
            assert_eq!(has("Retry-After"), waiting_helps, "{status} of {}", operation.path);
        }
    }
}

#[tokio::test]
async fn who_is_asked_for_a_credential_can_show_it_as_bearer_or_as_cookie() {
    let document = Document::of(&TestApp::new().await).await;
    let schemes = &document.root["components"]["securitySchemes"];
    assert_eq!((&schemes["bearer"]["type"], &schemes["bearer"]["scheme"]), (&"http".into(), &"bearer".into()));
    assert_eq!((&schemes["cookie"]["in"], &schemes["cookie"]["name"]), (&"cookie".into(), &"__Host-exeunt".into()));
    for operation in document.operations() {
        let refuses = operation.statuses().any(|status| {
            let examples = &document.response(&operation, status)["content"]["application/problem+json"]["examples"];
            examples["refused"]["value"]["code"] == "not-signed-in"
        });
        let asked: Vec<&Value> = operation.value["security"].as_array().expect("a list").iter().collect();
        let optional = asked.is_empty() || asked.contains(&&serde_json::json!({}));
        assert_eq!(refuses, !optional, "{}", operation.path);
        for scheme in asked.iter().filter_map(|one| one.as_object()).flat_map(|one| one.keys()) {
            assert!(schemes.get(scheme).is_some(), "{scheme}");
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_component_is_used() {
    let document = Document::of(&TestApp::new().await).await;
    let references = document.references();
    for reference in &references {
        assert!(document.root.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for kind in ["parameters", "schemas", "responses", "headers"] {
        for name in document.root["components"][kind].as_object().expect("components").keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(references.contains(&reference), "{reference} is used nowhere");
        }
    }
}

#[tokio::test]
async fn every_part_of_a_path_is_described_and_every_parameter_has_a_place() {
    let document = Document::of(&TestApp::new().await).await;
    for operation in document.operations() {
        let parameters = operation.value["parameters"].as_array().cloned().unwrap_or_default();
        let (mut in_path, mut names) = (BTreeSet::new(), BTreeSet::new());
        for parameter in parameters.iter().map(|parameter| document.resolve(parameter)) {
            let name = parameter["name"].as_str().expect("a name").to_owned();
            assert!(parameter["description"].is_string() && parameter["schema"].is_object(), "{parameter}");
            if parameter["in"] == "path" {
                in_path.insert(name.clone());
            } else {
                assert_eq!(parameter["in"], "query", "{parameter}");
            }
            assert!(names.insert(name), "{parameter} twice");
        }
        let parts = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(in_path, parts.map(ToOwned::to_owned).collect(), "{}", operation.path);
    }
}

#[tokio::test]
async fn every_deed_and_every_cause_that_there_is_is_described() {
    let answer = TestApp::new().await.anon().get(ITSELF).await;
    let words = exeunt::Cause::ALL.map(exeunt::Cause::as_str).into_iter();
    for word in words.chain(exeunt::Deed::ALL.map(exeunt::Deed::as_str)) {
        assert!(answer.text().contains(&format!("`{word}`")), "{word}");
    }
}

#[tokio::test]
async fn every_example_is_what_its_schema_says() {
    let document = Document::of(&TestApp::new().await).await;
    for operation in document.operations() {
        let request = operation.value["requestBody"]["content"].as_object();
        let responses = operation.statuses().map(|status| document.response(&operation, status));
        let contents = responses.filter_map(|response| response["content"].as_object());
        for media_type in request.into_iter().chain(contents).flat_map(|content| content.values()) {
            let examples = media_type["examples"].as_object().expect("an example shows more than a schema");
            assert!(!examples.is_empty());
            for (name, example) in examples {
                let fits = document.fits(&media_type["schema"], &example["value"]);
                fits.unwrap_or_else(|fault| panic!("example {name} of {}: {fault}", operation.path));
            }
        }
    }
}
