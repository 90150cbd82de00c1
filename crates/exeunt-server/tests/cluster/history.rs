//! What every client saw, and whether it can be true of a cluster that keeps its promise.
//!
//! Owns the judgement of a finished run. It knows nothing of the product but its promise: times are the clients' own, on one clock, from
//! before a request was written until after its answer was read, so an order that is claimed here was there.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long after it failed an ending may still be done: what a node had asked may lie on a way that is held, and the server ends a
/// transaction that stands still after a second.
const LINGERS: Duration = Duration::from_secs(15);

/// How long after a session was refused anywhere a node may not have heard why: a lease, by its own clock (W).
const HEARD: Duration = Duration::from_millis(2_050);

/// Since the run began.
pub(crate) type Moment = Duration;

/// A session, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) number: u32,
    pub(crate) user: u32,
}

/// What was answered to a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
    /// 503, or no answer at all.
    CannotKnow,
}

/// Whom an ending is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    One(Session),
    /// All of the user's but this one.
    Others(Session),
    User(u32),
    Everyone,
}

/// What was answered to somebody who ends something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Success: it is over.
    Over,
    /// 503, or no answer at all: it may have been done, or not.
    Unknown,
}

/// What a client did.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// It was given a token.
    SignedIn(Session),
    Checked(Session, Verdict),
    Ended(Scope, Outcome),
}

/// What a client did and saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) began: Moment,
    pub(crate) ended: Moment,
    #[expect(dead_code, reason = "whoever reads of a violation wants to know where")]
    pub(crate) node: usize,
    pub(crate) deed: Deed,
}

/// All that was seen.
pub(crate) struct History {
    began: Instant,
    seen: Mutex<Vec<Seen>>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), seen: Mutex::default() }
    }

    pub(crate) fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Notes what began then and has ended now.
    pub(crate) fn note(&self, began: Moment, node: usize, deed: Deed) {
        let ended = self.now();
        self.seen.lock().expect("whole").push(Seen { began, ended, node, deed });
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("whole").clone()
    }
}

/// What of this cannot be true where the promise is kept.
pub(crate) fn violations(seen: &[Seen]) -> Vec<String> {
    let endings = Endings::of(seen);
    let fates: HashMap<Session, Fate<'_>> = seen.iter().filter_map(|seen| endings.fate_of(seen)).collect();
    let mut refused: HashMap<Session, Moment> = HashMap::new();
    for (session, check) in checks(seen).filter(|(_, check)| check.is(Verdict::Refused)) {
        let first = refused.entry(session).or_insert(check.ended);
        *first = check.ended.min(*first);
    }
    let judged = checks(seen).filter_map(|(session, check)| {
        let fate = fates.get(&session).unwrap_or_else(|| panic!("nobody was given {session:?}"));
        let is_late = |refused: &&Moment| check.is(Verdict::Accepted) && check.began > **refused + HEARD;
        let came_back = || Some(format!("it was refused at {:?}", refused.get(&session).filter(is_late)?));
        Some(format!("{check:?}: {}", fate.forbids(check).or_else(came_back)?))
    });
    judged.collect()
}

/// What may and what must have become of a session.
struct Fate<'a> {
    /// From the end of this on it is over, for somebody was told so.
    over: Option<&'a Seen>,
    /// Before this nothing can have ended it.
    may_end: Option<Moment>,
}

impl Fate<'_> {
    fn forbids(&self, check: &Seen) -> Option<String> {
        match self {
            Self { over: Some(over), .. } if check.is(Verdict::Accepted) && check.began > over.ended => {
                Some(format!("it was answered that it is over: {over:?}"))
            }
            Self { may_end, .. }
                if check.is(Verdict::Refused) && may_end.is_none_or(|may_end| check.ended < may_end) =>
            {
                Some("nothing had ended it".to_owned())
            }
            _ => None,
        }
    }
}

impl Seen {
    fn is(&self, verdict: Verdict) -> bool {
        matches!(self.deed, Deed::Checked(_, was) if was == verdict)
    }

    /// Until when what it did may happen.
    fn until(&self) -> Moment {
        match self.deed {
            Deed::Ended(_, Outcome::Unknown) => self.ended + LINGERS,
            _ => self.ended,
        }
    }
}

