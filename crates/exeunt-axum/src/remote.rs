//! A distant exeunt server as the authority: the same verbs, over its session API.
//!
//! Owns the translation between the API's answers and what handlers are told. It keeps nothing of who is signed in: every check asks the
//! server, so what is over there is over here; what is open here for a session is kept in `streams`. Whatever is not an answer of an exeunt server means "I could not look", never "no".

mod ask;
mod shapes;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use exeunt::clock::{Clock as _, SystemClock};
use exeunt::credential::{PASSWORD_BYTES_MAX, PasswordFault};
use exeunt::user::NameFault;
use exeunt::{Device, LiveSession, Opened, Revoked, Token, UserId};
use reqwest::{Method, StatusCode};
use serde_json::json;

pub use self::ask::RemoteFault;
use self::ask::{Answer, Ask, Line, Way};
pub(crate) use self::streams::Heard;
use self::streams::Streams;
use crate::errors::{AuthError, RegisterRefused};
use crate::source::{Asker, Ending, Entered, ListedSession, Purpose};

/// What a server calls it (`code` of its problem documents) where it has no session of that name, or not of this person.
const NO_SUCH_SESSION: &str = "no-such-session";
/// Where it registers nobody.
const CLOSED: &str = "registration-closed";
/// Where the current password is not that of whoever asks.
const WRONG_CURRENT: &str = "wrong-current-password";

/// A distant exeunt server.
///
/// Give it to [`AuthLayer::new`](crate::AuthLayer::new) in the place of an authority. Handlers cannot tell the difference, but for
/// what belongs to the server's own pages, its audit trail and its administration, and for [`Auth::watch`](crate::Auth::watch)
/// ([`AuthError::NotHere`](crate::AuthError::NotHere)).
///
/// ```no_run
/// use exeunt_axum::{AuthLayer, Remote};
///
/// let layer = AuthLayer::new(Remote::new("https://id.example")?).with_origin("https://notes.example")?;
/// # drop(layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Connections are kept and used again. Where the server cannot be asked, or does not answer within five seconds, handlers get
/// [`AuthError::Unavailable`](crate::AuthError::Unavailable): 503, the cookie stays, and nobody is called signed out. The same where more is
/// asked at once than makes sense; for endings, and for the checks of [`Auth`](crate::Auth) before them, there is some room beside that.
///
/// The browser's name and address are passed on, so that a person finds their own devices in the list of sessions. The server
/// believes the address where this app is among its `trusted_proxies`, and no proxy in between writes another one: ask the server itself,
/// or let its proxy take the address of this app for one of its own (`docs/proxies`). Otherwise limits on attempts count all of the app's
/// people as one.
#[derive(Debug)]
pub struct Remote {
    line: Line,
    streams: Arc<Streams>,
}

impl Remote {
    /// The server at this origin: `https://id.example`, or plain HTTP on a loopback address.
    ///
    /// # Errors
    ///
    /// [`RemoteFault`] when it is none.
    pub fn new(origin: &str) -> Result<Self, RemoteFault> {
        Ok(Self { line: Line::to(origin, Way::Private)?, streams: Arc::default() })
    }

    /// The same over plain HTTP to another machine, where nobody else can listen in between: `http://exeunt:3000` in a network of containers, a
    /// tunnel. Every token and password crosses it in the clear.
    ///
    /// ```
    /// use exeunt_axum::Remote;
    ///
    /// assert!(Remote::new("http://exeunt:3000").is_err());
    /// let remote = Remote::over_plain_http("http://exeunt:3000")?;
    /// # drop(remote);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RemoteFault`] when it is no origin.
    pub fn over_plain_http(origin: &str) -> Result<Self, RemoteFault> {
        Ok(Self { line: Line::to(origin, Way::Any)?, streams: Arc::default() })
    }

