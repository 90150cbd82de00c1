//! `time` of DirectLink as the process says it: in the zone of its surroundings, and since it began.
//!
//! Owns the zone that these tests bring along: nothing depends on what the machine knows of zones. The form itself is in `tests/http`.

use std::fs::{self, File};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use exeunt::store::sqlite::SqliteStore;

use crate::people::directlink;
use crate::server::{Folder, SERVE, Server};

/// Three hours behind, and no abbreviation but the hour: all that is to be known of `America/Sao_Paulo` since 2019 (RFC 8536).
fn sao_paulo() -> Vec<u8> {
    let mut file = Vec::new();
    for _ in 0..2 {
        file.extend(b"TZif2");
        file.extend([0; 15]);
        // Of the six counts there are one kind of local time, and four bytes of abbreviations.
        file.extend([0_u32, 0, 0, 0, 1, 4].iter().flat_map(|count| count.to_be_bytes()));
        file.extend((-10_800_i32).to_be_bytes());
        file.extend([0, 0]);
        file.extend(b"-03\0");
    }
    file.extend(b"\n<-03>3\n");
    file
}

/// What the server says to somebody who shows nothing: it hashes nothing for it.
fn time(server: &Server) -> String {
    let answer = server.ask(&directlink("login"));
    assert_eq!(answer.status, 401, "{}", answer.body);
    answer.json()["time"].as_str().expect("a text").to_owned()
}

#[test]
fn time_is_told_in_the_zone_of_the_process() {
    let folder = Folder::new();
    let zones = folder.path().join("zones");
    fs::create_dir_all(zones.join("America")).expect("made");
    fs::write(zones.join("America/Sao_Paulo"), sao_paulo()).expect("written");
    for (zone, shown) in [
        ("America/Sao_Paulo", " -0300 -03 m=+"),
        ("<-03>3", " -0300 -03 m=+"),
        // Nobody knows it: then it is UTC, as for the seed, and by that name.
        ("America/Sao_Paula", " +0000 UTC m=+"),
    ] {
        let in_zone = |mut command: Command| {
            command.env("TZ", zone).env("TZDIR", &zones);
            command
        };
        let server = Server::run(in_zone(folder.exeunt(&SERVE)));
        let time = time(&server);
        assert!(time.contains(shown), "{zone}: {time}");
        server.stop();
    }
}

/// No moment is measured against a bound: the process was there before it was seen to wait, so it counts more than whoever saw it.
#[test]
fn time_counts_from_when_the_process_began_however_long_it_waited_for_its_folder() {
    let folder = Folder::new();
    let holder = SqliteStore::open(&folder.data()).expect("free");
    let log = folder.path().join("log");
    let mut serve = folder.exeunt(&SERVE);
    serve.stderr(File::create(&log).expect("made"));
    let server = thread::spawn(move || Server::run(serve));
    while !fs::read_to_string(&log).expect("there").contains("waiting for whoever has the data folder") {
        thread::yield_now();
    }
    let seen = Instant::now();
    drop(holder);
    let server = server.join().expect("started");
    let waited = seen.elapsed();
    let time = time(&server);
    let (_, since_start) = time.split_once(" m=+").expect("the last word");
    let since_start = Duration::from_secs_f64(since_start.parse().expect("a number"));
    assert!(since_start >= waited, "{time}, and it was seen {waited:?} ago");
}