/// Endings, by whom they may be for.
#[derive(Default)]
struct Endings<'a> {
    session: HashMap<Session, Vec<&'a Seen>>,
    user: HashMap<u32, Vec<&'a Seen>>,
    everyone: Vec<&'a Seen>,
}

impl<'a> Endings<'a> {
    fn of(seen: &'a [Seen]) -> Self {
        let mut endings = Self::default();
        for seen in seen {
            match seen.deed {
                Deed::Ended(Scope::One(session), _) => endings.session.entry(session).or_default().push(seen),
                Deed::Ended(Scope::User(user) | Scope::Others(Session { user, .. }), _) => {
                    endings.user.entry(user).or_default().push(seen);
                }
                Deed::Ended(Scope::Everyone, _) => endings.everyone.push(seen),
                Deed::SignedIn(_) | Deed::Checked(..) => {}
            }
        }
        endings
    }

    /// The session that somebody was given here, and what may become of it.
    fn fate_of(&self, given: &Seen) -> Option<(Session, Fate<'a>)> {
        let Deed::SignedIn(session) = given.deed else { return None };
        let none = Vec::new();
        let own = self.session.get(&session).unwrap_or(&none).iter();
        let of_user = self.user.get(&session.user).unwrap_or(&none).iter();
        let of_user =
            of_user.filter(|ending| !matches!(ending.deed, Deed::Ended(Scope::Others(kept), _) if kept == session));
        // Whoever comes in while everybody is put out is before it or after it; who came later is not meant.
        let (mut over, mut may_end) = (None::<&Seen>, None::<Moment>);
        for ending in own.chain(of_user).chain(&self.everyone).filter(|ending| ending.until() >= given.began) {
            may_end = Some(may_end.map_or(ending.began, |first| first.min(ending.began)));
            let is_meant = matches!(ending.deed, Deed::Ended(Scope::One(_), _)) || ending.began > given.ended;
            if is_meant && matches!(ending.deed, Deed::Ended(_, Outcome::Over)) {
                over = Some(over.filter(|first| first.ended <= ending.ended).unwrap_or(ending));
            }
        }
        Some((session, Fate { over, may_end }))
    }
}

fn checks(seen: &[Seen]) -> impl Iterator<Item = (Session, &Seen)> {
    seen.iter().filter_map(|seen| match seen.deed {
        Deed::Checked(session, _) => Some((session, seen)),
        _ => None,
    })
}

/// A judge who acquits everybody is no judge.
mod tests {
    use super::{Deed, Moment, Outcome, Scope, Seen, Session, Verdict, violations};

    const ANA: Session = Session { number: 1, user: 1 };
    const ANA_TOO: Session = Session { number: 2, user: 1 };
    const BEA: Session = Session { number: 3, user: 2 };

    fn at(began: u64, ended: u64, node: usize, deed: Deed) -> Seen {
        Seen { began: Moment::from_secs(began), ended: Moment::from_secs(ended), node, deed }
    }

    fn given(session: Session) -> Seen {
        at(0, 1, 0, Deed::SignedIn(session))
    }

    fn over(began: u64, ended: u64, scope: Scope) -> Seen {
        at(began, ended, 0, Deed::Ended(scope, Outcome::Over))
    }

    fn failed(began: u64, ended: u64, scope: Scope) -> Seen {
        at(began, ended, 0, Deed::Ended(scope, Outcome::Unknown))
    }

    fn check(began: u64, ended: u64, session: Session, verdict: Verdict) -> Seen {
        at(began, ended, 1, Deed::Checked(session, verdict))
    }

    #[track_caller]
    fn wrong(word: &str, seen: &[Seen]) {
        let found = violations(seen);
        assert!(found.len() == 1 && found[0].contains(word), "{found:?}");
    }

    #[track_caller]
    fn right(seen: &[Seen]) {
        assert_eq!(violations(seen), Vec::<String>::new());
    }

