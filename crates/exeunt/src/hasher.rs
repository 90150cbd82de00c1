//! Does the costly work of hashing under permits, so that a flood of sign-ins cannot take the machine.
//!
//! Owns the permits, the queue before them, the threads that hash and the hash of nobody. It decides nothing about anybody.

use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::credential::{NewPassword, Password, PasswordFault, PasswordHash, Work};
use crate::random::Random;

/// How many hashes may wait for each core. At some 30 ms a hash the last in the queue waits between one and two seconds; who comes
/// after that is told to try later, which is kinder than a page that never loads.
const WAITING_PER_PERMIT: usize = 48;

/// How far a hash gives way to everything else: beside checks that keep a core busy it gets a tenth of that core, so that
/// nobody's sign-in stands still; and an idle one it has for itself.
const NICENESS: i32 = 10;

/// Lets as many hash at a time as there are cores.
#[derive(Debug)]
pub(crate) struct Hasher {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
    tools: Tools,
}

#[derive(Clone, Debug)]
struct Tools {
    random: Arc<dyn Random>,
    work: Work,
    nobody: Arc<PasswordHash>,
    /// Looks at a hash, for tests to count.
    #[cfg(test)]
    looks: Arc<AtomicUsize>,
}

impl Tools {
    /// The costly look. Each attempt has exactly one, whomever it names, for by the clock a stranger sees how many there were.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "where the looks are counted"))]
    fn fit(&self, hash: &PasswordHash, password: &Password) -> bool {
        #[cfg(test)]
        self.looks.fetch_add(1, Ordering::SeqCst);
        hash.fits(password)
    }
}

/// What a password turned out to be.
pub(crate) enum Verdict {
    /// It fits; and, if its hash was weak by today's measure, a stronger one to keep instead.
    Fits(Option<PasswordHash>),
    /// It does not fit, or there is no such user: the same answer after the same work.
    Wrong,
}

/// Too many hashes are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be hashed")]
pub struct Crowded;

impl Hasher {
    /// A hasher for as many hashes at a time as this machine has cores.
    #[must_use]
    pub(crate) fn new(work: Work, random: Arc<dyn Random>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody = Arc::new(PasswordHash::of_nobody(work, &*random));
        Self {
            permits: Arc::new(Semaphore::new(cores)),
            places: Arc::new(Semaphore::new(cores * (WAITING_PER_PERMIT + 1))),
            tools: Tools {
                random,
                work,
                nobody,
                #[cfg(test)]
                looks: Arc::default(),
            },
        }
    }

    /// How often a password was held against a hash.
    #[cfg(test)]
    pub(crate) fn looks(&self) -> usize {
        self.tools.looks.load(Ordering::SeqCst)
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// [`Crowded`] when the queue is full.
    pub(crate) async fn turn(&self) -> Result<Turn, Crowded> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Crowded)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Crowded)?;
        Ok(Turn { held: (place, permit), tools: self.tools.clone() })
    }
}

/// A turn at hashing: one of as many as there are cores.
#[must_use = "a turn that is not taken keeps others waiting"]
pub(crate) struct Turn {
    held: (OwnedSemaphorePermit, OwnedSemaphorePermit),
    tools: Tools,
}

impl Turn {
    /// The hash of a password that its user wants, or why they have to choose another.
    ///
    /// # Errors
    ///
    /// [`Crowded`] when no thread could be started, or the hash came to no end.
    pub(crate) async fn hash(self, password: NewPassword) -> Result<Result<PasswordHash, PasswordFault>, Crowded> {
        self.run(move |tools| password.hash(tools.work, &*tools.random)).await
    }

    /// Whether `password` fits `hash`; `None` stands for a user that does not exist and costs the same.
    ///
    /// # Errors
    ///
    /// [`Crowded`] when no thread could be started, or the hash came to no end.
    pub(crate) async fn verify(self, password: Password, hash: Option<PasswordHash>) -> Result<Verdict, Crowded> {
        self.run(move |tools| match hash {
            None => {
                // The result is thrown away, the time is not.
                let _ = std::hint::black_box(tools.fit(&tools.nobody, &password));
                Verdict::Wrong
            }
            Some(hash) if tools.fit(&hash, &password) => {
                Verdict::Fits(hash.renewed(&password, tools.work, &*tools.random))
            }
            Some(_) => Verdict::Wrong,
        })
        .await
    }

