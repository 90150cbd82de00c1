//! Where Exeunt cannot be asked, the app is not reached.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use crate::http::Request;
use crate::stage::{Proxy, Stage, visiting};

/// Asked in every way, the proxy shows an error, and the app is not reached.
fn must_show_an_error(stage: &Stage, token: &str) {
    stage.reached();
    let ask = Request::get("/notes").field("Exeunt-User", "eve").field("Exeunt-User-Id", "666");
    for shown in [ask.clone(), ask.clone().cookie(token), ask.clone().bearer(token), visiting(ask).cookie(token)] {
        let answer = stage.notes(shown);
        assert!(answer.status >= 500, "{:?}: {answer:?}", stage.proxy);
        assert!(!answer.body.contains("Hello"), "{answer:?}");
    }
    assert_eq!(stage.reached(), 0, "{:?}: the app was reached", stage.proxy);
    assert_eq!(stage.notes(Request::get("/public/x")).status, 200, "what nobody is asked about goes on");
}

#[test]
fn while_exeunt_is_killed_or_stopped_the_app_is_not_reached() {
    for proxy in Proxy::ALL {
        let mut stage = Stage::new(proxy);
        let (stays, leaves) = (stage.register("Ana"), stage.register("Bob"));
        stage.must_be_let_in(&leaves);
        assert_eq!(stage.id(Request::post("/api/logout").bearer(&leaves)).status, 200);
        stage.exeunt.take().expect("running").kill();
        must_show_an_error(&stage, &stays);
        must_show_an_error(&stage, &leaves);

        stage.start_exeunt();
        stage.must_be_let_in(&stays);
        stage.must_be_refused(&leaves);
        assert!(stage.exeunt.take().expect("running").stop().status.success());
        must_show_an_error(&stage, &stays);
    }
}

/// Answers every request with this status, as Exeunt does where it could not look, until the process ends.
fn somebody_who_answers(port: u16, answer: &'static str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|count| count > 2) {
                line.clear();
            }
            let _ = stream.get_mut().write_all(answer.as_bytes());
        }
    });
}

#[test]
fn no_failure_is_taken_for_a_pass() {
    for proxy in Proxy::ALL {
        for answer in [
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "nonsense\r\n\r\n",
            "",
        ] {
            let stage = Stage::without_exeunt(proxy);
            somebody_who_answers(stage.ports.exeunt, answer);
            must_show_an_error(&stage, "exn_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        }
    }
}

#[test]
fn a_pass_without_a_name_brings_no_forged_one_to_the_app() {
    for proxy in Proxy::ALL {
        let stage = Stage::without_exeunt(proxy);
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        somebody_who_answers(stage.ports.exeunt, answer);
        let ask = Request::get("/notes").field("Exeunt-User", "eve").field("Exeunt-User-Id", "666");
        let refused = stage.notes(ask);
        // nginx lets it through, nameless, and the app refuses it.
        let wanted = if proxy == Proxy::Caddy { (502, "") } else { (403, "Nobody told me who you are.\n") };
        assert_eq!((refused.status, &*refused.body), wanted, "{proxy:?}");
    }
}
