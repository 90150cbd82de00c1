//! Those who wait for answers that are had together: whoever asks while somebody is asking shares the next turn, and never the one that has begun.
//!
//! Owns who waits, how many may, and whether somebody asks for them. It knows nothing of what is asked.

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Callers that may wait: a few seconds' worth where a disk is slow.
const WAITING_MAX: usize = 4_096;

/// Those who wait, each with a question `Q` and the way on which the answer `A` comes.
#[derive(Debug)]
pub(crate) struct Waiting<Q, A>(Mutex<State<Q, A>>);

/// Some of them.
pub(crate) type Group<Q, A> = Vec<(Q, oneshot::Sender<A>)>;

#[derive(Debug)]
struct State<Q, A> {
    waiting: Group<Q, A>,
    /// Somebody asks for those who wait.
    is_asked: bool,
}

impl<Q, A> Waiting<Q, A> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State { waiting: Vec::new(), is_asked: false }))
    }

    /// Joins those who wait; and whether nobody asks for them yet, so that this caller has to begin.
    pub(crate) fn join(&self, question: Q) -> Result<(oneshot::Receiver<A>, bool), StoreError> {
        let mut state = self.0.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Err(StoreError::Busy);
        }
        let (to, answer) = oneshot::channel();
        state.waiting.push((question, to));
        Ok((answer, !std::mem::replace(&mut state.is_asked, true)))
    }

    /// The first of those who wait, as many as are asked for at once. `None`: there is nobody, and whoever comes next has to begin.
    pub(crate) fn next(&self, at_once: usize) -> Option<Group<Q, A>> {
        let mut state = self.0.lock();
        // Who has gone away meanwhile needs no answer.
        state.waiting.retain(|(_, to)| !to.is_closed());
        let many = state.waiting.len().min(at_once);
        let group: Group<Q, A> = state.waiting.drain(..many).collect();
        state.is_asked = !group.is_empty();
        state.is_asked.then_some(group)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().waiting.len()
    }
}

/// A failure as it is told to each of those who had waited for one answer.
pub(crate) fn said_again(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Overtaken => StoreError::Overtaken,
        StoreError::Lost => StoreError::Lost,
        StoreError::Withdrawn(why) => StoreError::Withdrawn(*why),
        StoreError::Stopped => StoreError::Stopped,
        StoreError::Failed { deed, source } => StoreError::Failed { deed, source: source.to_string().into() },
    }
}
