//! What an app wants to do before and after somebody signs in or out.
//!
//! Owns when the app is asked, and what it may not do: before a sign-out it has no say, not even by panicking or by taking long, and what
//! it does afterwards is done only where it is over. A browser that goes away in between changes nothing.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use exeunt::{Device, LiveSession, Revoked};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::errors::AuthError;

/// Hooks that have no say and run at once. Where so many hang, the app is not told any more, and people are signed out all the same.
const HOOKS_MAX: usize = 1_024;

/// How long a hook that has no say is waited for. It goes on by itself afterwards; a person waits for the button that they pressed.
const HOOK_WAIT: Duration = Duration::from_secs(2);

/// A try to sign in, before any password is looked at.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The name that was given; whether somebody has it is not known yet.
    pub name: Arc<str>,
    /// Where it comes from.
    pub device: Device,
}

/// Why the app lets somebody not sign in; shown to them with 403.
#[derive(Clone, Debug)]
pub struct Denied(pub Cow<'static, str>);

/// Somebody has signed out.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Left {
    /// The session that asked.
    pub session: LiveSession,
    /// The proof that it is over, and what ended with it.
    pub revoked: Revoked,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Hook<A, T> = Arc<dyn Fn(A) -> Boxed<T> + Send + Sync>;

/// What the app has asked for; one of each kind, the last that was given.
#[derive(Clone)]
pub(crate) struct Hooks {
    places: Arc<Semaphore>,
    before_login: Option<Hook<Attempt, Result<(), Denied>>>,
    after_login: Option<Hook<LiveSession, ()>>,
    before_logout: Option<Hook<LiveSession, ()>>,
    after_logout: Option<Hook<Left, ()>>,
}

impl Default for Hooks {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(HOOKS_MAX));
        Self { places, before_login: None, after_login: None, before_logout: None, after_logout: None }
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}

impl Hooks {
    pub(crate) fn set_before_login<F>(&mut self, hook: impl Fn(Attempt) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Denied>> + Send + 'static,
    {
        self.before_login = Some(boxed(hook));
    }

    pub(crate) fn set_after_login<F>(&mut self, hook: impl Fn(LiveSession) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.after_login = Some(boxed(hook));
    }

    pub(crate) fn set_before_logout<F>(&mut self, hook: impl Fn(LiveSession) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.before_logout = Some(boxed(hook));
    }

    pub(crate) fn set_after_logout<F>(&mut self, hook: impl Fn(Left) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.after_logout = Some(boxed(hook));
    }

    pub(crate) async fn before_login(&self, name: &str, device: &Device) -> Result<(), AuthError> {
        let Some(hook) = &self.before_login else { return Ok(()) };
        let attempt = Attempt { name: name.into(), device: device.clone() };
        hook(attempt).await.map_err(|Denied(reason)| AuthError::Denied(reason))
    }

    pub(crate) async fn after_login(&self, session: &LiveSession) {
        if let Some(hook) = &self.after_login {
            self.told("after_login", hook(session.clone())).await;
        }
    }

    pub(crate) async fn before_logout(&self, session: &LiveSession) {
        if let Some(hook) = &self.before_logout {
            self.told("before_logout", hook(session.clone())).await;
        }
    }

    pub(crate) async fn after_logout(&self, session: &LiveSession, revoked: &Revoked) {
        if let Some(hook) = &self.after_logout {
            self.told("after_logout", hook(Left { session: session.clone(), revoked: revoked.clone() })).await;
        }
    }

    /// Tells the app, in a task of its own: whatever becomes of it, the sign-in or sign-out goes on.
    async fn told(&self, hook: &'static str, work: Boxed<()>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            tracing::error!(hook, "so many hooks of the app hang that it is not told");
            return;
        };
        let task = async move {
            work.await;
            drop(place);
        };
        match tokio::time::timeout(HOOK_WAIT, tokio::spawn(task.in_current_span())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!(hook, "a hook of the app panicked"),
            Err(_) => tracing::warn!(hook, "a hook of the app takes long, and is not waited for"),
        }
    }
}

/// The hook is called when it is waited for, and not before: it may panic in the call itself.
fn boxed<A, T, F>(hook: impl Fn(A) -> F + Send + Sync + 'static) -> Hook<A, T>
where
    A: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let hook = Arc::new(hook);
    Arc::new(move |given| {
        let hook = Arc::clone(&hook);
        Box::pin(async move { hook(given).await })
    })
}
