//! Sessions in a cookie of ours under another name: somebody signed in before the site was set up as it is now.
//!
//! Owns that they end where their browser signs out or in. They are looked at nowhere else, and nobody is signed in by one: a name without `__Host-`
//! every host of the domain can set, so what stands there may be planted. A planted one ends its own session and nothing else.

use std::sync::Arc;

use exeunt::{Device, LiveSession, Revoked, StoreError, Token};
use http::HeaderValue;
use http::header::COOKIE;
use http::request::Parts;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::cookie::values;
use crate::errors::AuthError;
use crate::layer::Shared;
use crate::source::{Asker, Ending, Purpose};

/// The most tokens that are looked at in one request, for each may be two questions to the store that a stranger asks: one of each other name, and
/// as many that were planted. Whoever plants more has hidden one that nobody is signed in by.
const TOKENS_MAX: usize = 4;

/// The cookies of a request. To keep them costs next to nothing, and only a sign-out or a sign-in looks at them.
pub(crate) struct Jar(Vec<HeaderValue>);

/// What was found in it.
#[derive(Default)]
pub(crate) struct Earlier(Vec<Found>);

struct Found {
    token: Token,
    /// `None`: it opens nothing here, or nothing any more.
    session: Option<LiveSession>,
}

impl Jar {
    pub(crate) fn of(request: &Parts) -> Self {
        Self(request.headers.get_all(COOKIE).iter().cloned().collect())
    }

    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known what lives.
    pub(crate) async fn look(&self, shared: &Arc<Shared>) -> Result<Earlier, AuthError> {
        let looks = self.tokens(shared).into_iter().map(|token| {
            let shared = Arc::clone(shared);
            async move {
                let session = shared.source.check(&token, Purpose::Verb).await?;
                Ok(Found { token, session })
            }
        });
        Ok(Earlier(all(looks).await?))
    }

    /// What is no token opens nothing, whoever put it there.
    fn tokens(&self, shared: &Shared) -> Vec<Token> {
        let mut seen = Vec::new();
        let values = shared.transport.other_names().flat_map(|name| values(&self.0, name));
        for value in values {
            if seen.len() < TOKENS_MAX && !seen.contains(&value) && Token::parse(value).is_ok() {
                seen.push(value);
            }
        }
        seen.into_iter().filter_map(|value| Token::parse(value).ok()).collect()
    }
}

impl Earlier {
    /// Whether a sign-out would end one of them.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known.
    pub(crate) async fn has_something_to_end(&self, shared: &Shared) -> Result<bool, AuthError> {
        for found in &self.0 {
            if found.session.is_some() || shared.source.has_something_to_end(&found.token).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Ends all of them; the proof of those that lived. Their cookies stay: an answer to a sign-out takes one back, which is that of now, and these
    /// open nothing any more.
    ///
    /// # Errors
    ///
    /// [`AuthError::Unavailable`] where it cannot be known that all are over.
    pub(crate) async fn end(
        self,
        shared: &Arc<Shared>,
        device: &Device,
        ending: Ending,
    ) -> Result<Option<Revoked>, AuthError> {
        let endings = self.0.into_iter().map(|found| {
            let (shared, device) = (Arc::clone(shared), device.clone());
            async move { found.end(&shared, &device, ending).await }
        });
        Ok(all(endings).await?.into_iter().flatten().reduce(Revoked::and))
    }
}

/// All at once, for each may wait for a node or a server that is silent; and all to their end, whatever becomes of one of them.
async fn all<T: Send + 'static>(
    deeds: impl Iterator<Item = impl Future<Output = Result<T, AuthError>> + Send + 'static>,
) -> Result<Vec<T>, AuthError> {
    let mut begun = JoinSet::new();
    for deed in deeds {
        begun.spawn(deed.in_current_span());
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = begun.join_next().await {
        outcomes.push(outcome.map_err(|_| AuthError::from(StoreError::Lost)).flatten());
    }
    outcomes.into_iter().collect()
}

impl Found {
    async fn end(self, shared: &Shared, device: &Device, ending: Ending) -> Result<Option<Revoked>, AuthError> {
        let Self { token, session } = self;
        match &session {
            Some(session) => shared.source.end(Asker { token: &token, session, device }, ending).await.map(Some),
            // Whoever signs out is told that it is over: see `Authority::settle`. Whoever signs in is told nothing of the kind.
            None if matches!(ending, Ending::This) => shared.source.settle(&token, device).await.map(|()| None),
            None => Ok(None),
        }
    }
}
