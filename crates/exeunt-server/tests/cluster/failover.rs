//! A primary that dies, and the standby that takes its place.
//!
//! Owns both kinds: one that has every answered logout, where nothing is lost and the nodes go on; and one that lost some, where nothing is
//! believed until everybody is cut off (R8). The old primary is dead before the new one is promoted (A3).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::cluster::Cluster;
use crate::http::Request;
use crate::people::{register, sign_in};
use crate::sessions;
use crate::throwaway::Postgres;
use crate::waiting::until;
use crate::wire::Wire;

/// Logouts of the stream.
const LOGOUTS: u16 = 1_000;

/// How many are answered when the primary dies.
const BEFORE: usize = 300;

/// How many are not asked for before it is dead, however long it takes to kill it.
const AFTER: usize = 200;

/// People who sign out at the same time.
const AT_ONCE: usize = 8;

#[test]
fn every_answered_logout_outlives_a_primary_that_dies_beside_a_synchronous_standby() {
    let primary = Postgres::start("");
    let mut cluster = Cluster::with(&primary, 3, &[]);
    let kept = register(cluster.server(0), "bea");
    register(cluster.server(0), "ana");
    let standby = primary.standby();
    primary.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'; SELECT pg_reload_conf()");
    let followed = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    until("the standby follows", || primary.sql("postgres", followed) == "1");
    let tokens = sessions::open(&primary, &cluster.database, "ana", LOGOUTS);
    for token in &tokens {
        cluster.warm(token);
    }
    let takes_its_place = || {
        standby.promote();
        lead_to(&cluster, &standby);
    };
    let answered = sign_out_while(&cluster, &tokens, || primary.kill(), takes_its_place);
    println!("{} of {LOGOUTS} were answered", answered.len());
    assert!(answered.len() >= BEFORE && answered.len() < tokens.len(), "{} were answered", answered.len());
    cluster.database = standby.address(name(&cluster.database));
    serves(&cluster, &kept);
    for token in &answered {
        assert!((0..3).all(|node| cluster.check(node, token) == 401), "it was over, and came back");
    }
    // Who was told nothing can try again.
    for token in tokens.iter().filter(|token| !answered.contains(token)) {
        assert_eq!(cluster.sign_out(1, token).status, 200);
        assert!((0..3).all(|node| cluster.check(node, token) == 401));
    }
    let anew = sign_in(cluster.server(2), "ana");
    cluster.warm(&anew);
    cluster.is_over_everywhere(0, &anew);
}

#[test]
fn a_standby_that_lost_answered_logouts_is_noticed_and_not_believed_until_everybody_is_cut_off() {
    let primary = Postgres::start("");
    let mut cluster = Cluster::with(&primary, 2, &[]);
    let way = Wire::to(primary.port());
    let open = register(cluster.server(0), "ana");
    let (known, lost) = (sign_in(cluster.server(0), "ana"), sign_in(cluster.server(1), "ana"));
    cluster.is_over_everywhere(0, &known);
    let standby = Postgres::standby_by(way.port());
    way.cut();
    cluster.warm(&open);
    cluster.warm(&lost);
    cluster.is_over_everywhere(0, &lost);
    primary.kill();
    standby.promote();
    assert_eq!(standby.sql(&cluster.database, "SELECT count(*) FROM live_sessions"), "2", "there it is open");
    lead_to(&cluster, &standby);
    cluster.database = standby.address(name(&cluster.database));
    for node in 0..2 {
        cluster.server(node).wait_until_logged("went backwards");
        for token in [&lost, &open] {
            assert_eq!(cluster.ask(node, token), 503, "nobody can know any more");
            assert_eq!(cluster.sign_out(node, token).status, 503);
        }
        assert_eq!(cluster.server(node).ask(&Request::get("/healthz")).status, 503);
    }
    let cut = cluster.command(&["end", "--everyone", "--restored"]);
    assert!(cut.status.success() && cut.out.contains("everything ended by revocation"), "{cut:?}");
    let anew = sign_in(cluster.server(0), "ana");
    serves(&cluster, &anew);
    assert!((0..2).all(|node| [&lost, &open, &known].iter().all(|token| cluster.check(node, token) == 401)));
    cluster.is_over_everywhere(1, &anew);
}

/// Signs all of them out at all nodes; when enough are answered it dies, and when somebody was not answered it is replaced. Returns those who
/// were told that it is over.
fn sign_out_while(
    cluster: &Cluster,
    tokens: &[String],
    dies: impl FnOnce(),
    is_replaced: impl FnOnce(),
) -> Vec<String> {
    let (next, answered, unanswered) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicUsize::new(0));
    let dead = AtomicBool::new(false);
    std::thread::scope(|all| {
        for person in 0..AT_ONCE {
            let (next, answered, unanswered, dead) = (&next, &answered, &unanswered, &dead);
            all.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some(token) = tokens.get(place) else { return };
                    if place >= tokens.len() - AFTER {
                        until("the primary is dead", || dead.load(Ordering::SeqCst));
                    }
                    if cluster.sign_out(person % 3, token).status == 200 {
                        answered.lock().expect("whole").push(token.clone());
                    } else {
                        unanswered.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        until("enough are answered", || answered.lock().expect("whole").len() >= BEFORE);
        dies();
        dead.store(true, Ordering::SeqCst);
        until("somebody is not answered", || unanswered.load(Ordering::SeqCst) > 0);
        is_replaced();
    });
    answered.into_inner().expect("whole")
}

/// Gives the nodes another database server.
fn lead_to(cluster: &Cluster, postgres: &Postgres) {
    for node in &cluster.nodes {
        node.wire.lead_to(postgres.port());
    }
}

/// Every node serves again, with a lease, and knows whoever is in.
fn serves(cluster: &Cluster, token: &str) {
    for node in 0..cluster.nodes.len() {
        cluster.until_health(node, 200);
    }
    cluster.warm(token);
}

fn name(database: &str) -> &str {
    database.rsplit('/').next().expect("a database")
}
