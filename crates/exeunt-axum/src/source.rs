//! Who decides: an authority in this process, or a distant exeunt server.
//!
//! Owns the choice between the two, so that a handler cannot tell them apart. It decides nothing itself.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use exeunt::live::Watch;
use exeunt::{
    AuditEntry, AuditQuery, Authority, By, Cause, Device, Lifetime, LiveSession, Opened, Place, Revoked, Session,
    SessionId, Standing, Target, Timestamp, Token, UserId,
};

use crate::errors::{AuthError, RegisterRefused};
#[cfg(feature = "remote")]
use crate::remote::Remote;

/// An authority, wherever it is.
#[derive(Clone, Debug)]
pub struct Source(pub(crate) Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Here(Arc<Authority>),
    #[cfg(feature = "remote")]
    There(Arc<Remote>),
}

/// What [`AuthLayer::new`](crate::AuthLayer::new) takes: an `Arc<Authority>`, or a `Remote`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no session authority",
    label = "not an authority",
    note = "pass the `Arc<Authority>` that `Authority::open(store, Settings::default()).await?` returns; \
            did you forget the `.await?`",
    note = "with the feature `remote` an `exeunt_axum::Remote` will do, too"
)]
pub trait IntoSource {
    /// The authority.
    fn into_source(self) -> Source;
}

impl IntoSource for Arc<Authority> {
    fn into_source(self) -> Source {
        Source(Kind::Here(self))
    }
}

#[cfg(feature = "remote")]
impl IntoSource for Remote {
    fn into_source(self) -> Source {
        Source(Kind::There(Arc::new(self)))
    }
}

/// A session, as a list of them shows it to its owner or an administrator. With the feature `serde` it can be serialized, and so can its name.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// Its public name, which opens nothing.
    pub id: SessionId,
    /// The browser or program.
    pub device: Device,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, as far as that was noted: `exeunt::Lifetime::noted_every`.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it ends if it is not used again, as far as its uses were noted. `None`: a distant server that is older than this one does not tell.
    pub idle_at: Option<Timestamp>,
}

/// Whoever is signed in, with what they showed for it.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) token: &'a Token,
    pub(crate) session: &'a LiveSession,
    pub(crate) device: &'a Device,
}

/// What a check is for. A distant authority that is asked too much is asked for verbs all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To let somebody in.
    Entry,
    /// To let somebody do something, and perhaps to end it.
    Verb,
}

/// What of one's own is to end.
#[derive(Clone, Copy)]
pub(crate) enum Ending {
    This,
    /// The same where somebody signs in over it.
    Replaced,
    One(SessionId),
    Others,
    Everything,
}

/// A session that was opened just now, and how long its cookie is to live.
pub(crate) struct Entered {
    pub(crate) opened: Opened,
    pub(crate) lives: Duration,
}

/// Waits until a session has ended. Signing out waits until this is let go, not only until it has come to its end: what it guards is
/// closed in between.
pub(crate) struct Until {
    ended: Pin<Box<dyn Future<Output = Held> + Send>>,
    held: Option<Held>,
}

/// What signing out waits for.
type Held = Box<dyn Send>;

impl Future for Until {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.ended.as_mut().poll(cx).map(|held| self.held = Some(held))
    }
}

impl ListedSession {
    /// As whoever lets it live so long lists it.
    pub(crate) fn of(session: &Session, lifetime: &Lifetime) -> Self {
        Self {
            id: session.id,
            device: session.device.clone(),
            opened_at: session.opened_at,
            seen_at: session.seen_at,
            expires_at: session.expires_at,
            idle_at: Some(lifetime.idle_at(session.seen_at)),
        }
    }
}

/// As the server's session API lists it: `sid`, `agent`, `address`, and four moments of RFC 3339.
#[cfg(feature = "serde")]
impl serde::Serialize for ListedSession {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut listed = serializer.serialize_struct("ListedSession", 6 + usize::from(self.idle_at.is_some()))?;
        listed.serialize_field("sid", &self.id)?;
        listed.serialize_field("agent", self.device.agent())?;
        listed.serialize_field("address", self.device.address())?;
        for (name, moment) in
            [("opened_at", self.opened_at), ("seen_at", self.seen_at), ("expires_at", self.expires_at)]
        {
            listed.serialize_field(name, &told(moment))?;
        }
        match self.idle_at {
            Some(moment) => listed.serialize_field("idle_expires_at", &told(moment))?,
            None => listed.skip_field("idle_expires_at")?,
        }
        listed.end()
    }
}

/// A moment beyond the calendar, which comes from no clock of ours, is told as the calendar's end: a text, like all others.
#[cfg(feature = "serde")]
fn told(moment: Timestamp) -> String {
    let end = if moment.as_micros() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(moment.as_micros()).unwrap_or(end).to_string()
}

