//! The five names as an app's author meets them: what each lets in, sets, clears and refuses.

mod stage;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use exeunt::Token;
use exeunt::random::OsRandom;
use exeunt::store::staged::When;
use exeunt::{Become, By};
use exeunt_axum::{Admin, Auth, AuthError, AuthLayer, LoggedOut};
use stage::{
    ANA, FORM, NAME, app, ask, authority, cookie_of, cookies, notes, read_notes, routes, send, signed_in, text,
};

async fn sign_in(app: &Router, fields: &[(&str, &str)]) -> Response<Body> {
    send(app, "POST /login", &[&[FORM], fields].concat(), ANA).await
}

#[tokio::test]
async fn signing_in_sets_one_strict_cookie_and_signing_out_clears_it_alike() {
    let (app, _) = app().await;
    let entered = sign_in(&app, &[]).await;
    assert_eq!(
        (entered.status(), &entered.headers()[CACHE_CONTROL]),
        (StatusCode::SEE_OTHER, &"no-store".parse().unwrap())
    );
    let set = entered.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    let cookie = cookie_of(&entered);
    let rest = set.strip_prefix(&cookie).expect("begins with the pair");
    assert_eq!(rest, "; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000");
    assert!(cookie.starts_with("__Host-exeunt=exn_"), "{cookie}");
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK);

    let left = ask(&app, "POST /logout", &cookie).await;
    assert_eq!(left.headers().get_all(SET_COOKIE).iter().count(), 1);
    assert_eq!(left.headers()[SET_COOKIE], "__Host-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    assert_eq!(left.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED, "the old cookie, replayed");
}

#[tokio::test]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    let (app, _) = app().await;
    let first = signed_in(&app).await;
    let second = cookie_of(&sign_in(&app, &[("cookie", &first)]).await);
    assert_ne!(first, second);
    assert_eq!(read_notes(&app, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&app, &second).await, StatusCode::OK);
}

