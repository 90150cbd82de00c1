//! The one writer: groups what many requests want written into one transaction, and syncs once for all of them.
//!
//! Owns the thread, its queue and the order of things: run, commit, tell the witnesses, answer, tidy the journal. Nobody is answered before
//! the commit, and nothing is told that was not committed. A group of which a sentence fails is taken back and said again, each
//! sentence by itself: to be ready for that beforehand would cost every ending a copy of the pages it changes.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::failed;
use super::file::OpenError;
use super::journal::Journal;
use super::mark::Mark;
use crate::outage::Outage;
use crate::revocation::Revocation;
use crate::store::{StoreError, Witness, not_taken};

/// Sentences that may wait. At 20 µs each they are written within a fifth of a second and one sync.
const QUEUE_MAX: usize = 8_192;

/// Sentences in one transaction: more would make the first of them wait too long for their sync.
const BATCH_MAX: usize = 512;

/// The writer's end that requests hold.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    witnesses: Witnesses,
    thread: Option<JoinHandle<()>>,
}

type Witnesses = Arc<Mutex<Vec<Arc<dyn Witness>>>>;

/// One sentence that waits to be written and answered.
trait Job: Send {
    /// Runs it inside the group's transaction, and adds what it ended to `said`. False: it failed and must be taken back. What it said
    /// before, in a transaction that was taken back, is forgotten.
    fn run(&mut self, tx: &Connection, said: &mut Vec<Revocation>) -> bool;
    /// Answers it: what it said if the group was committed, else why not.
    fn answer(self: Box<Self>, committed: Result<(), Why>);
}

/// Why a sentence was not committed, told to each of its group.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
struct Why(Arc<str>);

struct Queued<T, F> {
    deed: &'static str,
    sentence: F,
    outcome: Option<rusqlite::Result<T>>,
    to: oneshot::Sender<Result<T, StoreError>>,
}

/// What the thread holds of the store.
struct Held {
    connection: Connection,
    mark: Mark,
    journal: Journal,
}

impl Writer {
    pub(super) fn start(mut connection: Connection, mark: Mark) -> Result<Self, OpenError> {
        let journal = Journal::take_over(&mut connection)?;
        let held = Held { connection, mark, journal };
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let witnesses = Witnesses::default();
        let told = Arc::clone(&witnesses);
        let thread = std::thread::Builder::new()
            .name("exeunt-writer".to_owned())
            .spawn(move || write_until_closed(held, jobs, &told))
            .map_err(OpenError::Thread)?;
        Ok(Self { queue: Some(queue), witnesses, thread: Some(thread) })
    }

    pub(super) fn tell(&self, witness: Arc<dyn Witness>) {
        self.witnesses.lock().push(witness);
    }

    /// Queues a sentence and waits until it is committed and told. If the caller goes away it is written all the same.
    pub(super) async fn write<T, F>(&self, deed: &'static str, sentence: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection, &mut Vec<Revocation>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (to, answer) = oneshot::channel();
        let job = Queued { deed, sentence, outcome: None, to };
        let queue = self.queue.as_ref().ok_or(StoreError::Stopped)?;
        queue.try_send(Box::new(job)).map_err(|error| not_taken(&error))?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Drop for Writer {
    /// Lets the thread finish what is queued, so that the file is closed before the folder is given up.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has answered nobody; each of its callers saw `Stopped`.
            let _ = thread.join();
        }
    }
}

fn write_until_closed(mut held: Held, mut jobs: mpsc::Receiver<Box<dyn Job>>, witnesses: &Witnesses) {
    let mut group = Vec::with_capacity(BATCH_MAX);
    let mut outage = Outage::of_many("the store could not commit", "the store commits again");
    while jobs.blocking_recv_many(&mut group, BATCH_MAX) > 0 {
        write_group(&mut held, &mut group, witnesses, &mut outage);
    }
    held.journal.stop(&held.connection);
}

fn write_group(held: &mut Held, group: &mut Vec<Box<dyn Job>>, witnesses: &Witnesses, outage: &mut Outage) {
    let mut said = Vec::new();
    let committed = commit(held, group, &mut said);
    outage.note(committed.as_ref());
    match &committed {
        Ok(()) => {
            for (witness, revocation) in
                witnesses.lock().iter().flat_map(|witness| said.iter().map(move |revocation| (witness, revocation)))
            {
                witness.heard(revocation);
            }
            if let Some(last) = said.last() {
                held.mark.raise(last.seq);
            }
        }
        Err(error) => tracing::debug!(%error, sentences = group.len(), "a group was not committed"),
    }
    let committed = committed.map_err(|error| Why(error.to_string().into()));
    for job in group.drain(..) {
        job.answer(committed.clone());
    }
    match committed {
        Ok(()) => held.journal.committed(&held.connection),
        Err(_) => held.journal.failed(&held.connection),
    }
}