impl Source {
    #[cfg_attr(not(feature = "remote"), expect(unused_variables, reason = "only a distant one is told what it is for"))]
    pub(crate) async fn check(&self, token: &Token, purpose: Purpose) -> Result<Option<LiveSession>, AuthError> {
        match &self.0 {
            Kind::Here(authority) => match authority.check(token).await? {
                Standing::Live(session) => Ok(Some(session)),
                Standing::Refused => Ok(None),
            },
            #[cfg(feature = "remote")]
            Kind::There(remote) => remote.check(token, purpose).await,
        }
    }

    /// What [`Source::check`] would find, where it is known at once.
    pub(crate) fn glance(&self, token: &Token) -> Option<LiveSession> {
        match &self.0 {
            Kind::Here(authority) => authority.glance(token),
            #[cfg(feature = "remote")]
            Kind::There(_) => None,
        }
    }

    /// Opens a session; the one that `over` opens, if any, ends in the same moment.
    pub(crate) async fn login(
        &self,
        (name, password): (&str, &str),
        device: &Device,
        over: Option<Asker<'_>>,
    ) -> Result<Entered, AuthError> {
        match &self.0 {
            Kind::Here(authority) => {
                let place = Place { device, replaces: over.map(|asker| asker.session.id) };
                let opened = authority.login(name, password, place).await?;
                Ok(Entered { opened, lives: authority.settings().lifetime.absolute })
            }
            #[cfg(feature = "remote")]
            Kind::There(remote) => remote.login((name, password), device, over).await,
        }
    }

    pub(crate) async fn register(
        &self,
        (name, password): (&str, &str),
        device: &Device,
    ) -> Result<UserId, RegisterRefused> {
        match &self.0 {
            Kind::Here(authority) => Ok(authority.register(name, password, device).await?.id),
            #[cfg(feature = "remote")]
            Kind::There(remote) => remote.register((name, password), device).await,
        }
    }

    /// Ends everything of the user with this name and password.
    pub(crate) async fn end_everything_as(
        &self,
        (name, password): (&str, &str),
        device: &Device,
    ) -> Result<Revoked, AuthError> {
        match &self.0 {
            Kind::Here(authority) => {
                let user = authority.prove(name, password, device).await?;
                let by = By::user(user.id, device);
                Ok(authority.revoke(Target::User(user.id), Cause::LogoutEverywhere, by).await?)
            }
            #[cfg(feature = "remote")]
            Kind::There(remote) => remote.end_everything_as((name, password), device).await,
        }
    }

    /// Ends what is named of one's own; a proof without a number where there was nothing, or nothing of one's own, to end.
    pub(crate) async fn end(&self, asker: Asker<'_>, ending: Ending) -> Result<Revoked, AuthError> {
        #[cfg(feature = "remote")]
        if let Kind::There(remote) = &self.0 {
            return remote.end(asker, ending).await;
        }
        // Sign-outs are done whoever else was quicker; but no session that has ended meanwhile, while a list or a body was read, ends another.
        let of_others = matches!(ending, Ending::One(_) | Ending::Others);
        if of_others && self.check(asker.token, Purpose::Verb).await?.is_none() {
            return Err(AuthError::NotSignedIn);
        }
        let authority = self.authority()?;
        let (session, by) = (asker.session, By::user(asker.session.user, asker.device));
        let (target, cause) = match ending {
            Ending::This => (Target::Session(session.id), Cause::Logout),
            Ending::Replaced => (Target::Session(session.id), Cause::Replaced),
            Ending::One(id) => (Target::Session(id), Cause::EndedByOwner),
            Ending::Others => (Target::Others { user: session.user, keep: session.id }, Cause::LogoutEverywhere),
            Ending::Everything => (Target::User(session.user), Cause::LogoutEverywhere),
        };
        let revoked = authority.revoke(target, cause, by).await?;
        if matches!(ending, Ending::This | Ending::Replaced) && revoked.seq().is_none() {
            // Somebody was quicker. If that was a change of password, it goes on in another session.
            return Ok(authority.end_successor(asker.token).await?.unwrap_or(revoked));
        }
        Ok(revoked)
    }

    /// Ends one of one's own; `None`: it is not one of theirs, or has ended.
    pub(crate) async fn end_one(&self, asker: Asker<'_>, id: SessionId) -> Result<Option<Revoked>, AuthError> {
        match &self.0 {
            Kind::Here(authority) => {
                // A session never changes its owner, so what was listed as theirs is theirs.
                let theirs = authority.sessions_of(asker.session.user).await?;
                if theirs.iter().all(|session| session.id != id) {
                    return Ok(None);
                }
            }
            // It looks for itself whose it is.
            #[cfg(feature = "remote")]
            Kind::There(_) => {}
        }
        let revoked = self.end(asker, Ending::One(id)).await?;
        Ok(revoked.seq().is_some().then_some(revoked))
    }

