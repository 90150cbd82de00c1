//! `cookie_domain`: a cookie that other hosts of a domain get too.
//!
//! Owns its name and attributes, and that a sign-out takes back that very cookie.

use crate::support::{Actor, Answer, PASSWORD, Setup, TestApp};

const NAME: &str = "__Secure-exeunt";
const LASTING: [&str; 5] = ["Domain=id.example", "HttpOnly", "Path=/", "SameSite=Lax", "Secure"];

async fn sign_in(app: &TestApp) -> (Answer, String) {
    app.add("Ana").await;
    let form = [("username", "Ana"), ("password", PASSWORD)];
    let answer = app.anon().post("/login").form(&form).await;
    let token = answer.sets_one_cookie(NAME, &[&LASTING[..], &["Max-Age=2592000"]].concat());
    (answer, token)
}

async fn status(somebody: &Actor, cookie: &str) -> u16 {
    let shown = somebody.get("/api/session").cookies(&[cookie]).await.status.as_u16();
    let checked = somebody.get("/auth/check").cookies(&[cookie]).await.status.as_u16();
    assert_eq!(shown, checked, "{cookie}");
    shown
}

#[tokio::test]
async fn the_cookie_is_set_for_the_domain_and_taken_back_from_it() {
    let app = Setup::default().cookie_for_all_of_id_example().build().await;
    let (opened, token) = sign_in(&app).await;
    assert_eq!((opened.status.as_u16(), opened.one("location")), (303, "/account"));
    let somebody = app.anon();
    let cookie = format!("{NAME}={token}");
    assert_eq!(status(&somebody, &cookie).await, 200);

    let gone = somebody.post("/logout").cookies(&[&cookie]).await;
    assert_eq!((gone.status.as_u16(), gone.one("location")), (303, "/"));
    assert_eq!(gone.sets_one_cookie(NAME, &[&LASTING[..], &["Max-Age=0"]].concat()), "");
    assert_eq!(status(&somebody, &cookie).await, 401);
    assert_eq!(app.bearer(&token).get("/auth/check").await.status, 401);
}

#[tokio::test]
async fn only_the_cookie_of_this_setting_is_looked_at() {
    let app = Setup::default().cookie_for_all_of_id_example().build().await;
    let (_, token) = sign_in(&app).await;
    for other in ["__Host-exeunt", "exeunt", "__secure-exeunt"] {
        assert_eq!(status(&app.anon(), &format!("{other}={token}")).await, 401, "{other}");
    }
    let alone = Setup::default().https().build().await;
    let ana = alone.browser_of_new("Ana").await.token();
    assert_eq!(status(&alone.anon(), &format!("{NAME}={ana}")).await, 401, "what a neighbour could plant");
    assert_eq!(status(&alone.anon(), &format!("__Host-exeunt={ana}")).await, 200);
}

/// A neighbour below the domain can plant a cookie of this name beside ours, with another path or host.
#[tokio::test]
async fn a_cookie_that_a_neighbour_planted_beside_ours_is_refused_and_no_sign_out_is_claimed() {
    let app = Setup::default().cookie_for_all_of_id_example().build().await;
    let (_, token) = sign_in(&app).await;
    app.add("Eve").await;
    let form = [("username", "Eve"), ("password", PASSWORD)];
    let planted = app.anon().post("/login").form(&form).await.cookie(NAME).expect("a cookie").0;
    for both in [format!("{NAME}={planted}; {NAME}={token}"), format!("{NAME}={token}; {NAME}={planted}")] {
        assert_eq!(status(&app.anon(), &both).await, 401, "nobody acts in another's name");
        let refused = app.anon().post("/logout").cookies(&[&both]).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        refused.must_keep_the_cookie();
    }
    let ours = format!("{NAME}={token}");
    assert_eq!(status(&app.anon(), &ours).await, 200, "and nothing has ended");
    assert_eq!(app.anon().post("/logout").cookies(&[&ours]).await.status, 303);
    assert_eq!(status(&app.anon(), &ours).await, 401);
}
