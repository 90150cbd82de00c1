//! The account page: the devices that are signed in, the password.
//!
//! Owns what is shown of a session. Whose sessions they are and what ends is the authority's affair.

use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use exeunt::SessionId;
use exeunt_axum::{Auth, AuthError, RegisterRefused};
use serde::Deserialize;

use crate::device;
use crate::failure::{Failure, Paged};
use crate::pages::{Account, Done, ListedDevice, page, time};

/// The password now, and the one to be. No `Debug`: it holds secrets.
#[derive(Deserialize)]
pub(crate) struct Passwords {
    current: String,
    new: String,
}

pub(crate) async fn show(Paged(auth): Paged<Auth>) -> Result<Response, Failure> {
    account(&auth, StatusCode::OK, String::new()).await
}

/// Ends one of one's own sessions. A foreign, ended or malformed name is one that is not there.
pub(crate) async fn end(Paged(auth): Paged<Auth>, Path(sid): Path<String>) -> Result<Redirect, Failure> {
    let id = SessionId::parse(&sid).ok_or(Failure::Missing)?;
    let _proof = auth.end(id).await?.ok_or(Failure::Missing)?;
    Ok(Redirect::to("/account"))
}

/// Every session of the user ends, and this browser goes on with a new one: the page is built from both proofs.
pub(crate) async fn password(Paged(auth): Paged<Auth>, Form(form): Form<Passwords>) -> Result<Response, Failure> {
    match auth.change_password(&form.current, &form.new).await {
        Ok(changed) => {
            let others = changed.revoked().ended().len().saturating_sub(1);
            let session = changed.entered().session().clone();
            Ok((changed, page(StatusCode::OK, &Done { session, others })).into_response())
        }
        Err(RegisterRefused::Choice(choice)) => account(&auth, StatusCode::BAD_REQUEST, choice.to_string()).await,
        Err(RegisterRefused::Auth(AuthError::WrongCredentials)) => {
            account(&auth, StatusCode::FORBIDDEN, "The current password is wrong.".to_owned()).await
        }
        Err(RegisterRefused::Auth(error)) => Err(error.into()),
    }
}

async fn account(auth: &Auth, status: StatusCode, problem: String) -> Result<Response, Failure> {
    let session = auth.user().cloned().ok_or(Failure::SignInFirst)?;
    let sessions = auth.sessions().await?;
    let devices = sessions.iter().map(|listed| ListedDevice {
        id: listed.id.to_string(),
        name: device::describe(listed.device.agent()),
        address: listed.device.address().to_owned(),
        opened: time(listed.opened_at),
        seen: time(listed.seen_at),
        is_this: listed.id == session.id,
    });
    let devices = devices.collect();
    Ok(page(status, &Account { session, devices, problem }))
}