    pub(crate) async fn sessions(&self, asker: Asker<'_>) -> Result<Vec<ListedSession>, AuthError> {
        match &self.0 {
            Kind::Here(authority) => {
                let sessions = authority.sessions_of(asker.session.user).await?;
                let lifetime = &authority.settings().lifetime;
                Ok(sessions.iter().map(|session| ListedSession::of(session, lifetime)).collect())
            }
            #[cfg(feature = "remote")]
            Kind::There(remote) => remote.sessions(asker.token, asker.device).await,
        }
    }

    pub(crate) async fn change_password(
        &self,
        asker: Asker<'_>,
        (current, new): (&str, &str),
    ) -> Result<(Entered, Revoked), RegisterRefused> {
        match &self.0 {
            Kind::Here(authority) => {
                let changed = authority.change_password(asker.session, (current, new), asker.device).await?;
                let (opened, revoked) = changed;
                Ok((Entered { opened, lives: authority.settings().lifetime.absolute }, revoked))
            }
            #[cfg(feature = "remote")]
            Kind::There(remote) => remote.change_password(asker, (current, new)).await,
        }
    }

    /// Of a distant authority: a session that has ended already counts as ended, and so does one that cannot be watched any more.
    pub(crate) fn until_revoked(&self, asker: Asker<'_>) -> Result<Until, AuthError> {
        let ended: Pin<Box<dyn Future<Output = Held> + Send>> = match &self.0 {
            Kind::Here(_) => {
                let watch = self.watch(asker.token)?;
                Box::pin(async move {
                    watch.ended().await;
                    Box::new(watch) as Held
                })
            }
            #[cfg(feature = "remote")]
            Kind::There(remote) => {
                let heard = remote.hear(asker)?;
                Box::pin(async move { Box::new(heard.until_ended().await) as Held })
            }
        };
        Ok(Until { ended, held: None })
    }

    /// Whether signing out with a token that was refused would end something. A distant authority says so with its answer to
    /// [`Source::settle`] alone.
    pub(crate) async fn has_something_to_end(&self, token: &Token) -> Result<bool, AuthError> {
        match &self.0 {
            Kind::Here(authority) => Ok(authority.has_something_to_end(token).await?),
            #[cfg(feature = "remote")]
            Kind::There(_) => Ok(false),
        }
    }

    /// Signs out whoever shows a token that was refused. That a check was refused does not say that it is over: whoever was asked has heard
    /// of the end, and another node may not have; or only the clock refused it.
    #[cfg_attr(
        not(feature = "remote"),
        expect(unused_variables, reason = "only a distant one is told on whose behalf")
    )]
    pub(crate) async fn settle(&self, token: &Token, device: &Device) -> Result<(), AuthError> {
        #[cfg(feature = "remote")]
        if let Kind::There(remote) = &self.0 {
            return remote.settle(token, device).await;
        }
        Ok(self.authority()?.settle(token).await?)
    }

    pub(crate) fn watch(&self, token: &Token) -> Result<Watch, AuthError> {
        self.authority()?.watch(token)?.ok_or(AuthError::NotSignedIn)
    }

    pub(crate) async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, AuthError> {
        Ok(self.authority()?.audit(query).await?)
    }

    /// The authority in this process, for what a distant one does on its own pages.
    #[cfg_attr(not(feature = "remote"), expect(clippy::unnecessary_wraps, reason = "a distant one is not here"))]
    pub(crate) fn authority(&self) -> Result<&Arc<Authority>, AuthError> {
        match &self.0 {
            Kind::Here(authority) => Ok(authority),
            #[cfg(feature = "remote")]
            Kind::There(_) => Err(AuthError::NotHere),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_a_list_is_a_text_whatever_it_is() {
        for (micros, text) in [
            (1_800_000_000_000_000, "2027-01-15T08:00:00Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (i64::MAX, "9999-12-30T22:00:00.999999999Z"),
            (i64::MIN, "-009999-01-02T01:59:59Z"),
        ] {
            let at = Timestamp::from_micros(micros);
            let (id, device) = (SessionId::from_bytes([7; 16]), Device::new("", ""));
            let listed = ListedSession { id, device, opened_at: at, seen_at: at, expires_at: at, idle_at: Some(at) };
            let written = serde_json::to_value(&listed).expect("JSON");
            for name in ["opened_at", "seen_at", "expires_at", "idle_expires_at"] {
                assert_eq!(written[name], text, "{micros}");
            }
        }
    }
}
