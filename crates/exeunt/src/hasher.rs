//! Does the costly work of hashing under permits, so that a flood of sign-ins cannot take the machine.
//!
//! Owns the permits, the queue before them and the hash of nobody. It decides nothing about anybody.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::credential::{NewPassword, Password, PasswordHash, Work};
use crate::random::Random;

/// How many hashes may wait for each core. At some 30 ms a hash the last in the queue waits between one and two seconds; who comes
/// after that is told to try later, which is kinder than a page that never loads.
const WAITING_PER_PERMIT: usize = 48;

/// Lets as many hash at a time as there are cores.
#[derive(Debug)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
    tools: Tools,
}

#[derive(Clone, Debug)]
struct Tools {
    random: Arc<dyn Random>,
    work: Work,
    nobody: Arc<PasswordHash>,
}

/// What a password turned out to be.
pub enum Verdict {
    /// It fits; and, if its hash was weak by today's measure, a stronger one to keep instead.
    Fits(Option<PasswordHash>),
    /// It does not fit, or there is no such user: the same answer after the same work.
    Wrong,
}

/// Too many hashes are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sign-ins at once")]
pub struct Crowded;

impl Hasher {
    /// A hasher for as many hashes at a time as this machine has cores.
    #[must_use]
    pub fn new(work: Work, random: Arc<dyn Random>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody = Arc::new(PasswordHash::of_nobody(work, &*random));
        Self {
            permits: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores * (WAITING_PER_PERMIT + 1))),
            tools: Tools { random, work, nobody },
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// [`Crowded`] when the queue is full.
    pub async fn turn(&self) -> Result<Turn, Crowded> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Crowded)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Crowded)?;
        Ok(Turn { held: (place, permit), tools: self.tools.clone() })
    }
}

/// A turn at hashing: one of as many as there are cores.
#[must_use = "a turn that is not taken keeps others waiting"]
pub struct Turn {
    held: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    tools: Tools,
}

impl Turn {
    /// The hash of a password that its user may choose.
    ///
    /// # Errors
    ///
    /// [`Crowded`] when the process is stopping.
    pub async fn hash(self, password: NewPassword) -> Result<PasswordHash, Crowded> {
        self.run(move |tools| password.hash(tools.work, &*tools.random)).await
    }

    /// Whether `password` fits `hash`; `None` stands for a user that does not exist and costs the same.
    ///
    /// # Errors
    ///
    /// [`Crowded`] when the process is stopping.
    pub async fn verify(self, password: Password, hash: Option<PasswordHash>) -> Result<Verdict, Crowded> {
        self.run(move |tools| match hash {
            None => {
                // The result is thrown away, the time is not.
                let _ = std::hint::black_box(tools.nobody.fits(&password));
                Verdict::Wrong
            }
            Some(hash) if hash.fits(&password) => Verdict::Fits(hash.renewed(&password, tools.work, &*tools.random)),
            Some(_) => Verdict::Wrong,
        })
        .await
    }

    /// Runs `task` on a thread for blocking work. The permit moves into the task: such a task is not cancelled when its
    /// caller goes away, and a permit released early would let another hash run beside it.
    async fn run<T: Send + 'static>(self, task: impl FnOnce(&Tools) -> T + Send + 'static) -> Result<T, Crowded> {
        let done = tokio::task::spawn_blocking(move || {
            let _held = self.held;
            task(&self.tools)
        });
        done.await.map_err(|_| Crowded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::CountingRandom;

    #[tokio::test]
    async fn whoever_comes_when_the_queue_is_full_is_told_at_once() {
        let hasher = Hasher::new(Work::for_tests(), Arc::new(CountingRandom::default()));
        let all = u32::try_from(hasher.places.available_permits()).expect("few");
        let queue = Arc::clone(&hasher.places).acquire_many_owned(all).await.expect("open");
        assert!(hasher.turn().await.is_err());
        drop(queue);
        let password = Password::offered("tall-ships-sail").unwrap_or_else(|fault| panic!("{fault}"));
        let turn = hasher.turn().await.unwrap_or_else(|crowded| panic!("{crowded}"));
        assert!(matches!(turn.verify(password, None).await, Ok(Verdict::Wrong)));
    }
}
