//! A person signs in, uses the app, signs out, and is out at once.

use crate::http::Request;
use crate::people::{PASSWORD, sign_in};
use crate::stage::{Proxy, Stage, visiting};

#[test]
fn whoever_signs_out_is_out_of_the_app_at_once() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        let hello = stage.notes(Request::get("/notes").cookie(&token));
        assert!(hello.status == 200 && hello.body.contains("Hello, Ana (user 1)."), "{proxy:?}: {hello:?}");
        stage.must_be_let_in(&token);

        let left = stage.id(Request::post("/logout").field("Origin", stage.id_origin()).cookie(&token));
        assert_eq!((left.status, left.field("Location")), (303, Some("/")), "{proxy:?}: {left:?}");
        stage.must_be_refused(&token);
    }
}

#[test]
fn a_link_in_the_app_signs_out_after_a_question_and_leads_back() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        let public = format!("{}/public/bye?x=1&y=2", stage.notes_origin());
        let query = serde_urlencoded::to_string([("return_to", &public)]).expect("a pair");
        let link = Request::get(&format!("/logout?{query}")).cookie(&token);
        let sent = link.field("Sec-Fetch-Site", "same-site").field("Sec-Fetch-Mode", "navigate");
        let question = stage.id(sent.field("Sec-Fetch-Dest", "document"));
        assert_eq!((question.status, question.fields("Set-Cookie").len()), (200, 0), "{proxy:?}: {question:?}");
        let action = format!("action=\"/logout?{}\"", query.replace('&', "&#38;"));
        assert!(question.body.contains(&action), "{action}: {question:?}");
        stage.must_be_let_in(&token);

        let button = Request::post(&format!("/logout?{query}")).cookie(&token);
        let left = stage.id(button.field("Sec-Fetch-Site", "same-origin").field("Origin", stage.id_origin()));
        assert_eq!((left.status, left.field("Location")), (303, Some(&*public)), "{proxy:?}: {left:?}");
        assert_eq!(stage.notes(visiting(Request::get("/public/bye"))).status, 200);
        stage.must_be_refused(&token);
    }
}

#[test]
fn a_program_with_a_bearer_token_is_let_in_and_out() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        stage.register("Ana");
        let token = sign_in(stage.exeunt.as_ref().expect("running"), "Ana");
        let hello = stage.notes(Request::get("/notes").bearer(&token));
        assert!(hello.status == 200 && hello.body.contains("Hello, Ana"), "{proxy:?}: {hello:?}");
        let ended = stage.id(Request::post("/api/logout").bearer(&token));
        assert_eq!(ended.json()["ended"].as_array().map(Vec::len), Some(1), "{ended:?}");
        stage.must_be_refused(&token);
    }
}

#[test]
fn a_changed_password_ends_every_session_in_the_app() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        let other = sign_in(stage.exeunt.as_ref().expect("running"), "Ana");
        stage.must_be_let_in(&token);
        let change = serde_json::json!({"current": PASSWORD, "new": "tall ships sail on"});
        let changed = stage.id(Request::post("/api/password").bearer(&other).json(&change));
        assert_eq!(changed.status, 200, "{changed:?}");
        stage.must_be_refused(&token);
        stage.must_be_refused(&other);
        stage.must_be_let_in(changed.json()["token"].as_str().expect("a token"));
    }
}

#[test]
fn what_a_form_sends_reaches_the_app_whole_and_only_after_the_check() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        let form = [("note", "ships & sails")];
        let written = stage.notes(visiting(Request::post("/notes")).form(&form).cookie(&token));
        assert!(written.body.contains("note=ships+%26+sails"), "{proxy:?}: {written:?}");
        stage.reached();
        let refused = stage.notes(visiting(Request::post("/notes")).form(&form));
        assert_eq!(refused.status, 401, "{proxy:?}: a form cannot be sent again after the login page: {refused:?}");
        assert_eq!(stage.reached(), 0);
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}
