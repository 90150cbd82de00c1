//! Two nodes with a line between them, on real sockets: what is heard on it, what is answered, and what is not believed.
//!
//! Owns the faults of a line. Each test ends by asking the other node about the session that ended.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::desk::Desk;
use super::{Scene, Shared, until};
use crate::lease::coordinator::Coordinator;
use crate::lease::line::HearsAt;
use crate::lease::line::seal::{FRAME_BYTES_MAX, Seal, Way, read_frame};
use crate::lease::line::words::{self, Challenge, Words};
use crate::live::Belief;
use crate::random::OsRandom;
use crate::revocation::Seq;
use crate::session::Session;
use crate::store::{Known, Line, LineKey, NodeId, Peer, Piece, Stamp, Written};

/// One who ends sessions, and another who hears of it.
struct Two {
    here: Coordinator,
    /// What is asked of the store here.
    desk: Arc<Desk>,
    own: NodeId,
    there: Scene,
}

impl Two {
    async fn new() -> Self {
        let at = HearsAt { listen: SocketAddr::from(([127, 0, 0, 1], 0)), known_as: None };
        let there = Scene::hearing(Some(&at)).await;
        let desk = Arc::new(Desk::default());
        let here = Coordinator::new(Arc::clone(&desk) as Arc<dyn Shared>, Arc::new(OsRandom));
        let own = NodeId::generate(&OsRandom);
        here.call_itself(own);
        let two = Self { here, desk, own, there };
        two.list(two.line());
        two
    }

    /// A line that answers.
    async fn connected() -> Self {
        let two = Self::new().await;
        assert!(!two.here.teller().reaches_everyone(), "nobody has looked");
        two.here.look().await.expect("a desk");
        two.until_it_answers().await;
        two
    }

    async fn until_it_answers(&self) {
        until("it answers on its line", || self.here.teller().reaches_everyone()).await;
    }

    fn name(&self) -> NodeId {
        *self.there.desk.nodes.lock().last().expect("joined")
    }

    fn line(&self) -> Line {
        self.there.desk.offered.lock().clone().expect("it hears")
    }

    /// What the store here says of the other.
    fn list(&self, line: Line) {
        self.desk.state.lock().peers =
            vec![Peer { node: self.name(), label: String::new(), lease: 7, heard: Seq(0), line: Some(line) }];
    }

    fn ends(&self, session: &Session) -> Written {
        self.written(self.there.desk.piece(session, "a"))
    }

    fn written(&self, piece: Piece) -> Written {
        Written { piece, present: vec![self.own, self.name()], is_hinted: false }
    }

    /// Tells it, and waits until it is heard everywhere, however.
    async fn tell(&self, written: &Written) {
        let (_, last) = written.piece.ends().expect("something ended");
        self.here.teller().tell(written);
        self.here.heard_everywhere(last.seq, Instant::now()).await;
    }

    /// The store says that the other has heard everything, as soon as it is asked.
    fn everybody_hears_through_the_store(&self) {
        self.desk.state.lock().heard_after = Some(1);
    }

    /// From now on only an answer on the line says that it has heard.
    fn nobody_hears_through_the_store(&self) {
        let mut state = self.desk.state.lock();
        state.heard_after = None;
        state.peers.iter_mut().for_each(|peer| peer.heard = Seq(0));
    }
}

#[tokio::test]
async fn who_was_told_directly_answers_directly_and_the_store_need_not_say_so() {
    let two = Two::connected().await;
    for _ in 0..50 {
        let session = two.there.believed();
        two.tell(&two.ends(&session)).await;
        assert_eq!(two.there.belief(&session), Belief::Unknown, "it was answered, and is believed");
    }
    // The store here says until the end that the other has heard nothing.
    assert_eq!(two.here.ran_out(), 0);
    two.there.member.renew_now().await.expect("the log goes on from there");
}

#[tokio::test]
async fn behind_something_that_was_not_heard_nothing_is_applied_and_nothing_answered() {
    let two = Two::connected().await;
    let (missed, told) = (two.there.believed(), two.there.believed());
    // The database there cannot be read, so the gap stays.
    two.there.desk.write(&missed, "a");
    two.there.desk.state.lock().fails = true;
    let written = two.ends(&told);
    two.everybody_hears_through_the_store();
    two.tell(&written).await;
    assert_eq!(*two.desk.woken.lock(), [Seq(2)], "the others are woken through the store");
    assert!(matches!(two.there.belief(&missed), Belief::Live(_)), "nothing is applied out of its order");
    two.there.desk.state.lock().fails = false;
    two.there.member.renew_now().await.expect("committed");
    assert_eq!((two.there.belief(&missed), two.there.belief(&told)), (Belief::Unknown, Belief::Unknown));
    // What it has read meanwhile it answers when it is told again.
    two.nobody_hears_through_the_store();
    two.tell(&written).await;
    assert_eq!(two.here.ran_out(), 0);
}

