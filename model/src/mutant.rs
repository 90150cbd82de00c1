//! The rules, broken one at a time.
//!
//! Owns the list of mutants: which rule each breaks, how, what must come of it and within which bounds. A mutant changes one
//! decision in `primary`, `node`, `coordinator`, `expiry` or `bounds`, and nothing else.

use crate::bounds::Bounds;
use crate::promise::{KEPT, LIVES, OVER};

/// One rule broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// R1: a touch is an upsert and writes the row as live.
    TouchUpserts,
    /// R1: a sign-in opens its session in the epoch of today, though its password was verified before.
    OpensWithOldProof,
    /// R1: a sign-in opens its session in the epoch of its proof, though the epoch has risen.
    OpensInOldEpoch,
    /// R1: a use that is noted late writes its row as live.
    NoteRevives,
    /// R2: a sequence hands out the number before the commit.
    NumberBeforeCommit,
    /// R2: a sweep takes away what is past its time, and no number says so.
    SweepTakesNoNumber,
    /// R3: the deadline counts from the arrival of the reply.
    DeadlineFromArrival,
    /// R3: the deadline is set before the reply is applied.
    DeadlineBeforeApplying,
    /// R3: the renewal brings no revocations.
    RenewalBringsNothing,
    /// R3: the renewal is a read, which an old primary or a standby can answer.
    RenewalIsARead,
    /// R4: a timer keeps the deadline in a flag.
    DeadlineInAFlag,
    /// R4: memory is looked at first, the deadline second.
    MemoryBeforeDeadline,
    /// R4: what the store said is accepted as it is, under a lease.
    StoreReadSkipsRevocations,
    /// R4: what the store said is accepted as it is, without a lease.
    StoreReadSkipsDeadline,
    /// R4: as above, but every read is known to come from the one primary.
    FreshReadSkipsTheGate,
    /// R5: a fill shows no mark.
    FillWithoutMark,
    /// R5: a fill is refused whenever the session's user was ended, whatever its mark.
    FillIgnoresItsMark,
    /// R6: a number is acknowledged when it is sent to the node.
    AcknowledgedBeforeApplied,
    /// R6: the coordinator's own node has not applied the ending when success is answered.
    CoordinatorForgetsItself,
    /// R6: a node says directly that it has heard, before it applies.
    SaysBeforeItApplies,
    /// R6: a node applies a piece that it is told directly, though something is missing before it.
    AppliesAcrossAGap,
    /// R7: success is answered though nobody knows whether the commit came to be.
    UnknownOutcomeAnswered,
    /// R7: the nodes to wait for are listed before the commit.
    NodesListedBeforeCommit,
    /// R7: success is answered after the commit at once.
    AnsweredAtOnce,
    /// R7: success is answered when one other node has acknowledged.
    OneNodeIsEnough,
    /// R7: whoever is asked directly is listed before the commit, and not in its transaction.
    AsksWhoWasThereBefore,
    /// R7: those who have said that they heard are counted, and not named: one may say it twice.
    CountsAcknowledgements,
    /// R7: W is L, as if clocks were true.
    WaitOfOneLease,
    /// R7: W is L(1+r): the drift of one of the two clocks is forgotten.
    WaitForgetsADrift,
    /// R7: whoever signs out of what others have ended is answered at once.
    SettlesAtOnce,
    /// R7: the same, but the node that answers is not waited for.
    SettleForgetsItself,
    /// R7: the same, after every node has heard what a standby, or an old primary, has for the end of the log (A3).
    SettlesByAnOldRead,
    /// R8: a log that went backwards is believed.
    RegressionBelieved,
    /// R8: it is believed once it is as long as before.
    RegressionByNumber,
    /// R8: a coordinator remembers up to which number everybody has heard, of a log that is lost since.
    HeardOfALostLog,
    /// R8: a node acknowledges to a log what it heard of the one that is lost.
    AcknowledgesAnotherLog,
    /// R8: a fill shows a number, of whatever log.
    FillOfAnotherLog,
    /// R8: a reply of a log that was lost since counts beside what was applied of this one.
    HearsAnotherLog,
    /// R8: a coordinator's own node has heard what is as old as its number, of whatever log.
    CoordinatorGoesByNumber,
    /// R8: a piece that is told directly goes on from a number, and not from a stamp.
    AppliesByNumber,
    /// R8: a node says directly that it has heard a number, and not a stamp.
    SaysTheNumber,
    /// R8: a coordinator hears a number in what it is told directly, and not a stamp.
    CountsTheNumber,
    /// R9: a node reads the log and then enters its row.
    JoinsInTwoSteps,
    /// R9: a node that joins anew keeps its memory.
    JoinsWithOldMemory,
    /// R9: a node that joins anew forgets since when it knows what ended.
    JoinsWithoutFloor,
    /// R9: two processes have one incarnation.
    SharedIncarnation,
    /// R9: a process has its old incarnation again after a crash.
    IncarnationAfterCrash,
    /// R9: who says directly that it has heard is known by its address, and not by its incarnation.
    AddressForIncarnation,
    /// R9: a node listens to pieces before it has heard at which number it joined.
    HearsBeforeItJoined,
    /// R9: a node that leaves removes its row first, and goes on accepting.
    LeavesBeforeStopping,
    /// R9: a row is removed while its node may still hold a lease.
    RemovedTooEarly,
    /// R9: a row that was silent is removed later, without looking whether it still is.
    RemovedWithoutLooking,
    /// R9: a renewal that finds no row enters one.
    RenewalEntersARow,
    /// Decision 0015: whoever signs out where the clock alone refuses is answered when every node has heard what has ended. This has not.
    SignsOutByTheClock,
    /// Decision 0015: a sweep ends what it has found, though a later use was noted since.
    SweepsWithoutLooking,
}