#[tokio::test]
async fn a_bearer_token_is_let_in_and_its_end_clears_no_cookie() {
    let (app, _) = app().await;
    let cookie = signed_in(&app).await;
    let bearer = format!("Bearer {}", cookie.split_once('=').expect("a pair").1);
    let fields = [("authorization", &*bearer)];
    assert_eq!(send(&app, "GET /notes", &fields, "").await.status(), StatusCode::OK);
    let left = send(&app, "POST /logout", &[fields[0], ("sec-fetch-site", "cross-site")], "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER, "a bearer token is meant, wherever it comes from");
    assert!(!left.headers().contains_key(SET_COOKIE));
    assert_eq!(send(&app, "GET /notes", &fields, "").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_bearer_token_and_a_cookie_that_disagree_are_refused_and_end_nothing() {
    let (app, _) = app().await;
    let (one, two) = (signed_in(&app).await, signed_in(&app).await);
    let bearer = format!("Bearer {}", two.split_once('=').expect("a pair").1);
    for bearer in [&*bearer, "Bearer garbage"] {
        for request in ["POST /logout", "GET /notes"] {
            let answer = send(&app, request, &[("cookie", &one), ("authorization", bearer)], "").await;
            assert_eq!((answer.status(), answer.headers().contains_key(SET_COOKIE)), (StatusCode::BAD_REQUEST, false));
        }
    }
    assert_eq!((read_notes(&app, &one).await, read_notes(&app, &two).await), (StatusCode::OK, StatusCode::OK));
    let agree = format!("Bearer {}", one.split_once('=').expect("a pair").1);
    let left = send(&app, "POST /logout", &[("cookie", &one), ("authorization", &agree)], "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        (read_notes(&app, &one).await, read_notes(&app, &two).await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
}

#[tokio::test]
async fn another_site_can_neither_sign_in_nor_out() {
    let (app, _) = app().await;
    let cookie = signed_in(&app).await;
    for foreign in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let left = send(&app, "POST /logout", &[("cookie", &cookie), ("host", "id.example"), foreign], "").await;
        assert_eq!((left.status(), left.headers().contains_key(SET_COOKIE)), (StatusCode::FORBIDDEN, false));
        let entered = sign_in(&app, &[("host", "id.example"), foreign]).await;
        assert_eq!((entered.status(), entered.headers().contains_key(SET_COOKIE)), (StatusCode::FORBIDDEN, false));
    }
    let sent = [("cookie", &*cookie), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(send(&app, "GET /logout", &sent, "").await.status(), StatusCode::FORBIDDEN, "asks first");
    assert_eq!(ask(&app, "HEAD /logout", &cookie).await.status(), StatusCode::FORBIDDEN);
    let own_script = [("cookie", &*cookie), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")];
    let refused = send(&app, "GET /logout", &own_script, "").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(text(refused).await.contains("did not come from a click or a form on this site"), "that is no other site");
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK);
    let own = [("cookie", &*cookie), ("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")];
    assert_eq!(send(&app, "GET /logout", &own, "").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn two_cookies_are_refused_and_nothing_is_claimed() {
    let (app, _) = app().await;
    let cookie = signed_in(&app).await;
    let tossed = format!("{cookie}; __Host-exeunt=exn_tossed");
    let refused = ask(&app, "GET /notes", &tossed).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(text(refused).await.contains("delete the cookies of this site"), "to sign in again would not help");
    let left = ask(&app, "POST /logout", &tossed).await;
    assert_eq!((left.status(), left.headers().contains_key(SET_COOKIE)), (StatusCode::BAD_REQUEST, false));
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK, "it is alive, and nobody was told otherwise");
}

#[tokio::test]
async fn without_a_session_signing_out_is_a_success_that_writes_nothing() {
    let (app, store) = app().await;
    for write in ["revoke", "touch", "settled"] {
        store.fail(write, When::Before);
    }
    for fields in [vec![], vec![("cookie", "__Host-exeunt=garbage")]] {
        let left = send(&app, "POST /logout", &fields, "").await;
        assert_eq!((left.status(), left.headers().contains_key(SET_COOKIE)), (StatusCode::SEE_OTHER, true));
    }
}

/// A token that opens nothing any more may still open something elsewhere, so the store is asked, in a write that lasts. It ends nothing.
#[tokio::test]
async fn with_a_token_that_opens_nothing_signing_out_is_a_success_if_the_store_says_so_and_only_then() {
    let (app, store) = app().await;
    let cookie = signed_in(&app).await;
    assert_eq!(ask(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
    let made_up = format!("__Host-exeunt={}", Token::generate(&OsRandom).reveal());
    for cookie in [&cookie, &made_up] {
        for write in ["revoke", "touch"] {
            store.fail(write, When::Before);
        }
        let left = ask(&app, "POST /logout", cookie).await;
        assert_eq!((left.status(), cookies(&left).len()), (StatusCode::SEE_OTHER, 1));
        store.fail("settled", When::Before);
        let left = ask(&app, "POST /logout", cookie).await;
        assert_eq!((left.status(), cookies(&left).len()), (StatusCode::SERVICE_UNAVAILABLE, 0));
        store.clear();
        assert_eq!(read_notes(&app, cookie).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn where_the_store_cannot_say_that_it_is_over_nobody_says_so() {
    let (app, store) = app().await;
    let cookie = signed_in(&app).await;
    for when in [When::Before, When::After] {
        store.fail("revoke", when);
        let left = ask(&app, "POST /logout", &cookie).await;
        assert_eq!(left.status(), StatusCode::SERVICE_UNAVAILABLE, "{when:?}");
        assert!(left.headers().contains_key(RETRY_AFTER) && !left.headers().contains_key(SET_COOKIE), "{when:?}");
        assert!(text(left).await.contains("NOT signed out"));
        store.clear();
        let alive = when == When::Before;
        assert_eq!(read_notes(&app, &cookie).await == StatusCode::OK, alive, "refused is not unreachable");
    }
    let left = ask(&app, "POST /logout", &cookie).await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER, "the cookie was kept, so it could be tried again");
}

#[tokio::test]
async fn wrong_name_and_wrong_password_are_told_alike() {
    let (app, _) = app().await;
    let mut said = Vec::new();
    for body in ["name=ana&password=wrong+ships+sail", "name=nobody&password=tall+ships+sail", "name=a%3Ab&password=x"]
    {
        let refused = send(&app, "POST /login", &[FORM], body).await;
        let headers = format!("{:?}", refused.headers());
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        said.push((headers, text(refused).await));
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(said[0], said[2]);
}

#[tokio::test]
async fn a_route_without_the_layer_says_what_is_missing() {
    let app = Router::<()>::new().route("/notes", get(notes));
    let response = send(&app, "GET /notes", &[("cookie", "a=b"), ("authorization", "x y")], "").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let said = text(response).await;
    assert!(said.contains(".layer(AuthLayer::new"), "{said}");
}

/// An app may put any verb on `GET`. The cookie comes along with a link, wherever it was clicked, and with an image of a host beside ours.
#[tokio::test]
async fn another_site_leads_nobody_to_a_verb_that_an_app_has_put_on_get() {
    async fn everywhere(auth: Auth) -> Result<LoggedOut, AuthError> {
        auth.logout_everywhere().await
    }
    async fn others(auth: Auth) -> Result<String, AuthError> {
        Ok(auth.logout_others().await?.ended().len().to_string())
    }
    async fn own(auth: Auth) -> Result<String, AuthError> {
        let id = auth.user().ok_or(AuthError::NotSignedIn)?.id;
        Ok(auth.end(id).await?.is_some().to_string())
    }
    async fn everybody(admin: Admin) -> Result<String, AuthError> {
        Ok(admin.desk().end_everyone().await?.ended().len().to_string())
    }
    let (authority, _) = authority().await;
    let verbs =
        Router::new().route("/others", get(others)).route("/own", get(own)).route("/everywhere", get(everywhere));
    let app = routes().merge(verbs).route("/everybody", get(everybody)).layer(AuthLayer::new(Arc::clone(&authority)));
    let user = authority.user_named(NAME).await.expect("looked").expect("is there").id;
    authority.change_user(user, Become::Admin, By::operator()).await.expect("changed");
    let (cookie, other) = (signed_in(&app).await, signed_in(&app).await);
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let image = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    for path in ["/others", "/own", "/everywhere", "/everybody"] {
        for (led, code) in [(link, "unconfirmed"), (image, "cross-origin")] {
            let fields = [&[("cookie", &*cookie), ("accept", "application/json")], &led[..]].concat();
            let refused = send(&app, &format!("GET {path}"), &fields, "").await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
            let said = text(refused).await;
            assert!(said.contains(&format!("\"code\":\"{code}\"")), "{path}: {said}");
        }
    }
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK);
    assert_eq!(read_notes(&app, &other).await, StatusCode::OK);
    assert_eq!(send(&app, "GET /others", &link, "").await.status(), StatusCode::UNAUTHORIZED, "nobody to be asked");
    assert_eq!(ask(&app, "GET /everybody", &cookie).await.status(), StatusCode::OK);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&app, &other).await, StatusCode::UNAUTHORIZED);
}