#[tokio::test]
async fn what_it_heard_through_the_store_first_is_answered_all_the_same() {
    let two = Two::connected().await;
    let session = two.there.believed();
    let written = two.ends(&session);
    two.there.member.renew_now().await.expect("committed");
    assert_eq!(two.there.belief(&session), Belief::Unknown);
    two.tell(&written).await;
    assert_eq!(two.here.ran_out(), 0, "it has heard exactly this");
}

#[tokio::test]
async fn a_piece_that_came_before_the_one_before_it_is_answered_when_that_was_read() {
    let two = Two::connected().await;
    let (first, second) = (two.there.believed(), two.there.believed());
    two.there.desk.write(&first, "a");
    two.tell(&two.ends(&second)).await;
    assert_eq!(two.here.ran_out(), 0);
    assert_eq!((two.there.belief(&first), two.there.belief(&second)), (Belief::Unknown, Belief::Unknown));
}

/// R8: whoever asks for a number may mean another history's than what was told here.
#[tokio::test]
async fn what_was_told_and_answered_says_nothing_of_a_number_that_somebody_asks_for() {
    let two = Two::connected().await;
    two.tell(&two.ends(&two.there.believed())).await;
    let looks = two.desk.looks();
    two.everybody_hears_through_the_store();
    two.here.known_everywhere(Seq(1), Instant::now()).await;
    assert!(two.desk.looks() > looks, "nobody looked");
}

/// R8: a number of a lost history is another revocation's.
#[tokio::test]
async fn an_answer_is_for_the_piece_with_its_stamp_and_not_for_the_number() {
    let two = Two::connected().await;
    let session = two.there.believed();
    two.tell(&two.ends(&session)).await;
    let woken = two.desk.woken.lock().len();
    let mut other = two.written(Piece { before: Known { seq: Seq(0), stamp: None }, ..two.ends(&session).piece });
    other.piece.log[0].revocation.seq = Seq(1);
    other.piece.log[0].stamp = Stamp("of another history".to_owned());
    two.everybody_hears_through_the_store();
    two.tell(&other).await;
    assert_eq!(two.desk.woken.lock().len(), woken + 1, "nobody has heard this one");
}

#[tokio::test]
async fn who_was_there_and_has_no_line_is_waited_for_through_the_store() {
    let two = Two::connected().await;
    let session = two.there.believed();
    let mut written = two.ends(&session);
    // Joined since somebody looked last.
    written.present.push(NodeId::generate(&OsRandom));
    two.everybody_hears_through_the_store();
    two.tell(&written).await;
    assert_eq!(*two.desk.woken.lock(), [Seq(1)]);
}

/// Neither way says by itself that both have heard.
#[tokio::test]
async fn one_answers_directly_and_another_through_the_store() {
    let two = Two::connected().await;
    let session = two.there.believed();
    let mut written = two.ends(&session);
    let third = NodeId::generate(&OsRandom);
    written.present.push(third);
    two.desk.state.lock().peers.push(Peer { node: third, label: String::new(), lease: 1, heard: Seq(1), line: None });
    two.tell(&written).await;
    assert_eq!((two.here.ran_out(), two.there.belief(&session)), (0, Belief::Unknown));
}

#[tokio::test]
async fn who_does_not_answer_is_not_counted_on_until_it_does() {
    let two = Two::connected().await;
    two.everybody_hears_through_the_store();
    let (missed, told) = (two.there.believed(), two.there.believed());
    two.there.desk.write(&missed, "a");
    two.there.desk.state.lock().fails = true;
    let written = two.ends(&told);
    two.tell(&written).await;
    assert!(!two.here.teller().reaches_everyone(), "the next ending wakes the others at once");
    two.there.desk.state.lock().fails = false;
    two.there.member.renew_now().await.expect("committed");
    two.here.teller().tell(&written);
    two.until_it_answers().await;
}

#[tokio::test]
async fn somebody_without_the_key_is_neither_heard_nor_answered() {
    let two = Two::new().await;
    let session = two.there.believed();
    two.there.desk.state.lock().fails = true;
    let words = words::piece(&two.ends(&session).piece);
    let (right, wrong) = (two.line(), LineKey::generate(&OsRandom));
    for (hello, piece, is_node) in [(&wrong, &wrong, false), (&right.key, &wrong, true)] {
        let (hello, piece) = (Seal::new(two.name(), hello), Seal::new(two.name(), piece));
        let mut caller = Caller::to(&right.at).await;
        let greeting = words::hello(&caller.challenge);
        caller.say(&hello, &greeting).await;
        let greeted = caller.answer().await.and_then(|frame| hello.open(Way::ToTeller, &frame));
        assert_eq!(greeted.is_some(), is_node);
        caller.say(&piece, &words).await;
        assert_eq!(caller.answer().await, None, "nothing is answered to it");
        assert!(matches!(two.there.belief(&session), Belief::Live(_)), "nobody said so who may");
    }
}

