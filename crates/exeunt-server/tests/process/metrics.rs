//! The metrics: on their own port and nowhere else, and that of loopback unless the operator says otherwise.

use std::io::ErrorKind;
use std::net::Ipv4Addr;

use crate::http::{Connection, Request};
use crate::people::{Ending, register, sign_in};
use crate::scrape::{scrape, value};
use crate::server::{Folder, Server};

#[test]
fn they_are_open_metrics_and_count_what_happened() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    assert!(server.metrics.ip().is_loopback());
    assert_eq!(value(&scrape(&server), "exeunt_live_sessions"), 0);
    let version = format!("exeunt_build_info{{version=\"{}\"}} 1\n", env!("CARGO_PKG_VERSION"));
    assert!(scrape(&server).contains(&version), "{}", scrape(&server));
    let token = register(&server, "ana");
    sign_in(&server, "ana");
    assert_eq!(value(&scrape(&server), "exeunt_live_sessions"), 2);
    for _ in 0..3 {
        server.ask(&Ending::Api.request(&token));
    }
    let text = scrape(&server);
    assert_eq!(value(&text, "exeunt_live_sessions"), 1);
    let logouts = "exeunt_requests_total{route=\"/api/logout\",method=\"POST\",status=\"200\"}";
    assert_eq!(value(&text, logouts), 3);
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains("# TYPE exeunt_requests counter\n"), "{text}");
}

/// What listens at 127.0.0.1 is closed at 127.0.0.2, as it is for another machine.
#[test]
fn they_are_for_other_machines_only_where_the_operator_says_so() {
    let (folder, other) = (Folder::new(), Folder::new());
    let local = Server::start(&folder);
    let open = Server::start_with(&other, &["--metrics", "0.0.0.0:0"]);
    let elsewhere = |server: &Server| Connection::open((Ipv4Addr::new(127, 0, 0, 2), server.metrics.port()).into());
    assert_eq!(elsewhere(&local).err().map(|error| error.kind()), Some(ErrorKind::ConnectionRefused));
    let answer = elsewhere(&open).expect("connected").ask(&Request::get("/metrics"));
    assert_eq!(answer.status, 200);
}

#[test]
fn no_label_is_chosen_by_a_stranger() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "ana");
    server.ask(&Request::get("/canary-path?canary-query=1").field("User-Agent", "canary-agent"));
    let text = scrape(&server);
    assert!(!text.contains("canary") && !text.contains("ana"), "{text}");
    assert_eq!(value(&text, "exeunt_requests_total{route=\"other\",method=\"GET\",status=\"404\"}"), 1);
}

#[test]
fn the_main_port_has_none_and_their_port_has_nothing_else() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let answer = server.ask(&Request::get("/metrics"));
    assert_eq!((answer.status, &*answer.body), (404, "Not Found"));
    let mut metrics = Connection::open(server.metrics).expect("connected");
    for path in ["/", "/api/session", "/logout"] {
        assert_eq!(metrics.ask(&Request::get(path)).status, 404, "{path}");
    }
}

#[test]
fn an_ending_is_counted_with_its_time_and_what_makes_no_sense_with_a_folder_is_absent() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    register(&server, "ana");
    for ending in Ending::ALL {
        let token = sign_in(&server, "ana");
        server.ask(&ending.request(&token));
        assert_eq!(server.ask(&Request::get("/api/session").bearer(&token)).status, 401);
    }
    let text = scrape(&server);
    assert!(text.contains("# TYPE exeunt_logout_seconds histogram\n# UNIT exeunt_logout_seconds seconds\n"), "{text}");
    assert_eq!(value(&text, "exeunt_logout_seconds_count{outcome=\"heard\"}"), 4);
    assert_eq!(value(&text, "exeunt_logout_seconds_bucket{le=\"+Inf\",outcome=\"heard\"}"), 4);
    for outcome in ["waited", "unknown"] {
        assert_eq!(value(&text, &format!("exeunt_logout_seconds_count{{outcome=\"{outcome}\"}}")), 0);
    }
    for name in ["exeunt_stale_fills_refused_total", "exeunt_revivals_blocked_total"] {
        assert_eq!(value(&text, name), 0);
    }
    for absent in ["exeunt_logout_waits", "exeunt_lease", "exeunt_applied_lag"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
}
