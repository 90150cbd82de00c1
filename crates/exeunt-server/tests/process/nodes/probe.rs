//! The prober: it says that the promise is held where it is, that it is broken where a node lies, and that it cannot tell where it cannot.
//!
//! Owns the node that lies: a cache in front of a real one, as somebody might put there who finds checks too slow.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Cluster, first, until};
use crate::http::{Answer, Connection};
use crate::people::{PASSWORD, register, sessions_of};
use crate::server::{Finished, Folder, SERVE, Server, finish};

/// As many as the prober tries at a node.
const TRIES: u64 = 100;

struct Probing {
    folder: Folder,
    file: PathBuf,
    nodes: Vec<String>,
}

impl Probing {
    /// By somebody with the password that everybody has, at nodes with these addresses.
    fn of(nodes: impl IntoIterator<Item = SocketAddr>) -> Self {
        let folder = Folder::new();
        let file = folder.path().join("password");
        std::fs::write(&file, format!("{PASSWORD}\n")).expect("written");
        Self { folder, file, nodes: nodes.into_iter().map(|address| format!("http://{address}")).collect() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let file = self.file.to_str().expect("text");
        let mut all = vec!["probe", "--user", "ana", "--password-file", file];
        all.extend(self.nodes.iter().map(String::as_str));
        all.extend(args);
        self.folder.bare(&all)
    }

    fn run(&self, args: &[&str]) -> Finished {
        let done = finish(self.command(args), "");
        assert!(!done.out.contains("exn_") && !done.log.contains("exn_"), "a token was shown: {done:?}");
        assert!(!done.out.contains(PASSWORD) && !done.log.contains(PASSWORD), "a password was shown: {done:?}");
        done
    }

    /// So many rounds of one run, which is then told to stop, and how it ended; again where a node lost its lease meanwhile.
    fn rounds(&self, count: usize) -> (Vec<Value>, Option<i32>) {
        first("rounds in which every node has its lease", || {
            Some(self.try_rounds(count)).filter(|(rounds, _)| !rounds.iter().any(without_lease))
        })
    }

    fn try_rounds(&self, count: usize) -> (Vec<Value>, Option<i32>) {
        let mut prober = self.command(&["--json", "--every", "1"]).spawn().expect("started");
        let lines = BufReader::new(prober.stdout.take().expect("piped")).lines();
        let read = |line: std::io::Result<String>| serde_json::from_str(&line.expect("text")).expect("JSON");
        let rounds = lines.take(count).map(read).collect();
        let told = Command::new("kill").args(["-s", "TERM", &prober.id().to_string()]).status();
        assert!(told.expect("kill").success());
        (rounds, prober.wait().expect("ended").code())
    }

    /// What a round found in which no node lost its lease, as on a machine that is busy for two seconds; and how it ended.
    fn json(&self, code: i32) -> Value {
        first("a round in which every node has its lease", || {
            let done = self.run(&["--json"]);
            let found = serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"));
            (!without_lease(&found)).then(|| {
                assert_eq!(done.status.code(), Some(code), "{done:?}");
                found
            })
        })
    }
}

/// Whether a node said that it cannot know.
fn without_lease(found: &Value) -> bool {
    let unknown = found["not_known"].as_array().expect("a list");
    unknown.iter().any(|unknown| unknown["why"].as_str().is_some_and(|why| why.contains("(503)")))
}

fn addresses(cluster: &Cluster) -> impl Iterator<Item = SocketAddr> {
    cluster.nodes.iter().map(|node| node.server.address)
}

/// A node that answers what it has answered before, for as long as it lives.
fn liar(before: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let kept = Arc::new(Mutex::new(HashMap::new()));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || lie(client, before, &kept));
        }
    });
    address
}

fn lie(mut client: TcpStream, before: SocketAddr, kept: &Mutex<HashMap<Vec<u8>, Vec<u8>>>) {
    while let Some(request) = request(&mut client) {
        let is_check = request.starts_with(b"GET /api/session ");
        let known = kept.lock().expect("whole").get(&request).cloned();
        let answer = known.filter(|_| is_check).unwrap_or_else(|| {
            let mut node = Connection::open(before).expect("connected");
            node.send(&request);
            let answer = node.answer().expect("an answer");
            let bytes = written(&answer);
            if answer.status == 200 {
                kept.lock().expect("whole").insert(request, bytes.clone());
            }
            bytes
        });
        if client.write_all(&answer).is_err() {
            return;
        }
    }
}

fn request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut one) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut one).ok()?;
        bytes.push(one[0]);
    }
    let head = String::from_utf8(bytes.clone()).expect("a head").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(bytes)
}

fn written(answer: &Answer) -> Vec<u8> {
    let challenge = answer.fields("WWW-Authenticate").first().map(|value| format!("WWW-Authenticate: {value}\r\n"));
    let (status, challenge, length) = (answer.status, challenge.unwrap_or_default(), answer.body.len());
    format!("HTTP/1.1 {status} Said\r\n{challenge}Content-Length: {length}\r\n\r\n{}", answer.body).into_bytes()
}

#[test]
fn where_the_promise_is_held_it_says_so_and_leaves_nothing_open() {
    let cluster = Cluster::of(3);
    let own = register(cluster.server(0), "ana");
    let probing = Probing::of(addresses(&cluster));
    let found = probing.json(0);
    assert_eq!((&found["verdict"], &found["refused"]), (&Value::from("held"), &Value::from(3 * TRIES)), "{found}");
    let said = |words: &str| {
        let done = probing.run(&[]);
        done.status.code() == Some(0) && done.out.lines().count() == 1 && done.out.contains(words)
    };
    until("it says at which node", || said(" held: signed out at http://127.0.0.1:"));
    until("it says how often it tried", || said(", then 300 tries at 3 nodes were refused\n"));
    assert_eq!(sessions_of(cluster.server(0), &own), 1, "only the one that is not the prober's");
}

