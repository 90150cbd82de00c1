//! The cookie of an earlier name: somebody signed in, and then the site was set up otherwise.
//!
//! Owns that a sign-out and a sign-in end what lies there, that nobody is believed to be signed in by it, and that whoever plants it gains nothing.

mod stage;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use exeunt::random::OsRandom;
use exeunt::store::staged::{Staged, When};
use exeunt::{Authority, By, Cause, Token};
use exeunt_axum::{Auth, AuthError, AuthLayer, CookieDomain, LoggedOut};
use stage::{ANA, FORM, PASSWORD, authority, cookie_of, cookies, read_notes, send, signed_in, text};

const HOST: (&str, &str) = ("host", "notes.example.org");
const LOCALHOST: (&str, &str) = ("host", "localhost:3000");
const BEA: &str = "name=bea&password=tall+ships+sail";

/// What takes the cookie of each app back, as [`Site::apps`] has them.
const CLEARS: [&str; 3] = [
    "__Host-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
    "__Secure-exeunt=; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.org; Max-Age=0",
    "exeunt=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0",
];

/// One authority, and an app on it for each way to set it up.
struct Site {
    https: Router,
    shared: Router,
    plain: Router,
    authority: Arc<Authority>,
    store: Arc<Staged>,
}

async fn leave_everywhere(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    Ok((auth.logout_everywhere().await?, Redirect::to("/")))
}

/// What it says has ended.
async fn count(auth: Auth) -> Result<(LoggedOut, String), AuthError> {
    let left = auth.logout().await?;
    let ended = left.revoked().map_or(0, |revoked| revoked.ended().len());
    Ok((left, ended.to_string()))
}

impl Site {
    async fn new() -> Self {
        let (authority, store) = authority().await;
        authority.add_user("Bea", PASSWORD, By::operator()).await.expect("added");
        let domain = CookieDomain::parse("example.org", "notes.example.org").expect("a domain");
        let app = |layer: AuthLayer| {
            stage::routes().route("/everywhere", post(leave_everywhere)).route("/count", get(count)).layer(layer)
        };
        Self {
            https: app(AuthLayer::new(Arc::clone(&authority))),
            shared: app(AuthLayer::across(Arc::clone(&authority), domain)),
            plain: app(AuthLayer::plain_http_on_loopback(Arc::clone(&authority))),
            authority,
            store,
        }
    }

    fn apps(&self) -> [&Router; 3] {
        [&self.https, &self.shared, &self.plain]
    }

    /// Why the last session of a user ended.
    async fn last_cause(&self) -> Option<Cause> {
        let all = exeunt::AuditQuery::newest(100);
        let entries = self.authority.audit(&all).await.expect("read");
        entries.into_iter().find_map(|entry| entry.cause)
    }
}

async fn ask(app: &Router, request: &str, cookie: &str) -> Response<Body> {
    send(app, request, &[HOST, ("cookie", cookie)], "").await
}

/// Whoever signs in here without anything, as a browser sends the cookie back.
async fn enter(app: &Router, form: &str) -> String {
    cookie_of(&send(app, "POST /login", &[FORM, LOCALHOST], form).await)
}

/// A name that is ours, and a token of nobody's.
fn planted(name: &str) -> String {
    format!("{name}={}", Token::generate(&OsRandom).reveal())
}

fn name(cookie: &str) -> &str {
    cookie.split('=').next().expect("a name")
}

/// The cookie of the site as it is set up now, and no other.
fn must_clear(answer: &Response<Body>, now: &str) {
    assert_eq!(cookies(answer), [now], "{answer:?}");
}

#[tokio::test]
async fn a_sign_out_ends_what_the_browser_holds_from_before_and_takes_one_cookie_back() {
    let site = Site::new().await;
    for (at, now) in site.apps().into_iter().enumerate() {
        for before in site.apps().into_iter().filter(|before| !std::ptr::eq(*before, now)) {
            for request in ["POST /logout", "GET /logout"] {
                let earlier = enter(before, ANA).await;
                assert_eq!(read_notes(before, &earlier).await, StatusCode::OK);
                let looked = ask(now, "GET /notes", &earlier).await;
                assert_eq!((looked.status(), cookies(&looked)), (StatusCode::UNAUTHORIZED, vec![]), "{earlier}");
                let left = ask(now, request, &earlier).await;
                assert_eq!(left.status(), StatusCode::SEE_OTHER);
                must_clear(&left, CLEARS[at]);
                assert_eq!(read_notes(before, &earlier).await, StatusCode::UNAUTHORIZED, "{request} {earlier}");
                assert_eq!(site.last_cause().await, Some(Cause::Logout));

                let (earlier, own) = (enter(before, BEA).await, enter(now, ANA).await);
                let left = ask(now, request, &format!("{earlier}; {own}")).await;
                assert_eq!(left.status(), StatusCode::SEE_OTHER);
                must_clear(&left, CLEARS[at]);
                assert_eq!(read_notes(before, &earlier).await, StatusCode::UNAUTHORIZED, "{request} {earlier}");
                assert_eq!(read_notes(now, &own).await, StatusCode::UNAUTHORIZED);
            }
        }
    }
}

