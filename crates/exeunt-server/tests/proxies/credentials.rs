//! What the app gets of a credential: nothing.

use crate::http::Request;
use crate::stage::{Proxy, Stage};

/// What reaches the app under a name, all lines together.
fn at_app(fields: &[(String, String)], name: &str) -> String {
    let lines = fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
    lines.map(|(_, value)| &**value).collect::<Vec<_>>().join("|")
}

#[test]
fn the_app_gets_every_cookie_but_ours() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        for (brought, wanted) in [
            ("exeunt=T", ""),
            ("a=1; exeunt=T", "a=1"),
            ("exeunt=T; a=1; b=2", "a=1; b=2"),
            ("a=1; exeunt=T; b=2", "a=1; b=2"),
            ("a=1;exeunt=T;b=2", "a=1;b=2"),
            ("a=exeunt; exeunt=T; nexeunt=1; exeunts=2; x-exeunt=3", "a=exeunt; nexeunt=1; exeunts=2; x-exeunt=3"),
            ("__Secure-exeunt=T; exeunt=T; __Host-exeunt=T", ""),
        ] {
            for path in ["/fields", "/public/fields"] {
                let ask = Request::get(path).field("Cookie", brought.replace('T', &token));
                let fields = stage.fields_at_app(ask);
                assert_eq!(at_app(&fields, "Cookie"), wanted, "{proxy:?} {path} {brought}");
                assert!(!format!("{fields:?}").contains(&token), "{proxy:?} {brought}: {fields:?}");
            }
        }
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

#[test]
fn however_often_a_token_is_brought_the_app_does_not_get_it() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        let ours = format!("exeunt={token}");
        for lines in [
            vec![format!("{ours}; {ours}")],
            vec![format!("{ours}; a=1; {ours}; {ours}")],
            vec![ours.clone(), ours.clone()],
            vec!["a=1".to_owned(), ours.clone(), format!("b=2; {ours}")],
            vec![format!("{ours};;;  {ours} ; \t{ours}")],
        ] {
            let ask = lines.iter().fold(Request::get("/fields"), |ask, line| ask.field("Cookie", line));
            let fields = stage.fields_at_app(ask);
            assert!(!format!("{fields:?}").contains(&token), "{proxy:?} {lines:?}: {fields:?}");
        }
        for path in ["/fields", "/public/fields"] {
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let ask = Request::get(path).field("Authorization", format!("{scheme} {token}")).cookie(&token);
                let fields = stage.fields_at_app(ask);
                assert!(!format!("{fields:?}").contains(&token), "{proxy:?} {path} {scheme}: {fields:?}");
            }
        }
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

#[test]
fn another_scheme_is_the_apps_own_affair() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let token = stage.register("Ana");
        let fields = stage.fields_at_app(Request::get("/fields").cookie(&token).basic("app", "its own"));
        assert_eq!(at_app(&fields, "Authorization"), "Basic YXBwOml0cyBvd24=", "{proxy:?}");
        stage.id(Request::post("/api/logout").bearer(&token));
        stage.must_be_refused(&token);
    }
}

#[test]
fn two_different_cookies_are_refused_and_the_remedy_is_said() {
    for proxy in Proxy::ALL {
        let stage = Stage::new(proxy);
        let (ana, eve) = (stage.register("Ana"), stage.register("Eve"));
        stage.reached();
        let both = Request::get("/notes").field("Cookie", format!("exeunt={ana}; exeunt={eve}"));
        let refused = stage.notes(crate::stage::visiting(both));
        assert_eq!(refused.status, 401, "{proxy:?}: {refused:?}");
        assert!(refused.body.contains("delete the cookies of this site"), "{proxy:?}: {refused:?}");
        assert_eq!(stage.reached(), 0);
        stage.id(Request::post("/api/logout").bearer(&ana));
        stage.must_be_refused(&ana);
        stage.must_be_let_in(&eve);
    }
}
