//! What is open at this app for sessions of a distant server.
//!
//! Owns one event stream of the server for each session that something is open for, however much, and the wait of whoever ends the session
//! here until what was open has closed. What cannot be heard any more counts as ended: what is open must not outlive its session.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use exeunt::SessionId;
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::time::timeout;

use crate::errors::AuthError;

/// Things open for one session at a time, as with an authority in this process.
const OPEN_PER_SESSION_MAX: usize = 64;

/// How long whoever ends something waits for what was open for it to close, as with an authority in this process. It has been told.
const CLOSING_WAIT: Duration = Duration::from_secs(1);

/// What is open, by session.
#[derive(Debug, Default)]
pub(super) struct Streams(Mutex<Open>);

/// To each of these it is told once, and it has a receiver as long as it is open.
type Open = HashMap<SessionId, Arc<Sender<bool>>>;

/// Something open for a session. While it is held, whoever ends the session here waits for it.
pub(crate) struct Heard(Receiver<bool>);

impl Heard {
    /// Comes to its end when the session does, and is still held then.
    pub(crate) async fn until_ended(mut self) -> Self {
        // Whoever would tell is gone only with what it had to tell.
        let _ = self.0.wait_for(|ended| *ended).await;
        self
    }
}

impl Streams {
    /// One thing more. `hear` comes to its end when the session does; it is only made for the first.
    pub(super) fn join<F>(self: &Arc<Self>, session: SessionId, hear: impl FnOnce() -> F) -> Result<Heard, AuthError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut open = self.open();
        if let Some(told) = open.get(&session) {
            let room = told.receiver_count() < OPEN_PER_SESSION_MAX;
            return room.then(|| Heard(told.subscribe())).ok_or(AuthError::TooMuchOpen);
        }
        let (told, heard) = watch::channel(false);
        let told = Arc::new(told);
        open.insert(session, Arc::clone(&told));
        tokio::spawn(Arc::clone(self).tell(session, told, hear()));
        Ok(Heard(heard))
    }

    /// Tells what is open for these sessions that they have ended, and waits until it has closed.
    pub(super) async fn close(&self, ended: &[SessionId]) {
        let told: Vec<_> = {
            let mut open = self.open();
            ended.iter().filter_map(|session| open.remove(session)).collect()
        };
        for told in &told {
            told.send_replace(true);
        }
        let closed = async {
            for told in &told {
                told.closed().await;
            }
        };
        // Who does not close it holds up nobody's answer.
        let _ = timeout(CLOSING_WAIT, closed).await;
    }

    /// Until nothing is open any more, or the session has ended as far as anybody can hear.
    async fn tell(self: Arc<Self>, session: SessionId, told: Arc<Sender<bool>>, hear: impl Future<Output = ()>) {
        let mut hear = pin!(hear);
        loop {
            let heard = tokio::select! {
                () = &mut hear => true,
                () = told.closed() => false,
            };
            let mut open = self.open();
            // Somebody may have come in between.
            if heard || told.receiver_count() == 0 {
                if open.get(&session).is_some_and(|known| Arc::ptr_eq(known, &told)) {
                    open.remove(&session);
                }
                break;
            }
        }
        told.send_replace(true);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const ONE: SessionId = SessionId::from_bytes([1; 16]);

    #[tokio::test]
    async fn however_much_is_open_for_a_session_the_server_is_listened_to_once() {
        let (streams, asked, end) =
            (Arc::new(Streams::default()), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let hear = || {
            asked.fetch_add(1, Ordering::Relaxed);
            let end = Arc::clone(&end);
            async move { end.notified().await }
        };
        let all: Vec<_> = (0..OPEN_PER_SESSION_MAX).map(|_| streams.join(ONE, hear).expect("room")).collect();
        assert!(matches!(streams.join(ONE, hear), Err(AuthError::TooMuchOpen)));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        end.notify_one();
        for heard in all {
            drop(heard.until_ended().await);
        }
        assert!(streams.open().is_empty());
        // Where the line broke, whatever is opened next listens anew.
        let again = streams.join(ONE, hear).expect("room");
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        drop(again);
        while !streams.open().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_ends_a_session_waits_until_what_was_open_is_let_go_and_not_for_ever() {
        let streams = Arc::new(Streams::default());
        let never = std::future::pending::<()>;
        let heard = streams.join(ONE, never).expect("room");
        let closing = tokio::spawn({
            let streams = Arc::clone(&streams);
            async move { streams.close(&[ONE]).await }
        });
        let held = heard.until_ended().await;
        tokio::task::yield_now().await;
        assert!(!closing.is_finished(), "it was told, and is still open");
        drop(held);
        closing.await.expect("closed");
        // The clock moves on by itself where nobody else can.
        let _kept = streams.join(ONE, never).expect("room");
        streams.close(&[ONE]).await;
        assert!(streams.open().is_empty());
    }
}