/// All or nothing, but for a sentence that fails, which takes only itself back; a commit that fails takes all.
fn commit(held: &mut Held, group: &mut [Box<dyn Job>], said: &mut Vec<Revocation>) -> rusqlite::Result<()> {
    let tx = held.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    held.journal.begin(&tx)?;
    if group.iter_mut().all(|job| job.run(&tx, said)) {
        return tx.commit();
    }
    said.clear();
    // Takes it back, unless SQLite has done so by itself.
    tx.finish()?;
    commit_one_by_one(held, group, said)
}

/// The same with a savepoint before each sentence.
fn commit_one_by_one(held: &mut Held, group: &mut [Box<dyn Job>], said: &mut Vec<Revocation>) -> rusqlite::Result<()> {
    let mut tx = held.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    held.journal.begin(&tx)?;
    for job in group {
        let before = said.len();
        let step = tx.savepoint()?;
        if job.run(&step, said) {
            step.commit()?;
        } else {
            said.truncate(before);
            step.finish()?;
            // A full disk can make SQLite roll the whole transaction back by itself; then nothing of it is left to commit.
            if tx.is_autocommit() {
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
                    Some("the medium failed within the transaction".to_owned()),
                ));
            }
        }
    }
    tx.commit()
}

impl<T, F> Job for Queued<T, F>
where
    T: Send,
    F: Fn(&Connection, &mut Vec<Revocation>) -> rusqlite::Result<T> + Send,
{
    fn run(&mut self, tx: &Connection, said: &mut Vec<Revocation>) -> bool {
        self.outcome.insert((self.sentence)(tx, said)).is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), Why>) {
        let answer = match (committed, self.outcome) {
            (_, Some(Err(error))) => Err(failed(self.deed, error)),
            (Err(why), _) => Err(StoreError::Failed { deed: self.deed, source: Box::new(why) }),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Lost),
        };
        // Nobody waits any more: it is done all the same.
        let _ = self.to.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::super::endings::end_user;
    use super::*;
    use crate::clock::Timestamp;
    use crate::credential::PasswordHash;
    use crate::revocation::{By, Cause, Order, Seq, Target};
    use crate::store::{NewUser, Store as _};
    use crate::user::{UserId, UserName};

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<Seq>>);

    impl Witness for Heard {
        fn heard(&self, revocation: &Revocation) {
            self.0.lock().push(revocation.seq);
        }
    }

    async fn user(store: &SqliteStore, name: &str) -> UserId {
        let name = UserName::parse(name).expect("a name");
        let hash = PasswordHash::from_phc("!".to_owned());
        let new = NewUser { name, hash, admin: false, word: None, from: "".into(), at: Timestamp::from_micros(0) };
        store.add_user(&new).await.expect("added").expect("free").id
    }

    /// Ends everything of a user, and then fails where it is told to.
    async fn end(store: &SqliteStore, user: UserId, fails: bool) -> Result<(), StoreError> {
        let (target, word) = (Target::User(user), By::operator().into());
        let order = Order { target, cause: Cause::Logout, word, at: Timestamp::from_micros(0) };
        let sentence = move |tx: &Connection, said: &mut Vec<Revocation>| {
            end_user(tx, said, user, &order)?;
            if fails { tx.execute("INSERT INTO revocations (seq) VALUES (1)", []).map(drop) } else { Ok(()) }
        };
        store.writer.write("end everything", sentence).await
    }

    #[tokio::test]
    async fn of_a_group_the_sentence_that_fails_takes_no_other_with_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(&folder.path().join("data")).expect("begun");
        let (ana, bea, eve) = (user(&store, "ana").await, user(&store, "bea").await, user(&store, "eve").await);
        let heard = Arc::new(Heard::default());
        store.tell(Arc::clone(&heard) as Arc<dyn Witness>);
        // The thread is held until all of them wait, so that they are one group.
        let (go, release) = std::sync::mpsc::channel::<()>();
        let release = Mutex::new(release);
        let wait = store.writer.write("wait", move |_, _| {
            let _ = release.lock().recv();
            Ok(())
        });
        let (waited, first, failed, last, ()) =
            tokio::join!(wait, end(&store, ana, false), end(&store, eve, true), end(&store, bea, false), async {
                drop(go);
            });
        waited.expect("waited");
        first.expect("committed");
        last.expect("committed");
        assert!(matches!(failed, Err(StoreError::Failed { .. })), "{failed:?}");
        assert_eq!(*heard.0.lock(), [Seq(1), Seq(2)], "each once, under numbers without gaps");
        assert_eq!(store.log_end().await.expect("looked"), Seq(2));
        for (user, epoch) in [(ana, 1), (bea, 2), (eve, 0)] {
            let known = store.user_by_id(user).await.expect("looked").expect("known");
            assert_eq!(known.user.epoch.0, Seq(epoch));
        }
    }
}
