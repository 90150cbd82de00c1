//! What a person is told when something did not happen.
//!
//! Owns the page of each failure. It never says more than is known: where the session store cannot be reached the person is
//! told that they are *not* signed out, and the cookie stays, for it is their only handle for trying again.

use axum::extract::FromRequestParts;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use exeunt_axum::AuthError;

use crate::pages::{Notice, page};

/// What a note may be, in words.
pub(crate) const UNFIT: &str = "A note has some text, and at most 8,192 bytes.";

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A page was asked for that is for whoever is signed in.
    #[error("not signed in")]
    SignInFirst,
    /// There is no such note, device or page for this person.
    #[error("there is no such thing here")]
    Missing,
    /// A text that cannot be a note.
    #[error("{UNFIT}")]
    Unfit,
    /// Something final was asked without saying so.
    #[error("tick the box if you mean it")]
    Unsure,
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The file of the notes.
    #[error(transparent)]
    Notes(#[from] rusqlite::Error),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::SignInFirst => Redirect::to("/").into_response(),
            Self::Missing => notice(StatusCode::NOT_FOUND, "There is no such thing here."),
            Self::Unfit => notice(StatusCode::BAD_REQUEST, UNFIT),
            Self::Unsure => notice(StatusCode::BAD_REQUEST, "Nothing was deleted: tick the box if you mean it."),
            Self::Auth(error) => auth(&error),
            Self::Notes(error) => {
                tracing::error!(%error, "the notes cannot be reached");
                notice(StatusCode::INTERNAL_SERVER_ERROR, "Your notes cannot be reached now. Nothing was changed.")
            }
        }
    }
}

fn auth(error: &AuthError) -> Response {
    error.log_once();
    let mut answer = match error {
        AuthError::NotSignedIn => notice(error.status(), "You are signed out. Nothing was changed."),
        AuthError::Unavailable { .. } => {
            notice(error.status(), "The sessions cannot be reached: you are NOT signed out. Try again.")
        }
        _ => notice(error.status(), &format!("This did not happen: {error}.")),
    };
    if let Some(seconds) = error.retry_after_s() {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

fn notice(status: StatusCode, text: &str) -> Response {
    page(status, &Notice { text })
}

/// An extractor of `exeunt-axum` whose refusal is a page of ours.
pub(crate) struct Paged<T>(pub(crate) T);

impl<S: Sync, T: FromRequestParts<S, Rejection = AuthError>> FromRequestParts<S> for Paged<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match T::from_request_parts(parts, state).await {
            Ok(extracted) => Ok(Self(extracted)),
            Err(AuthError::NotSignedIn) if parts.method == Method::GET => Err(Failure::SignInFirst),
            Err(error) => Err(error.into()),
        }
    }
}