    pub(crate) async fn check(&self, token: &Token, purpose: Purpose) -> Result<Option<LiveSession>, AuthError> {
        let ask = Ask::new(Method::GET, "/api/session").bearer(token);
        let answer = self.line.ask(if purpose == Purpose::Verb { ask.for_a_verb() } else { ask }).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.read::<shapes::Shown>()?.session()?)),
            StatusCode::UNAUTHORIZED => Ok(None),
            _ => Err(answer.refusal()),
        }
    }

    pub(crate) async fn login(
        &self,
        (name, password): (&str, &str),
        device: &Device,
        over: Option<Asker<'_>>,
    ) -> Result<Entered, AuthError> {
        let credentials = json!({"username": name, "password": password});
        let mut ask = Ask::new(Method::POST, "/api/login").device(device).json(credentials);
        if let Some(over) = over {
            ask = ask.bearer(over.token);
        }
        let answer = self.line.ask(ask).await?;
        match answer.status {
            StatusCode::CREATED => {
                self.streams.close(over.map(|over| over.session.id).as_slice()).await;
                entered(&answer.read::<shapes::Opened>()?)
            }
            // Longer than anybody's: here, too, no user has it.
            StatusCode::UNAUTHORIZED | StatusCode::PAYLOAD_TOO_LARGE => Err(AuthError::WrongCredentials),
            StatusCode::CONFLICT => Err(AuthError::TooManySessions),
            _ => Err(answer.refusal()),
        }
    }

    pub(crate) async fn register(
        &self,
        (name, password): (&str, &str),
        device: &Device,
    ) -> Result<UserId, RegisterRefused> {
        let credentials = json!({"username": name, "password": password});
        let answer = self.line.ask(Ask::new(Method::POST, "/api/register").device(device).json(credentials)).await?;
        match answer.status {
            StatusCode::CREATED => Ok(answer.read::<shapes::Registered>()?.user()),
            StatusCode::FORBIDDEN if answer.says(CLOSED) => Err(answer.denied().into()),
            StatusCode::PAYLOAD_TOO_LARGE if name.len() > password.len() => {
                Err(RegisterRefused::Choice(NameFault::TooLong.into()))
            }
            StatusCode::PAYLOAD_TOO_LARGE => Err(RegisterRefused::Choice(PasswordFault::TooLong.into())),
            _ => Err(answer.not_chosen()),
        }
    }

    pub(crate) async fn end_everything_as(
        &self,
        (name, password): (&str, &str),
        device: &Device,
    ) -> Result<Revoked, AuthError> {
        let credentials = json!({"username": name, "password": password});
        let ask = Ask::new(Method::POST, "/api/logout-everywhere").device(device).json(credentials).ending();
        let answer = self.line.ask(ask).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::PAYLOAD_TOO_LARGE => Err(AuthError::WrongCredentials),
            _ => self.over(answer.ended()?).await,
        }
    }

    pub(crate) async fn end(&self, asker: Asker<'_>, ending: Ending) -> Result<Revoked, AuthError> {
        let ask = match ending {
            Ending::This | Ending::Replaced => Ask::new(Method::POST, "/api/logout"),
            Ending::One(id) => Ask::new(Method::DELETE, format!("/api/sessions/{id}")),
            Ending::Others => Ask::new(Method::DELETE, "/api/sessions?keep=current"),
            Ending::Everything => Ask::new(Method::DELETE, "/api/sessions"),
        };
        let answer = self.line.ask(ask.bearer(asker.token).device(asker.device).ending()).await?;
        match (answer.status, ending) {
            // Any gateway says 404. Taken for the server's word it would call a session ended that lives.
            (StatusCode::NOT_FOUND, Ending::One(_)) if answer.says(NO_SUCH_SESSION) => {
                Ok(Revoked::answered(None, Vec::new()))
            }
            _ => self.over(answer.ended()?).await,
        }
    }

    /// What was open here for what has ended is closed before anybody is told.
    async fn over(&self, revoked: Revoked) -> Result<Revoked, AuthError> {
        self.streams.close(revoked.ended()).await;
        Ok(revoked)
    }

    /// Returns when the server says that it is over at every node: it has answered the check before it knew that. Nothing else that it
    /// may answer says so.
    pub(crate) async fn settle(&self, token: &Token, device: &Device) -> Result<(), AuthError> {
        let ask = Ask::new(Method::POST, "/api/logout").bearer(token).device(device).ending();
        let answer = self.line.ask(ask).await?;
        match answer.status {
            StatusCode::OK => answer.read::<shapes::Ended>()?.revoked().map(drop),
            _ => Err(answer.refusal()),
        }
    }

    pub(crate) async fn sessions(&self, token: &Token, device: &Device) -> Result<Vec<ListedSession>, AuthError> {
        let answer = self.line.ask(Ask::new(Method::GET, "/api/sessions").bearer(token).device(device)).await?;
        match answer.status {
            StatusCode::OK => answer.read::<shapes::List>()?.sessions(),
            StatusCode::UNAUTHORIZED => Err(AuthError::NotSignedIn),
            _ => Err(answer.refusal()),
        }
    }

    pub(crate) async fn change_password(
        &self,
        asker: Asker<'_>,
        (current, new): (&str, &str),
    ) -> Result<(Entered, Revoked), RegisterRefused> {
        let ask = Ask::new(Method::POST, "/api/password").bearer(asker.token).device(asker.device);
        let answer = self.line.ask(ask.json(json!({"current": current, "new": new}))).await?;
        match answer.status {
            StatusCode::OK => {
                let changed = answer.read::<shapes::Changed>()?;
                Ok((entered(&changed.opened)?, self.over(changed.ended.revoked()?).await?))
            }
            StatusCode::UNAUTHORIZED if answer.says(AuthError::NotSignedIn.code()) => {
                Err(AuthError::NotSignedIn.into())
            }
            // Servers before this one answered 401 to a wrong password, without a code. A 403 may be anybody's on the way.
            StatusCode::UNAUTHORIZED => Err(AuthError::WrongCredentials.into()),
            StatusCode::FORBIDDEN if answer.says(WRONG_CURRENT) => Err(AuthError::WrongCredentials.into()),
            StatusCode::PAYLOAD_TOO_LARGE if current.len() > PASSWORD_BYTES_MAX => {
                Err(AuthError::WrongCredentials.into())
            }
            StatusCode::PAYLOAD_TOO_LARGE => Err(RegisterRefused::Choice(PasswordFault::TooLong.into())),
            _ => Err(answer.not_chosen()),
        }
    }

    /// Something that is open for this session. It is over when the session is, or when the server can no longer be heard.
    pub(crate) fn hear(self: &Arc<Self>, asker: Asker<'_>) -> Result<Heard, AuthError> {
        self.streams.join(asker.session.id, || {
            let (remote, ask) = (Arc::clone(self), Ask::new(Method::GET, "/api/events").bearer(asker.token));
            async move { remote.line.listen(ask).await }
        })
    }
}

impl Answer {
    fn ended(&self) -> Result<Revoked, AuthError> {
        match self.status {
            StatusCode::OK => self.read::<shapes::Ended>()?.revoked(),
            StatusCode::UNAUTHORIZED => Err(AuthError::NotSignedIn),
            _ => Err(self.refusal()),
        }
    }
}

/// Wall time decides only how long the browser keeps the cookie.
fn entered(opened: &shapes::Opened) -> Result<Entered, AuthError> {
    let session = opened.session.session()?;
    let micros = session.expires_at.as_micros().saturating_sub(SystemClock.now().as_micros());
    let lives = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    Ok(Entered { opened: Opened { token: opened.token()?, session }, lives })
}