#[test]
fn a_server_with_a_folder_is_probed_as_well() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "ana");
    let found = Probing::of([server.address]).json(0);
    assert_eq!((&found["verdict"], &found["refused"]), (&Value::from("held"), &Value::from(TRIES)), "{found}");
    assert_eq!(found["signed_out_at"], format!("http://{}", server.address));
}

#[test]
fn a_node_that_goes_on_accepting_is_named_with_what_it_said() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    let lying = liar(cluster.server(1).address);
    let probing = Probing::of([cluster.server(0).address, lying]);
    let found = probing.json(1);
    assert_eq!(found["verdict"], "broken", "{found}");
    let accepted = found["accepted"].as_array().expect("a list");
    assert_eq!(accepted.len(), 1, "{found}");
    assert_eq!(accepted[0]["node"], format!("http://{lying}"), "{found}");
    assert_eq!((&accepted[0]["times"], &accepted[0]["status"]), (&Value::from(TRIES), &Value::from(200)), "{found}");
    assert!(accepted[0]["answer"].as_str().is_some_and(|answer| answer.contains("ana")), "{found}");
    let done = probing.run(&[]);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let named = format!("; http://{lying} accepted the dead token 100 times, first as a ");
    assert!(done.out.contains(" BROKEN: ") && done.out.contains(&named), "{done:?}");
}

#[test]
fn a_node_that_cannot_be_asked_leaves_it_open() {
    let mut cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    cluster.nodes[1].server.kill();
    let dead = format!("http://{}", cluster.server(1).address);
    let found = Probing::of(addresses(&cluster)).json(2);
    assert_eq!((&found["verdict"], &found["refused"]), (&Value::from("not-known"), &Value::from(TRIES)), "{found}");
    for unknown in found["not_known"].as_array().expect("a list") {
        assert_eq!(unknown["node"], dead, "{found}");
        assert!(unknown["why"].as_str().is_some_and(|why| why.contains("cannot be reached")), "{found}");
    }
}

#[test]
fn a_node_that_could_not_know_leaves_it_open_and_did_not_break_the_promise() {
    let cluster = Cluster::of(2);
    let own = register(cluster.server(0), "ana");
    cluster.nodes[1].wire.cut();
    until("the lease is over", || cluster.ask(1, &own) == 503);
    let done = Probing::of(addresses(&cluster)).run(&["--json"]);
    let found: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!((done.status.code(), &found["verdict"]), (Some(2), &Value::from("not-known")), "{found}");
    assert_eq!(found["accepted"], Value::Array(Vec::new()), "{found}");
    assert!(without_lease(&found), "{found}");
}

#[test]
fn it_goes_round_until_it_is_told_to_stop_and_signs_out_at_another_node_each_time() {
    let cluster = Cluster::of(2);
    register(cluster.server(0), "ana");
    let (rounds, code) = Probing::of(addresses(&cluster)).rounds(2);
    assert!(rounds[0]["signed_out_at"].is_string(), "{rounds:?}");
    assert_ne!(rounds[0]["signed_out_at"], rounds[1]["signed_out_at"], "{rounds:?}");
    assert!(matches!(code, Some(0 | 2)), "{rounds:?}");
}

#[test]
fn what_cannot_be_begun_is_no_breach() {
    let folder = Folder::new();
    let server = Server::run(folder.exeunt(&SERVE));
    register(&server, "ana");
    let probing = Probing::of([server.address]);
    std::fs::write(&probing.file, "a wrong one, all wrong\n").expect("written");
    // With `--every` it comes to an end as well: each round would be one guess more at somebody's password.
    for args in [&[][..], &["--every", "1"]] {
        let wrong = probing.run(args);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
        assert!(wrong.out.contains("could not tell") && wrong.out.contains("password is wrong"), "{wrong:?}");
    }
    std::fs::write(&probing.file, "").expect("written");
    let none = probing.run(&[]);
    assert_eq!((none.status.code(), &*none.out), (Some(2), ""), "{none:?}");
    let far = Probing { nodes: vec!["http://192.0.2.1".to_owned()], ..probing };
    let plain = far.run(&[]);
    assert_eq!(plain.status.code(), Some(2), "{plain:?}");
    assert!(plain.log.contains("could be read on the way to http://192.0.2.1"), "{plain:?}");
}

#[test]
fn what_is_no_node_of_the_same_store_accuses_nobody() {
    let (here, there) = (Cluster::of(1), Cluster::of(1));
    register(here.server(0), "ana");
    // The round begins at the one and signs out at the other, which knows nothing of it and says so.
    let probing = Probing::of(addresses(&here).chain(addresses(&there)));
    let found = probing.json(2);
    assert_eq!(
        (&found["verdict"], &found["accepted"]),
        (&Value::from("not-known"), &Value::Array(Vec::new())),
        "{found}"
    );
    assert_eq!(found["not_known"][0]["why"], "before the logout: it does not know a session that is live", "{found}");
    // Somebody who says yes to everything.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let yes = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            std::thread::spawn(move || {
                while request(&mut client).is_some() {
                    let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                }
            });
        }
    });
    let found = Probing::of([here.server(0).address, yes]).json(2);
    assert_eq!((&found["verdict"], &found["refused"]), (&Value::from("not-known"), &Value::from(TRIES)), "{found}");
    assert_eq!(found["not_known"][0]["why"], "accepts a token that nobody ever had", "{found}");
}
