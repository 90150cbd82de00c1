//! Sessions in a cookie of ours under another name: somebody signed in before the site was set up as it is now.
//!
//! Owns that they end where their browser signs out or in. They are looked at nowhere else, and nobody is signed in by one: a name without `__Host-`
//! every host of the domain can set, so what stands there may be planted. A planted one ends its own session and nothing else.

use std::sync::Arc;

use exeunt::{Device, LiveSession, Revoked, StoreError, Token};
use http::HeaderValue;
use http::header::{COOKIE, HOST};
use http::request::Parts;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::cookie::{take_back, values};
use crate::errors::AuthError;
use crate::layer::Shared;
use crate::origin::{Origin, host_of};
use crate::source::{Asker, Ending, Purpose};

/// The most tokens that are looked at in one request, for each may be a question to the store: one of each other name, and some that were planted.
/// Whoever plants more has hidden one that nobody is signed in by.
const TOKENS_MAX: usize = 8;

/// The cookies of a request. To keep them costs next to nothing, and only a sign-out or a sign-in looks at them.
pub(crate) struct Jar {
    lines: Vec<HeaderValue>,
    host: Option<HeaderValue>,
}

/// What was found in it.
#[derive(Default)]
pub(crate) struct Earlier {
    found: Vec<Found>,
    /// The site, as the browser calls it.
    host: String,
}

struct Found {
    name: &'static str,
    token: Token,
    /// `None`: it opens nothing here, or nothing any more.
    session: Option<LiveSession>,
}

/// What became of it.
#[derive(Default)]
pub(crate) struct Gone {
    /// The proof of one that ended.
    pub(crate) revoked: Option<Revoked>,
    /// The fields that take the cookies back.
    pub(crate) takes_back: Vec<HeaderValue>,
}

struct Ended {
    name: &'static str,
    revoked: Option<Revoked>,
}

impl Jar {
    pub(crate) fn of(request: &Parts) -> Self {
        let lines: Vec<HeaderValue> = request.headers.get_all(COOKIE).iter().cloned().collect();
        let authority = || HeaderValue::from_str(request.uri.authority()?.as_str()).ok();
        let host = request.headers.get(HOST).cloned().or_else(authority);
        Self { lines, host }
    }

    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known what lives.
    pub(crate) async fn look(&self, shared: &Shared) -> Result<Earlier, AuthError> {
        let mut found = Vec::new();
        for (name, token) in self.tokens(shared) {
            let session = shared.source.check(&token, Purpose::Verb).await?;
            found.push(Found { name, token, session });
        }
        Ok(Earlier { found, host: self.host(shared.origin.as_ref()).unwrap_or_default() })
    }

    /// What is no token opens nothing, whoever put it there.
    fn tokens(&self, shared: &Shared) -> Vec<(&'static str, Token)> {
        let named = |name| values(&self.lines, name).map(move |value| (name, value));
        let mut seen = Vec::new();
        let mut tokens = Vec::new();
        for (name, value) in shared.transport.other_names().flat_map(named) {
            if tokens.len() < TOKENS_MAX
                && !seen.contains(&(name, value))
                && let Ok(token) = Token::parse(value)
            {
                seen.push((name, value));
                tokens.push((name, token));
            }
        }
        tokens
    }

    fn host(&self, public: Option<&Origin>) -> Option<String> {
        let authority = match public {
            Some(public) => public.authority(),
            None => self.host.as_ref()?.to_str().ok()?,
        };
        host_of(authority)
    }
}

impl Earlier {
    /// Whether a sign-out would end one of them.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known.
    pub(crate) async fn has_something_to_end(&self, shared: &Shared) -> Result<bool, AuthError> {
        for found in &self.found {
            if found.session.is_some() || shared.source.has_something_to_end(&found.token).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends all of them. A cookie is taken back where all that stands under its name was a session here: another authority may use the name on
    /// another host of the domain, or at another port of this one, and whoever lost that cookie would seem to be signed out there.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that all are over.
    pub(crate) async fn end(self, shared: &Arc<Shared>, device: &Device, ending: Ending) -> Result<Gone, AuthError> {
        let mut endings = JoinSet::new();
        // All at once: each may wait for a node that is silent.
        for found in self.found {
            let (shared, device) = (Arc::clone(shared), device.clone());
            endings.spawn(async move { found.end(&shared, &device, ending).await }.in_current_span());
        }
        let mut outcomes = Vec::new();
        while let Some(outcome) = endings.join_next().await {
            outcomes.push(outcome.map_err(|_| AuthError::from(StoreError::Lost)).flatten());
        }
        let ended: Vec<Ended> = outcomes.into_iter().collect::<Result<_, AuthError>>()?;
        let is_gone = |name: &&str| {
            let mut under = ended.iter().filter(|ended| ended.name == *name).peekable();
            under.peek().is_some() && under.all(|ended| ended.revoked.is_some())
        };
        let names = shared.transport.other_names().filter(is_gone);
        let takes_back = names.flat_map(|name| take_back(name, &self.host)).collect();
        Ok(Gone { revoked: ended.into_iter().find_map(|ended| ended.revoked), takes_back })
    }
}

impl Found {
    async fn end(self, shared: &Shared, device: &Device, ending: Ending) -> Result<Ended, AuthError> {
        let Self { name, token, session } = self;
        let revoked = match &session {
            Some(session) => Some(shared.source.end(Asker { token: &token, session, device }, ending).await?),
            // Whoever signs out is told that it is over: see `Authority::settle`. Whoever signs in is told nothing of the kind.
            None if matches!(ending, Ending::This) => {
                shared.source.settle(&token, device).await?;
                None
            }
            None => None,
        };
        Ok(Ended { name, revoked })
    }
}