#[tokio::test]
async fn under_both_other_names_and_twice_under_one_all_of_them_end() {
    let site = Site::new().await;
    let earlier = [
        enter(&site.shared, ANA).await,
        enter(&site.shared, BEA).await,
        enter(&site.plain, ANA).await,
        enter(&site.plain, BEA).await,
    ];
    let left = ask(&site.https, "POST /logout", &earlier.join("; ")).await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    must_clear(&left, CLEARS[0]);
    for cookie in earlier {
        let app = if name(&cookie) == "exeunt" { &site.plain } else { &site.shared };
        assert_eq!(read_notes(app, &cookie).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn what_ended_is_told_whatever_it_was_called() {
    let site = Site::new().await;
    let earlier = enter(&site.plain, ANA).await;
    let left = ask(&site.https, "GET /count", &earlier).await;
    assert_eq!(text(left).await, "1");
    assert_eq!(text(ask(&site.https, "GET /count", &earlier).await).await, "0");
    let (earlier, other) = (enter(&site.plain, ANA).await, enter(&site.shared, BEA).await);
    let all = format!("{earlier}; {other}; {}", enter(&site.https, ANA).await);
    assert_eq!(text(ask(&site.https, "GET /count", &all).await).await, "3");
}

/// Another authority may use the name on another host of the domain, or a sibling has planted it.
#[tokio::test]
async fn what_opens_nothing_here_changes_nothing_in_the_answer() {
    let site = Site::new().await;
    let many: Vec<String> = (0..200).map(|_| planted("__Secure-exeunt")).collect();
    let [garbage, long] =
        ["exeunt=garbage; exeunt=; __Secure-exeunt".to_owned(), format!("exeunt={}", "x".repeat(4_000))];
    for beside in [planted("exeunt"), planted("__Secure-exeunt"), garbage, long, many.join("; ")] {
        for own in [String::new(), enter(&site.https, ANA).await] {
            let both = format!("{beside}; {own}");
            let left = ask(&site.https, "POST /logout", &both).await;
            assert_eq!(left.status(), StatusCode::SEE_OTHER, "{both}");
            must_clear(&left, CLEARS[0]);
            assert_eq!(read_notes(&site.https, &own).await, StatusCode::UNAUTHORIZED);
            let entered = send(&site.https, "POST /login", &[FORM, HOST, ("cookie", &both)], ANA).await;
            assert_eq!((entered.status(), cookies(&entered).len()), (StatusCode::SEE_OTHER, 1), "{both}");
        }
    }
    // One of ours ends beside it all the same.
    let earlier = enter(&site.shared, ANA).await;
    let left = ask(&site.https, "POST /logout", &format!("{}; {earlier}", planted("__Secure-exeunt"))).await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    must_clear(&left, CLEARS[0]);
    assert_eq!(read_notes(&site.shared, &earlier).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn where_it_cannot_be_known_that_it_ended_the_sign_out_says_so_and_takes_nothing_back() {
    let site = Site::new().await;
    let earlier = enter(&site.plain, ANA).await;
    let own = enter(&site.https, BEA).await;
    for cookie in [earlier.clone(), format!("{earlier}; {own}")] {
        for (sentence, request) in [("revoke", "POST /logout"), ("revoke", "GET /logout")] {
            site.store.fail(sentence, When::Before);
            let left = ask(&site.https, request, &cookie).await;
            assert_eq!((left.status(), cookies(&left)), (StatusCode::SERVICE_UNAVAILABLE, vec![]), "{request}");
            assert!(text(left).await.contains("NOT signed out"));
            site.store.clear();
        }
        assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::OK);
    }
    // The one is over, and of the other it is not known.
    site.store.fail("revoke", When::After);
    assert_eq!(ask(&site.https, "POST /logout", &earlier).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    site.store.clear();
    site.store.fail("settled", When::Before);
    let left = ask(&site.https, "POST /logout", &earlier).await;
    assert_eq!((left.status(), cookies(&left)), (StatusCode::SERVICE_UNAVAILABLE, vec![]), "others may not have heard");
    site.store.clear();
    assert_eq!(ask(&site.https, "POST /logout", &format!("{earlier}; {own}")).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&site.https, &own).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_signs_in_replaces_it() {
    let site = Site::new().await;
    let (earlier, other) = (enter(&site.plain, ANA).await, enter(&site.shared, BEA).await);
    let both = format!("{earlier}; {other}");
    let wrong = send(&site.https, "POST /login", &[FORM, HOST, ("cookie", &both)], "name=ana&password=wrong").await;
    assert_eq!((wrong.status(), cookies(&wrong)), (StatusCode::UNAUTHORIZED, vec![]));
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::OK, "nobody signed in over it");
    let entered = send(&site.https, "POST /login", &[FORM, HOST, ("cookie", &both)], ANA).await;
    assert_eq!(cookies(&entered).len(), 1, "{entered:?}");
    assert_eq!(read_notes(&site.https, &cookie_of(&entered)).await, StatusCode::OK);
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&site.shared, &other).await, StatusCode::UNAUTHORIZED);
    assert_eq!(site.last_cause().await, Some(Cause::Replaced));
}

/// What could not be replaced is no reason to turn somebody away who has a session already.
#[tokio::test]
async fn whoever_signs_in_is_in_where_it_could_not_be_replaced_and_the_next_sign_out_ends_it() {
    let site = Site::new().await;
    let earlier = enter(&site.plain, ANA).await;
    site.store.fail("revoke", When::Before);
    let entered = send(&site.https, "POST /login", &[FORM, HOST, ("cookie", &earlier)], ANA).await;
    assert_eq!((entered.status(), cookies(&entered).len()), (StatusCode::SEE_OTHER, 1));
    site.store.clear();
    let own = cookie_of(&entered);
    assert_eq!(read_notes(&site.https, &own).await, StatusCode::OK);
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::OK);
    let left = ask(&site.https, "POST /logout", &format!("{earlier}; {own}")).await;
    must_clear(&left, CLEARS[0]);
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&site.https, &own).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_site_ends_none_of_it_and_whom_it_sends_is_asked() {
    let site = Site::new().await;
    let earlier = enter(&site.plain, ANA).await;
    let go = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")];
    let image = [("sec-fetch-dest", "image"), ("sec-fetch-site", "same-site")];
    let foreign = [("sec-fetch-site", "cross-site")];
    for (request, fields) in [
        ("GET /logout", &go[..]),
        ("GET /logout", &image[..]),
        ("POST /logout", &foreign[..]),
        ("POST /everywhere", &foreign[..]),
        ("POST /login", &foreign[..]),
    ] {
        let fields = [&[FORM, HOST, ("cookie", &*earlier)], fields].concat();
        let refused = send(&site.https, request, &fields, ANA).await;
        assert_eq!((refused.status(), cookies(&refused)), (StatusCode::FORBIDDEN, vec![]), "{request}");
        assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::OK, "{request}");
    }
    // Nothing to lose, nothing to ask.
    for cookie in [planted("exeunt"), String::new()] {
        let left = send(&site.https, "GET /logout", &[&[HOST, ("cookie", &*cookie)], &go[..]].concat(), "").await;
        assert_eq!(left.status(), StatusCode::SEE_OTHER);
    }
    assert_eq!(ask(&site.https, "POST /logout", &earlier).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_bearer_token_is_what_is_meant_and_no_cookie_beside_it() {
    let site = Site::new().await;
    let earlier = enter(&site.plain, ANA).await;
    let program = enter(&site.https, BEA).await;
    let bearer = format!("Bearer {}", program.split_once('=').expect("a pair").1);
    let fields = [HOST, ("cookie", &*earlier), ("authorization", &*bearer)];
    let left = send(&site.https, "POST /logout", &fields, "").await;
    assert_eq!((left.status(), cookies(&left)), (StatusCode::SEE_OTHER, vec![]));
    assert_eq!(read_notes(&site.https, &program).await, StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::OK);
}

#[tokio::test]
async fn whoever_signs_out_everywhere_keeps_none_of_it() {
    let site = Site::new().await;
    for form in [ANA, BEA] {
        let earlier = enter(&site.plain, form).await;
        let own = enter(&site.https, ANA).await;
        let refused = ask(&site.https, "POST /everywhere", &earlier).await;
        assert_eq!((refused.status(), cookies(&refused)), (StatusCode::UNAUTHORIZED, vec![]), "it signs nobody in");
        let left = ask(&site.https, "POST /everywhere", &format!("{own}; {earlier}")).await;
        assert_eq!(left.status(), StatusCode::SEE_OTHER);
        must_clear(&left, CLEARS[0]);
        assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::UNAUTHORIZED);
        assert_eq!(read_notes(&site.https, &own).await, StatusCode::UNAUTHORIZED);
    }
}

/// Of two values under the name of now it is not known which is meant; that is refused as ever, whatever lies beside them.
#[tokio::test]
async fn two_cookies_of_now_are_refused_and_what_is_from_before_lives() {
    let site = Site::new().await;
    let earlier = enter(&site.plain, ANA).await;
    let two = format!("{}; {}", signed_in(&site.https).await, signed_in(&site.https).await);
    let refused = ask(&site.https, "POST /logout", &format!("{earlier}; {two}")).await;
    assert_eq!((refused.status(), cookies(&refused)), (StatusCode::BAD_REQUEST, vec![]));
    assert_eq!(read_notes(&site.plain, &earlier).await, StatusCode::OK);
}
