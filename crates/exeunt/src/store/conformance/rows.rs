//! What a store remembers of users and sessions.

#![expect(clippy::missing_panics_doc, reason = "a case panics where a store does not conform, and only there")]

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{START, end, hash, is_live, later, new_session, open, reset, session, user};
use crate::clock::Timestamp;
use crate::revocation::{By, Seq, Target};
use crate::session::SessionId;
use crate::store::{Become, Intake, Marked, NewUser, Owner, PasswordChange, Present, Seen, Store, UserChange};
use crate::token::TokenDigest;
use crate::user::{Epoch, User, UserId, UserName};

/// A name is unique in all its spellings and is shown as it was typed.
pub async fn a_name_is_taken_once(store: Arc<dyn Store>) {
    let ana = user(&store, "Ána").await;
    assert_eq!((&*ana.name, ana.created_at), ("Ána", START));
    for spelling in ["Ána", "ána", "A\u{301}NA"] {
        let name = UserName::parse(spelling).expect("a name");
        let new =
            NewUser { name: name.clone(), hash: hash("other"), admin: false, word: None, from: "".into(), at: START };
        assert!(store.add_user(&new).await.expect("looked").is_none(), "{spelling}");
        let known = store.user_by_name(&name).await.expect("looked").expect("there");
        assert_eq!(known.user, ana);
        assert!(known.hash == hash("first"));
    }
    let ben = user(&store, "Ben").await;
    assert_ne!(ana.id, ben.id);
    let nobody = UserName::parse("Cleo").expect("a name");
    assert!(store.user_by_name(&nobody).await.expect("looked").is_none());
}

/// Users come in pages, each once.
pub async fn users_are_listed_in_pages(store: Arc<dyn Store>) {
    let mut added = Vec::new();
    for n in 0..5 {
        added.push(user(&store, &format!("user {n}")).await);
    }
    let mut listed = Vec::new();
    loop {
        let after = listed.last().map_or(UserId(0), |user: &User| user.id);
        let page = store.users(after, 2).await.expect("looked");
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(listed, added);
}

/// A renewed hash replaces only the hash it was made from: a password changed meanwhile wins.
pub async fn a_password_hash_is_kept_and_renewed_only_over_the_old_one(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let name = UserName::parse("ana").expect("a name");
    store.renew_hash(ana.id, &hash("first"), &hash("stronger")).await.expect("kept");
    let known = store.user_by_name(&name).await.expect("looked").expect("there");
    assert!(known.hash == hash("stronger"));
    let change = reset(&ana, "changed");
    store.change_password(&change).await.expect("changed").expect("there");
    store.renew_hash(ana.id, &hash("stronger"), &hash("too late")).await.expect("looked");
    let known = store.user_by_name(&name).await.expect("looked").expect("there");
    assert!(known.hash == hash("changed"));
    let nobody = PasswordChange { user: UserId(999), ..change };
    assert!(store.change_password(&nobody).await.expect("looked").is_none());
}

/// All that was said of a session is remembered.
pub async fn a_session_is_found_by_its_token_while_it_lives(store: Arc<dyn Store>) {
    let ana = user(&store, "Ana").await;
    let session = open(&store, &ana).await;
    let found = store.session_by_token(&session.digest).await.expect("looked").expect("live");
    assert_eq!((found.row, found.mark), (session.clone(), Seq(0)));
    let stranger = TokenDigest::from_bytes([7; 32]);
    assert!(store.session_by_token(&stranger).await.expect("looked").is_none());
    let ended = end(&store, Target::Session(session.id), &ana).await.expect("ended");
    assert!(!is_live(&store, &session).await);
    let other = open(&store, &ana).await;
    let found = store.session_by_token(&other.digest).await.expect("looked").expect("live");
    assert_eq!(found.mark, ended.seq, "the mark is the number of the last revocation that the reader could see");
}

/// Its public name says whose it is, to whoever may ask.
pub async fn a_session_is_found_by_its_name_while_it_lives(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "Ana").await, user(&store, "ben").await);
    let (one, two, bens) = (open(&store, &ana).await, open(&store, &ana).await, open(&store, &ben).await);
    for session in [&one, &two, &bens] {
        assert_eq!(store.session_by_id(session.id).await.expect("looked").as_ref(), Some(session));
    }
    assert_eq!(store.session_by_id(SessionId::from_bytes([7; 16])).await.expect("looked"), None);
    end(&store, Target::Session(one.id), &ana).await.expect("ended");
    assert_eq!(store.session_by_id(one.id).await.expect("looked"), None);
    end(&store, Target::User(ana.id), &ana).await.expect("ended");
    assert_eq!(store.session_by_id(two.id).await.expect("looked"), None, "its epoch is gone");
    assert_eq!(store.session_by_id(bens.id).await.expect("looked"), Some(bens));
}

/// The last word names those that live, in any order, and nobody else.
pub async fn what_is_settled_is_what_is_live_and_the_end_of_the_log(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let (one, two, three) = (open(&store, &ana).await, open(&store, &ana).await, open(&store, &ana).await);
    assert_eq!(store.settled(&[]).await.expect("settled"), Marked { row: Vec::new(), mark: Seq(0) });
    let ended = end(&store, Target::Session(two.id), &ana).await.expect("ended");
    let asked = [one.digest, TokenDigest::from_bytes([7; 32]), two.digest, three.digest];
    let Marked { mut row, mark } = store.settled(&asked).await.expect("settled");
    row.sort_by_key(|session| session.id != one.id);
    assert_eq!((row, mark), (vec![one.clone(), three], ended.seq));
    let ended = end(&store, Target::User(ana.id), &ana).await.expect("ended");
    assert_eq!(store.settled(&asked).await.expect("settled"), Marked { row: Vec::new(), mark: ended.seq });
}