/// What must come of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The search finds this promise broken.
    Breaks(&'static str),
    /// Everything still holds, for this reason.
    Harmless(&'static str),
}

impl Mutant {
    /// All of them that a search finds in a small world, in the order of the rules. `AppliesByNumber` takes three endings, and
    /// has its schedule in `stories`.
    pub const ALL: [Self; 54] = [
        Self::TouchUpserts,
        Self::OpensWithOldProof,
        Self::OpensInOldEpoch,
        Self::NoteRevives,
        Self::NumberBeforeCommit,
        Self::SweepTakesNoNumber,
        Self::DeadlineFromArrival,
        Self::DeadlineBeforeApplying,
        Self::RenewalBringsNothing,
        Self::RenewalIsARead,
        Self::DeadlineInAFlag,
        Self::MemoryBeforeDeadline,
        Self::StoreReadSkipsRevocations,
        Self::StoreReadSkipsDeadline,
        Self::FreshReadSkipsTheGate,
        Self::FillWithoutMark,
        Self::FillIgnoresItsMark,
        Self::AcknowledgedBeforeApplied,
        Self::CoordinatorForgetsItself,
        Self::SaysBeforeItApplies,
        Self::AppliesAcrossAGap,
        Self::UnknownOutcomeAnswered,
        Self::NodesListedBeforeCommit,
        Self::AnsweredAtOnce,
        Self::OneNodeIsEnough,
        Self::AsksWhoWasThereBefore,
        Self::CountsAcknowledgements,
        Self::WaitOfOneLease,
        Self::WaitForgetsADrift,
        Self::SettlesAtOnce,
        Self::SettleForgetsItself,
        Self::SettlesByAnOldRead,
        Self::RegressionBelieved,
        Self::RegressionByNumber,
        Self::HeardOfALostLog,
        Self::AcknowledgesAnotherLog,
        Self::FillOfAnotherLog,
        Self::HearsAnotherLog,
        Self::CoordinatorGoesByNumber,
        Self::SaysTheNumber,
        Self::CountsTheNumber,
        Self::JoinsInTwoSteps,
        Self::JoinsWithOldMemory,
        Self::JoinsWithoutFloor,
        Self::SharedIncarnation,
        Self::IncarnationAfterCrash,
        Self::AddressForIncarnation,
        Self::HearsBeforeItJoined,
        Self::LeavesBeforeStopping,
        Self::RemovedTooEarly,
        Self::RemovedWithoutLooking,
        Self::RenewalEntersARow,
        Self::SignsOutByTheClock,
        Self::SweepsWithoutLooking,
    ];

    /// The rule that it breaks, or the decision.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::TouchUpserts | Self::OpensWithOldProof | Self::OpensInOldEpoch | Self::NoteRevives => "R1",
            Self::NumberBeforeCommit | Self::SweepTakesNoNumber => "R2",
            Self::DeadlineFromArrival
            | Self::DeadlineBeforeApplying
            | Self::RenewalBringsNothing
            | Self::RenewalIsARead => "R3",
            Self::DeadlineInAFlag
            | Self::MemoryBeforeDeadline
            | Self::StoreReadSkipsRevocations
            | Self::StoreReadSkipsDeadline
            | Self::FreshReadSkipsTheGate => "R4",
            Self::FillWithoutMark | Self::FillIgnoresItsMark => "R5",
            Self::AcknowledgedBeforeApplied
            | Self::CoordinatorForgetsItself
            | Self::SaysBeforeItApplies
            | Self::AppliesAcrossAGap => "R6",
            _ => self.later_rule(),
        }
    }

    const fn later_rule(self) -> &'static str {
        match self {
            Self::UnknownOutcomeAnswered
            | Self::NodesListedBeforeCommit
            | Self::AnsweredAtOnce
            | Self::OneNodeIsEnough
            | Self::AsksWhoWasThereBefore
            | Self::CountsAcknowledgements
            | Self::WaitOfOneLease
            | Self::WaitForgetsADrift
            | Self::SettlesAtOnce
            | Self::SettleForgetsItself
            | Self::SettlesByAnOldRead => "R7",
            Self::RegressionBelieved
            | Self::RegressionByNumber
            | Self::HeardOfALostLog
            | Self::FillOfAnotherLog
            | Self::HearsAnotherLog
            | Self::CoordinatorGoesByNumber
            | Self::AppliesByNumber
            | Self::SaysTheNumber
            | Self::CountsTheNumber
            | Self::AcknowledgesAnotherLog => "R8",
            Self::SignsOutByTheClock | Self::SweepsWithoutLooking => "0015",
            _ => "R9",
        }
    }

    /// What must come of it.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::OpensInOldEpoch | Self::FillIgnoresItsMark => Verdict::Breaks(LIVES),
            Self::FreshReadSkipsTheGate => {
                Verdict::Harmless("a read that begins after the answer sees the commit, as long as A3 holds")
            }
            Self::IncarnationAfterCrash => {
                Verdict::Harmless("what the dead process acknowledged is in the first lease of the new one")
            }
            Self::RenewalEntersARow => Verdict::Harmless("a renewal brings everything since the node's last number"),
            Self::SweepsWithoutLooking => Verdict::Breaks(KEPT),
            _ => Verdict::Breaks(OVER),
        }
    }

    /// The smallest bounds in which it can show.
    #[must_use]
    pub const fn bounds(self) -> Bounds {
        let one = Bounds { endings: 1, login: false, ..Bounds::fixed(2) };
        match self {
            Self::OpensWithOldProof | Self::OpensInOldEpoch | Self::FillIgnoresItsMark => Bounds { login: true, ..one },
            Self::NumberBeforeCommit | Self::AppliesAcrossAGap => Bounds { endings: 2, opened: 2, ..one },
            Self::OneNodeIsEnough | Self::CountsAcknowledgements | Self::AddressForIncarnation => {
                Bounds { nodes: 3, joined: 3, ..one }
            }
            Self::RegressionBelieved | Self::RegressionByNumber => Bounds { regressions: 1, ..one },
            Self::HeardOfALostLog
            | Self::AcknowledgesAnotherLog
            | Self::FillOfAnotherLog
            | Self::HearsAnotherLog
            | Self::SaysTheNumber
            | Self::CountsTheNumber => Bounds { opened: 2, endings: 2, regressions: 1, ..one },
            Self::CoordinatorGoesByNumber => {
                Bounds { nodes: 1, joined: 1, opened: 2, endings: 2, regressions: 1, ..one }
            }
            Self::JoinsInTwoSteps
            | Self::NodesListedBeforeCommit
            | Self::AsksWhoWasThereBefore
            | Self::HearsBeforeItJoined
            | Self::SharedIncarnation => Bounds { joined: 1, joins: 1, ..one },
            Self::JoinsWithOldMemory | Self::JoinsWithoutFloor => Bounds { joins: 1, removals: 1, ..one },
            Self::IncarnationAfterCrash => Bounds { joins: 1, crashes: 1, ..one },
            Self::LeavesBeforeStopping => Bounds { leaves: 1, ..one },
            Self::RemovedTooEarly | Self::RemovedWithoutLooking => Bounds { removals: 1, ..one },
            Self::RenewalEntersARow => Bounds { joins: 1, removals: 2, ..one },
            Self::NoteRevives | Self::SweepsWithoutLooking => Bounds { sweeps: 1, ..one },
            Self::SweepTakesNoNumber => Bounds { settles: 1, sweeps: 1, ..one },
            Self::SettlesAtOnce | Self::SettleForgetsItself | Self::SettlesByAnOldRead | Self::SignsOutByTheClock => {
                Bounds { settles: 1, ..one }
            }
            _ => one,
        }
    }
}
