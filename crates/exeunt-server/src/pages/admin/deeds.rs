//! `POST /admin` and `POST /admin/users/{id}`: what an administrator does.
//!
//! Owns the translation of a form into a verb of the desk, and what administrators do not do to themselves: nobody locks the last
//! one out by a slip. Where it cannot be known that it is done, the page says so.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use exeunt::{Become, SessionId, UserId};
use exeunt_axum::{Admin, AuthError, RegisterRefused};
use serde::Deserialize;

use super::confirm::Question;
use super::{Act, Part, page_of, user_id, users};
use crate::pages::done::Done;
use crate::pages::failure::{self, Refusal, Why};
use crate::pages::goodbye::Goodbye;
use crate::pages::query::link;
use crate::pages::view::Next;
use crate::pages::words::Words;
use crate::pages::{form, go, words};
use crate::secret::Secret;
use crate::state::App;

/// No `Debug`.
#[derive(Deserialize)]
struct Wanted {
    deed: String,
    sid: Option<String>,
    new: Option<Secret>,
}

/// Signs everybody out, the administrator included, whose cookie is cleared with it.
pub(crate) async fn do_to_everyone(
    headers: HeaderMap,
    admin: Result<Admin, AuthError>,
    body: Body,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let admin = admin.map_err(Refusal::in_words(words))?;
    let wanted: Wanted = form::read(words, &headers, body).await?;
    if Act::from_word(&wanted.deed) != Some(Act::Everyone) {
        return Err(Refusal::new(words, Why::BadForm(StatusCode::BAD_REQUEST)));
    }
    let ended = admin.desk().end_everyone().await.map_err(|error| not_done(words, error))?.ended().len();
    let out = admin.into_auth().logout().await.map_err(|error| Refusal::new(words, Why::not_signed_out(error)))?;
    let note = Goodbye::Everyone(ended).note(&out);
    Ok((out, note, go(StatusCode::SEE_OTHER, "/")).into_response())
}

/// Does something to a user.
pub(crate) async fn do_to_user(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    admin: Result<Admin, AuthError>,
    id: Part,
    body: Body,
) -> Result<Response, Refusal> {
    let words = words(&headers);
    let refused = Refusal::in_words(words);
    let admin = admin.map_err(refused)?;
    let id = user_id(words, id)?;
    let wanted: Wanted = form::read(words, &headers, body).await?;
    let bad_form = || Refusal::new(words, Why::BadForm(StatusCode::BAD_REQUEST));
    let act = Act::from_word(&wanted.deed).ok_or_else(bad_form)?;
    if admin.is(id) && !act.is_for_oneself() {
        return Err(Refusal::new(words, Why::Oneself));
    }
    // The form may have been long in coming, and what follows tells who is there before the desk asks.
    admin.check_again().await.map_err(refused)?;
    match act {
        Act::End => end_one(words, admin, id, &wanted.sid.ok_or_else(bad_form)?).await,
        Act::Password => {
            let question = Question { words, app: &app, admin: &admin, act };
            set_password(&question, id, wanted.new.ok_or_else(bad_form)?.reveal()).await
        }
        Act::EndAll => {
            if admin.desk().user(id).await.map_err(refused)?.is_none() {
                return Err(Refusal::new(words, Why::NoSuchUser));
            }
            let _ = admin.desk().end_user(id).await.map_err(|error| not_done(words, error))?;
            Ok(back(id, Done::All))
        }
        Act::Disable => change(words, &admin, id, (Become::Disabled, Done::Disabled)).await,
        Act::Enable => change(words, &admin, id, (Become::Enabled, Done::Enabled)).await,
        Act::Promote => change(words, &admin, id, (Become::Admin, Done::Promoted)).await,
        Act::Demote => change(words, &admin, id, (Become::Ordinary, Done::Demoted)).await,
        Act::Delete => change(words, &admin, id, (Become::Deleted, Done::Deleted)).await,
        Act::Everyone => Err(bad_form()),
    }
}

/// Ends one session of the user whose page it is; one of another's is not there.
async fn end_one(words: &'static Words, admin: Admin, id: UserId, sid: &str) -> Result<Response, Refusal> {
    let gone = || Refusal::new(words, Why::NoSuchSession(Next::Admin));
    let sid = SessionId::parse(sid).ok_or_else(gone)?;
    if admin.session().id == sid {
        let out = admin.into_auth().logout().await.map_err(|error| Refusal::new(words, Why::not_signed_out(error)))?;
        return Ok((out, go(StatusCode::SEE_OTHER, "/")).into_response());
    }
    let desk = admin.desk();
    let open = desk.sessions_of(id).await.map_err(Refusal::in_words(words))?;
    if open.iter().all(|session| session.id != sid) {
        return Err(gone());
    }
    let ended = desk.end_session(sid).await.map_err(|error| not_done(words, error))?;
    ended.map(|_| back(id, Done::Ended)).ok_or_else(gone)
}

async fn set_password(question: &Question<'_>, id: UserId, new: &str) -> Result<Response, Refusal> {
    let words = question.words;
    match question.admin.desk().set_password(id, new).await {
        Ok(_) => Ok(back(id, Done::Reset)),
        Err(RegisterRefused::Choice(exeunt::ChoiceFault::NoSuchUser)) => Err(Refusal::new(words, Why::NoSuchUser)),
        Err(RegisterRefused::Choice(error)) => question.of_user(id, Some(&failure::choice(words, error))).await,
        Err(RegisterRefused::Auth(error)) => Err(not_done(words, error)),
    }
}

async fn change(
    words: &'static Words,
    admin: &Admin,
    id: UserId,
    (to, done): (Become, Done),
) -> Result<Response, Refusal> {
    let changed = admin.desk().change_user(id, to).await.map_err(|error| not_done(words, error))?;
    changed.map(|_| back(id, done)).ok_or_else(|| Refusal::new(words, Why::NoSuchUser))
}

/// Back to the page of the user, or of all where this one is gone; it tells what was done.
pub(super) fn back(id: UserId, done: Done) -> Response {
    let place = match done {
        Done::Deleted => users::after_deleting(),
        _ => link(&page_of(id), &[("done", Some(done.as_str().to_owned()))]),
    };
    go(StatusCode::SEE_OTHER, &place).into_response()
}

fn not_done(words: &'static Words, error: AuthError) -> Refusal {
    Refusal::new(words, Why::NotDone(error, Next::Admin))
}
