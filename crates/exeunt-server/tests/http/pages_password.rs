//! `POST /account/password`: a new password and a new token; everything from before is over.

use exeunt::store::staged::When;

use crate::pages_account::{must_lead_to, notice};
use crate::support::{Actor, Answer, PASSWORD, TestApp, WRONG};

const NEW: &str = "grey gulls glide";

async fn change(actor: &Actor, current: &str, new: &str) -> Answer {
    actor.post("/account/password").form(&[("current", current), ("new", new)]).await
}

#[tokio::test]
async fn every_session_from_before_is_over_and_this_browser_goes_on_with_a_new_token() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let [thief, other, program] = [ana.thief(), app.browser_of("Ana").await, app.program_of("Ana").await];
    let bob = app.browser_of_new("Bob").await;
    let answer = change(&ana, PASSWORD, NEW).await;
    must_lead_to(&answer, "/account?done=password");
    assert_ne!(ana.token(), thief.token());
    for old in [&thief, &other, &program] {
        old.must_be_refused().await;
    }
    ana.must_be_let_in().await;
    bob.must_be_let_in().await;
    assert_eq!(app.anon().sign_in("Ana", PASSWORD).await.status, 401);
    assert_eq!(app.anon().sign_in("Ana", NEW).await.status, 303);
    let page = ana.get(answer.one("location")).await;
    assert!(notice(&page).is_some_and(|said| said.starts_with("The password has been changed")), "{page:?}");
}

fn must_show_the_form_again(answer: &Answer, status: u16, said: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let page = answer.text();
    assert!(page.contains("role=\"alert\" id=\"password-problem\"") && page.contains(said), "{answer:?}");
    assert!(page.contains("data-again=\"/account\""), "a reload must not send the form again: {answer:?}");
    assert!(!page.contains(NEW) && !page.contains(WRONG) && !page.contains(PASSWORD), "{answer:?}");
    assert_eq!(answer.has("www-authenticate"), status == 401, "{answer:?}");
    answer.must_keep_the_cookie();
}

#[tokio::test]
async fn what_was_wrong_stands_at_the_form_and_nothing_has_changed() {
    let app = TestApp::new().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    must_show_the_form_again(&change(&ana, WRONG, NEW).await, 401, "The current password is wrong.");
    must_show_the_form_again(&change(&ana, PASSWORD, "short").await, 422, "at least 8 characters");
    must_show_the_form_again(&change(&ana, PASSWORD, "password123").await, 422, "one of the most common");
    must_show_the_form_again(
        &change(&ana, PASSWORD, "exeunt123").await,
        422,
        "little more than the username or the word exeunt",
    );
    must_show_the_form_again(&change(&ana, PASSWORD, PASSWORD).await, 422, "the same as the current one.");
    must_show_the_form_again(&change(&ana, WRONG, WRONG).await, 401, "The current password is wrong.");
    let form = [("current", PASSWORD), ("new", PASSWORD)];
    let answer = ana.post("/account/password").form(&form).field("accept-language", "pt").await;
    must_show_the_form_again(&answer, 422, "A nova senha é igual à atual.");
    let form = [("current", PASSWORD), ("new", "exeunt123")];
    let answer = ana.post("/account/password").form(&form).field("accept-language", "pt").await;
    must_show_the_form_again(&answer, 422, "pouco mais que o nome de usuário ou a palavra exeunt");
    let form = [("current", WRONG), ("new", NEW)];
    let answer = ana.post("/account/password").form(&form).field("accept-language", "pt").await;
    must_show_the_form_again(&answer, 401, "A senha atual está incorreta.");
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    app.browser_of("Ana").await.must_be_let_in().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_remembered_is_not_called_one() {
    let (app, stage) = TestApp::staged().await;
    let ana = app.browser_of_new("Ana").await;
    let other = app.browser_of("Ana").await;
    for sentence in ["change_password", "user_by_name"] {
        stage.fail(sentence, When::Before);
        let answer = change(&ana, PASSWORD, NEW).await;
        stage.clear();
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.text().contains("we do not say that anything has ended"), "{answer:?}");
        answer.must_keep_the_cookie();
    }
    ana.must_be_let_in().await;
    other.must_be_let_in().await;
    assert_eq!(change(&ana, PASSWORD, NEW).await.status, 303);
    other.must_be_refused().await;
}
