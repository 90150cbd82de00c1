//! What is done on an administrator's word: the question whether it counts, in the transaction of the deed.
//!
//! Owns that question. The writer holds the counter when it is asked, so nobody is signed out and nobody's role is taken away between the answer
//! and the commit.

use async_trait::async_trait;

use super::fault::Done;
use super::link::Link;
use super::writer::{Sentence, Writer};
use crate::revocation::{Revocation, Withdrawn};
use crate::session::SessionId;
use crate::store::{StoreError, vocabulary};
use crate::user::UserId;

/// Writes what `rests_on` somebody's administering this server in a session, if that is so; what rests on nothing, as it is.
pub(super) async fn write_on<S: Sentence>(
    writer: &Writer,
    rests_on: Option<(UserId, SessionId)>,
    sentence: S,
) -> Result<S::Answer, StoreError> {
    match rests_on {
        None => writer.write(sentence).await,
        Some(rests_on) => Ok(writer.write(OnWord { rests_on, sentence }).await??),
    }
}

struct OnWord<S> {
    rests_on: (UserId, SessionId),
    sentence: S,
}

#[async_trait]
impl<S: Sentence> Sentence for OnWord<S> {
    type Answer = Result<S::Answer, Withdrawn>;
    const NAME: &'static str = S::NAME;

    async fn run(&self, tx: &Link, said: &mut Vec<Revocation>) -> Done<Self::Answer> {
        let (user, session) = self.rests_on;
        let sql = "SELECT k.admin AND k.enabled FROM live_sessions s JOIN known_users k ON k.id = s.user_id
            WHERE s.sid = $1 AND s.user_id = $2";
        let found = tx.query_opt(sql, &[&&session.as_bytes()[..], &user.0]).await?;
        let administers = found.map(|row| row.try_get(0)).transpose()?;
        match vocabulary::withdrawn(administers) {
            Some(why) => Ok(Err(why)),
            None => self.sentence.run(tx, said).await.map(Ok),
        }
    }
}