    #[test]
    fn an_acceptance_that_began_after_the_answer_is_found_whatever_the_ending_was_for() {
        let bystander = check(9, 9, BEA, Verdict::Accepted);
        for scope in [Scope::One(ANA), Scope::User(1), Scope::Others(ANA_TOO)] {
            let story = [given(ANA), given(BEA), over(2, 4, scope), check(5, 6, ANA, Verdict::Accepted), bystander];
            wrong("it is over", &story);
        }
        let all = [given(ANA), given(BEA), over(2, 4, Scope::Everyone), check(5, 6, BEA, Verdict::Accepted)];
        wrong("it is over", &all);
    }

    #[test]
    fn the_first_answer_counts_and_a_later_one_takes_nothing_back() {
        let twice = [over(7, 9, Scope::User(1)), over(2, 4, Scope::One(ANA)), failed(3, 30, Scope::One(ANA))];
        let mut story = vec![given(ANA), check(5, 6, ANA, Verdict::Accepted)];
        story.extend(twice);
        wrong("it is over", &story);
    }

    #[test]
    fn a_check_that_began_before_the_answer_may_be_answered_either_way() {
        for verdict in [Verdict::Accepted, Verdict::Refused, Verdict::CannotKnow] {
            right(&[given(ANA), over(2, 4, Scope::One(ANA)), check(3, 9, ANA, verdict)]);
        }
        right(&[given(ANA), over(2, 4, Scope::One(ANA)), check(5, 9, ANA, Verdict::CannotKnow)]);
    }

    #[test]
    fn what_failed_promises_nothing_and_may_have_been_done() {
        for verdict in [Verdict::Accepted, Verdict::Refused] {
            right(&[given(ANA), failed(2, 4, Scope::One(ANA)), check(5, 6, ANA, verdict)]);
        }
    }

    #[test]
    fn a_refusal_that_nothing_explains_is_found() {
        wrong("nothing had ended it", &[given(ANA), check(2, 3, ANA, Verdict::Refused)]);
        let before = [given(ANA), check(2, 3, ANA, Verdict::Refused), over(4, 5, Scope::One(ANA))];
        wrong("nothing had ended it", &before);
        let anothers = [given(ANA), given(BEA), over(2, 3, Scope::User(2)), check(4, 5, ANA, Verdict::Refused)];
        wrong("nothing had ended it", &anothers);
        let kept = [given(ANA), over(2, 3, Scope::Others(ANA)), check(4, 5, ANA, Verdict::Refused)];
        wrong("nothing had ended it", &kept);
    }

    #[test]
    fn whoever_signs_in_after_everything_ended_lives() {
        let anew = at(4, 5, 2, Deed::SignedIn(ANA_TOO));
        for scope in [Scope::User(1), Scope::Everyone, Scope::Others(ANA)] {
            right(&[given(ANA), over(2, 3, scope), anew, check(6, 7, ANA_TOO, Verdict::Accepted)]);
            let refused = [given(ANA), over(2, 3, scope), anew, check(6, 7, ANA_TOO, Verdict::Refused)];
            wrong("nothing had ended it", &refused);
        }
    }

    #[test]
    fn whoever_comes_in_while_everything_ends_is_before_it_or_after_it_but_stays_where_they_are() {
        let meanwhile = at(2, 5, 2, Deed::SignedIn(ANA_TOO));
        for verdict in [Verdict::Accepted, Verdict::Refused] {
            right(&[over(3, 4, Scope::User(1)), meanwhile, check(6, 7, ANA_TOO, verdict)]);
        }
        let both = [check(6, 7, ANA_TOO, Verdict::Refused), check(10, 11, ANA_TOO, Verdict::Accepted)];
        wrong("was refused", &[&[over(3, 4, Scope::User(1)), meanwhile], &both[..]].concat());
    }

    #[test]
    fn what_was_refused_anywhere_comes_back_nowhere_once_everybody_must_have_heard() {
        let story = [given(ANA), failed(2, 3, Scope::One(ANA)), check(4, 5, ANA, Verdict::Refused)];
        for node in 0..3 {
            let back = at(8, 9, node, Deed::Checked(ANA, Verdict::Accepted));
            wrong("was refused", &[&story[..], &[back]].concat());
        }
        // Nobody was told yet that it is over, and a node may not have heard.
        right(&[&story[..], &[check(6, 7, ANA, Verdict::Accepted)]].concat());
    }
}
