//! Seed A: the lesson on logging a user out of an Express and Passport app.
//!
//! Owns its hints, asked as its checker asks them: fetch the address, follow redirects, read the text.

use crate::support::{Actor, Answer, TestApp};

/// `fetch(url)`: follows redirects as browsers do.
async fn fetch(somebody: &Actor, path: &str) -> Answer {
    let mut answer = somebody.get(path).await;
    for _ in 0..20 {
        if !answer.status.is_redirection() {
            return answer;
        }
        answer = somebody.get(answer.one("location")).await;
    }
    panic!("redirected without end: {answer:?}");
}

fn must_match_home_page(answer: &Answer) {
    assert_eq!(answer.status, 200);
    assert!(answer.text().to_lowercase().contains("home page"), "/Home page/gi: {answer:?}");
}

#[tokio::test]
async fn logout_should_redirect_to_the_home_page() {
    let app = TestApp::new().await;
    must_match_home_page(&fetch(&app.anon(), "/logout").await);

    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    must_match_home_page(&fetch(&ana, "/logout").await);
    assert_eq!(ana.cookie(), None, "the browser has dropped the cookie");
    thief.must_be_refused().await;
}

#[tokio::test]
async fn logout_unauthenticates_instead_of_rendering_any_view() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let thief = ana.thief();
    let answer = ana.get("/logout").await;
    assert!(answer.status.is_redirection() && answer.body.is_empty(), "{answer:?}");
    thief.must_be_refused().await;
}

#[tokio::test]
async fn missing_pages_are_404_as_text_not_found() {
    let app = TestApp::new().await;
    let answer = fetch(&app.anon(), "/missing").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (404, "Not Found"));
    assert!(answer.one("content-type").starts_with("text/plain"), "{answer:?}");
}