    /// On a thread of its own: niceness cannot be taken back, so a thread of the shared pool would stay slow for whoever used it
    /// next. Starting one costs a thousandth of the hash. The permit goes with the task and comes back with its result. Its caller
    /// may be gone, but the hash still runs, and nobody may begin another beside it before this attempt is counted.
    async fn run<T: Send + 'static>(self, task: impl FnOnce(&Tools) -> T + Send + 'static) -> Result<T, Crowded> {
        let (to, done) = oneshot::channel();
        let hash = move || {
            give_way();
            let done = task(&self.tools);
            // Who has gone away meanwhile hears nothing, and then the permit is let go here.
            let _ = to.send((done, self.held));
        };
        // It is not waited for: it ends by itself, and holds nothing that must be closed.
        let _thread = Builder::new().name("exeunt-hasher".to_owned()).spawn(hash).map_err(|error| {
            tracing::error!(%error, "no thread could be started for a hash");
            Crowded
        })?;
        let (done, _held) = done.await.map_err(|_| {
            tracing::error!("a hash came to no end");
            Crowded
        })?;
        Ok(done)
    }
}

/// Lets this thread run after all that does not give way, so that who is signed in does not wait for those who sign in.
fn give_way() {
    // Elsewhere than on Linux niceness is the whole process's. Where it may not be changed, a hash is only less polite.
    if cfg!(target_os = "linux") {
        let _ = rustix::process::nice(NICENESS);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

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

    /// Else the one look that each attempt has would tell them apart.
    #[test]
    fn the_hash_of_nobody_is_as_much_work_as_anybodys() {
        let random = Arc::new(CountingRandom::default());
        let ana = crate::user::UserName::parse("ana").expect("a name");
        let work = |hash: &PasswordHash| hash.as_phc().split('$').nth(3).map(str::to_owned);
        let hasher = Hasher::new(Work::for_tests(), Arc::clone(&random) as Arc<dyn Random>);
        let new = NewPassword::choose("tall ships sail", &ana, 8).unwrap_or_else(|fault| panic!("{fault}"));
        let anybodys = new.hash(Work::for_tests(), &*random).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(work(&anybodys).is_some_and(|work| work.starts_with("m=")));
        assert_eq!(work(&hasher.tools.nobody), work(&anybodys));
    }

    #[tokio::test]
    async fn a_hash_gives_way_to_everything_else_and_only_a_hash_does() {
        let hasher = Hasher::new(Work::for_tests(), Arc::new(CountingRandom::default()));
        let nice = || rustix::process::getpriority_process(None).expect("one's own");
        let turn = hasher.turn().await.unwrap_or_else(|crowded| panic!("{crowded}"));
        let before = nice();
        let then = turn.run(move |_| nice()).await.unwrap_or_else(|crowded| panic!("{crowded}"));
        if cfg!(target_os = "linux") {
            assert_eq!(then, (before + NICENESS).min(19));
        }
        assert_eq!(nice(), before);
        let lent = tokio::task::spawn_blocking(nice).await.expect("no panic");
        assert_eq!(lent, before, "a thread that others use has been made polite");
    }

    #[tokio::test]
    async fn nobody_else_has_a_turn_before_its_result_was_heard() {
        let hasher = Hasher::new(Work::for_tests(), Arc::new(CountingRandom::default()));
        let permits = hasher.permits.available_permits();
        let turn = hasher.turn().await.unwrap_or_else(|crowded| panic!("{crowded}"));
        // Held until the first look at it: else it may be done by then.
        let (go, held) = std::sync::mpsc::channel::<()>();
        let hash = move |_: &Tools| held.recv().map_or("let go", |()| "done");
        let mut running = std::pin::pin!(turn.run(hash));
        let began = std::future::poll_fn(|context| Poll::Ready(running.as_mut().poll(context))).await;
        assert!(began.is_pending());
        go.send(()).expect("it waits");
        // Until the thread has let go of everything.
        while Arc::strong_count(&hasher.tools.nobody) > 1 {
            std::thread::yield_now();
        }
        assert_eq!(hasher.permits.available_permits(), permits - 1);
        assert_eq!(running.await, Ok("done"));
        assert_eq!(hasher.permits.available_permits(), permits);
    }

    #[tokio::test]
    async fn a_hash_that_panics_gives_its_turn_back() {
        let hasher = Hasher::new(Work::for_tests(), Arc::new(CountingRandom::default()));
        let (permits, places) = (hasher.permits.available_permits(), hasher.places.available_permits());
        let turn = hasher.turn().await.unwrap_or_else(|crowded| panic!("{crowded}"));
        assert!(turn.run(|_| panic!("as it should")).await.map(|()| "it ran").is_err());
        let all = u32::try_from(permits).expect("few");
        let _every_turn = hasher.permits.acquire_many(all).await.expect("all of them, soon");
        let _every_place = hasher.places.acquire_many(u32::try_from(places).expect("few")).await.expect("all of them");
    }
}