/// The newest session is shown first, and lists have a limit.
pub async fn sessions_are_listed_newest_first(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    open(&store, &ben).await;
    let mut opened = Vec::new();
    for n in 0..5 {
        let session = session(&ana, later(n));
        store.open_session(&new_session(&session, None)).await.expect("opened");
        opened.insert(0, session);
    }
    assert_eq!(store.sessions_of(ana.id, 100).await.expect("looked"), opened);
    assert_eq!(store.sessions_of(ana.id, 2).await.expect("looked"), opened[..2]);
    end(&store, Target::Session(opened[0].id), &ana).await.expect("ended");
    assert_eq!(store.sessions_of(ana.id, 100).await.expect("looked"), opened[1..]);
}

/// Memory is filled from pages that leave nobody out and bring nobody back.
pub async fn live_sessions_are_read_in_pages_with_their_mark(store: Arc<dyn Store>) {
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    let mut live = Vec::new();
    for _ in 0..5 {
        live.push(open(&store, &ana).await);
        open(&store, &ben).await;
    }
    let gone = live.pop().expect("five");
    end(&store, Target::Session(gone.id), &ana).await.expect("ended");
    let last = end(&store, Target::User(ben.id), &ben).await.expect("ended");
    let (mut read, mut after) = (Vec::new(), TokenDigest::from_bytes([0; 32]));
    loop {
        let page = store.live_sessions(&after, 3).await.expect("looked");
        assert_eq!(page.mark, last.seq);
        let Some(end) = page.row.last() else { break };
        after = end.digest;
        read.extend(page.row);
    }
    live.sort_by_key(|session| session.digest);
    assert_eq!(read, live);
}

/// Batches may arrive in any order; the latest use stands.
pub async fn a_touch_moves_the_last_use_forward_only(store: Arc<dyn Store>) {
    let ana = user(&store, "ana").await;
    let session = open(&store, &ana).await;
    let seen = |at| Seen { digest: session.digest, epoch: session.epoch, at };
    let stranger = Seen { digest: TokenDigest::from_bytes([7; 32]), ..seen(later(9)) };
    assert_eq!(store.touch(&[seen(later(60)), seen(later(30)), stranger]).await.expect("noted"), 1);
    let found = store.session_by_token(&session.digest).await.expect("looked").expect("live");
    assert_eq!(found.row.seen_at, later(60));
    let before: Timestamp = START;
    assert_eq!(store.touch(&[seen(before)]).await.expect("looked"), 0);
    store.ready().await.expect("ready");
}

/// Memory is filled with everybody who is live, once each, with the name and the epoch that count, and with nobody else.
pub async fn what_is_loaded_is_what_is_live(store: Arc<dyn Store>) {
    assert_eq!(loaded(&store).await, (vec![], Seq(0)));
    let (ana, ben) = (user(&store, "ana").await, user(&store, "ben").await);
    let (cleo, dan) = (user(&store, "cleo").await, user(&store, "dan").await);
    let mut live = Vec::new();
    for _ in 0..20 {
        live.push(open(&store, &ana).await);
        open(&store, &ben).await;
        open(&store, &cleo).await;
        open(&store, &dan).await;
    }
    let gone = live.pop().expect("twenty");
    end(&store, Target::Session(gone.id), &ana).await.expect("ended");
    let left = end(&store, Target::User(ben.id), &ben).await.expect("ended");
    live.push(open(&store, &User { epoch: Epoch(left.seq), ..ben.clone() }).await);
    for (user, to) in [(cleo.id, Become::Deleted), (dan.id, Become::Disabled)] {
        let change = UserChange { user, to, word: By::operator().into(), at: later(1) };
        store.change_user(&change).await.expect("changed").expect("there");
    }
    live.sort_by_key(|session| session.digest);
    let expected: Vec<_> = live.iter().map(|session| (Present::of(session), Arc::clone(&session.name))).collect();
    let (found, mark) = loaded(&store).await;
    assert_eq!((found, mark), (expected, store.log_end().await.expect("looked")));
    end(&store, Target::Everyone, &ana).await.expect("ended");
    assert_eq!(loaded(&store).await.0, vec![]);
}

/// Takes in as memory does, and forgets nobody.
#[derive(Debug, Default)]
struct Doorman(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    owners: HashMap<UserId, Owner>,
    sessions: Vec<(Present, Arc<str>)>,
    mark: Option<Seq>,
}

impl Intake for Doorman {
    fn take(&self, owners: &[Owner], sessions: &mut Vec<Present>, mark: Seq) {
        let mut taken = self.0.lock();
        assert_eq!(*taken.mark.get_or_insert(mark), mark, "nothing ended meanwhile");
        taken.owners.extend(owners.iter().map(|owner| (owner.id, owner.clone())));
        let Taken { owners, sessions: entered, .. } = &mut *taken;
        sessions.retain(|session| {
            let owner = owners.get(&session.user).filter(|owner| owner.epoch == session.epoch);
            entered.extend(owner.map(|owner| (*session, Arc::clone(&owner.name))));
            owner.is_none()
        });
    }
}

/// In the order of digests.
async fn loaded(store: &Arc<dyn Store>) -> (Vec<(Present, Arc<str>)>, Seq) {
    let doorman = Arc::new(Doorman::default());
    store.load(Arc::clone(&doorman) as Arc<_>).await.expect("loaded");
    let mut taken = std::mem::take(&mut *doorman.0.lock());
    taken.sessions.sort_by_key(|(session, _)| session.digest);
    (taken.sessions, taken.mark.unwrap_or(Seq(0)))
}