/// Somebody on the way has recorded how a node greeted.
#[tokio::test]
async fn a_greeting_that_was_recorded_opens_no_line() {
    let two = Two::new().await;
    let seal = Seal::new(two.name(), &two.line().key);
    let mut node = Caller::to(&two.line().at).await;
    let greeting = words::hello(&node.challenge);
    let mut recorded = Vec::new();
    assert!(seal.close(Way::ToHearer, &greeting, &OsRandom, &mut recorded));
    node.stream.write_all(&recorded).await.expect("said");
    assert!(node.answer().await.is_some(), "it was greeted back");
    let mut stranger = Caller::to(&two.line().at).await;
    stranger.stream.write_all(&recorded).await.expect("said");
    assert_eq!(stranger.answer().await, None);
}

/// Whoever calls, and what it was asked.
struct Caller {
    stream: TcpStream,
    challenge: Challenge,
}

impl Caller {
    async fn to(at: &str) -> Self {
        let mut stream = TcpStream::connect(at).await.expect("it listens");
        let mut challenge = Challenge::default();
        stream.read_exact(&mut challenge).await.expect("asked");
        Self { stream, challenge }
    }

    async fn say(&mut self, seal: &Seal, words: &[u8]) {
        let mut frame = Vec::new();
        assert!(seal.close(Way::ToHearer, words, &OsRandom, &mut frame));
        // Whoever was hung up on may not be able to say it.
        let _ = self.stream.write_all(&frame).await;
    }

    /// `None`: the other has hung up.
    async fn answer(&mut self) -> Option<Vec<u8>> {
        read_frame(&mut self.stream, FRAME_BYTES_MAX).await.ok()
    }
}

/// R9: what was said to an earlier run is not heard by this one, and this one's answers are no answers of that.
#[tokio::test]
async fn another_run_of_a_node_hangs_up_on_who_called_the_one_before() {
    let two = Two::connected().await;
    let before = (two.name(), two.line());
    two.there.desk.state.lock().gone = true;
    two.there.member.renew_now().await.expect("joined anew");
    assert_ne!(before, (two.name(), two.line()));
    let session = two.there.believed();
    two.everybody_hears_through_the_store();
    two.tell(&two.ends(&session)).await;
    assert_eq!(two.desk.woken.lock().len(), 1, "nobody answered for it");
    two.nobody_hears_through_the_store();
    two.list(two.line());
    two.here.look().await.expect("a desk");
    two.until_it_answers().await;
    let session = two.there.believed();
    two.there.member.renew_now().await.expect("committed");
    two.tell(&two.ends(&session)).await;
    assert_eq!((two.here.ran_out(), two.there.belief(&session)), (0, Belief::Unknown));
}

/// R9: what a node were told before it knows at which number it joined it would forget when it does, having answered.
#[tokio::test]
async fn nobody_is_heard_before_the_log_of_a_run_has_begun() {
    let two = Two::connected().await;
    let door = two.there.desk.door.lock().await;
    two.there.desk.state.lock().gone = true;
    let member = Arc::clone(&two.there.member);
    let joining = tokio::spawn(async move { member.renew_now().await });
    until("it comes anew", || two.there.desk.nodes.lock().len() == 2).await;
    let mut caller = Caller::to(&two.line().at).await;
    let greeting = words::hello(&caller.challenge);
    caller.say(&Seal::new(two.name(), &two.line().key), &greeting).await;
    assert_eq!(caller.answer().await, None, "it has its key, and has not joined");
    drop(door);
    joining.await.expect("asked").expect("joined");
    let mut caller = Caller::to(&two.line().at).await;
    let greeting = words::hello(&caller.challenge);
    caller.say(&Seal::new(two.name(), &two.line().key), &greeting).await;
    assert!(caller.answer().await.is_some(), "now it has");
}

#[tokio::test]
async fn a_node_that_has_left_hangs_up() {
    let two = Two::connected().await;
    two.there.member.leave().await;
    until("it has hung up", || !two.here.teller().reaches_everyone()).await;
    assert!(TcpStream::connect(two.line().at).await.is_err(), "it listens no more");
}

#[test]
fn a_word_that_is_an_answer_is_no_piece() {
    let heard = words::heard(&Known { seq: Seq(1), stamp: Some(Stamp("a1".to_owned())) });
    assert!(matches!(words::read(&heard), Some(Words::Heard(_))));
}
