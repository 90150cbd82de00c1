//! The app as its users meet it: a real process, real HTTP, real kills.
//!
//! Owns what an app on `exeunt-axum` must keep to. Every test of leaving ends by trying to come back.

#[path = "notes/people.rs"]
mod people;

use exeunt_example_stage::{Connection, Request};

use crate::people::{App, Folder, PASSWORD};

/// Everything that is only for whoever is signed in.
const GUARDED: [(&str, &[(&str, &str)]); 10] = [
    ("/notes", &[("text", "mine")]),
    ("/notes/1", &[("text", "changed")]),
    ("/notes/1/delete", &[]),
    ("/notes/erase", &[("sure", "yes")]),
    ("/account/password", &[("current", PASSWORD), ("new", "another tall ship")]),
    ("/account/end/00000000000000000000000000000000", &[]),
    ("/logout/others", &[]),
    ("/logout/everywhere", &[]),
    ("/logout", &[]),
    ("/login", &[("username", "ana"), ("password", PASSWORD)]),
];

/// Reads an open stream to its end: it says that the session has ended, and is closed by the server.
fn is_closed(stream: &mut Connection) {
    let last = stream.until("\r\n0\r\n\r\n");
    assert!(last.contains("event: ended"), "{last}");
}

#[test]
fn ending_one_device_from_another_closes_its_stream_and_its_cookie_opens_nothing_after_a_restart_either() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let phone = app.register("ana");
    let laptop = app.sign_in("ana");
    let mut stream = app.stream(&phone);
    let mut own = app.stream(&laptop);

    let ended = app.post(&app.end_of_the_other(&laptop), &[], &laptop);
    assert_eq!((ended.status, ended.fields("location")), (303, vec!["/account"]));
    is_closed(&mut stream);
    app.refuses(&phone);
    app.write(&laptop, "still here");
    own.until("event: changed");

    let app = app.restart(&folder);
    app.refuses(&phone);
    assert!(app.notes(&laptop).contains("still here"));
}

#[test]
fn every_way_out_closes_what_is_open_and_no_old_cookie_opens_anything() {
    let folder = Folder::new();
    let app = App::start(&folder);
    app.register("ana");
    for (path, form) in [("/logout", &[][..]), ("/logout/everywhere", &[]), ("/account/password", GUARDED[4].1)] {
        let cookie = app.sign_in("ana");
        let mut stream = app.stream(&cookie);
        let answer = app.post(path, form, &cookie);
        assert!(matches!(answer.status, 200 | 303), "{path}: {}", answer.body);
        is_closed(&mut stream);
        app.refuses(&cookie);
        let new = answer.cookie();
        assert_eq!(new.is_empty(), path != "/account/password", "only a changed password goes on, with a new cookie");
        if !new.is_empty() {
            assert_eq!(app.get("/notes", &new).status, 200);
        }
    }
}

#[test]
fn signing_out_everywhere_else_keeps_this_device_and_no_other() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let (phone, laptop) = (app.register("ana"), app.sign_in("ana"));
    let stranger = app.register("bea");
    let mut stream = app.stream(&phone);
    assert_eq!(app.post("/logout/others", &[], &laptop).status, 303);
    is_closed(&mut stream);
    app.refuses(&phone);
    for cookie in [laptop, stranger] {
        assert_eq!(app.get("/notes", &cookie).status, 200);
    }
}

#[test]
fn a_sign_out_that_was_answered_outlives_kill_9() {
    let folder = Folder::new();
    let mut app = App::start(&folder);
    let stays = app.register("ana");
    for _ in 0..5 {
        let cookie = app.sign_in("ana");
        assert_eq!(app.post("/logout", &[], &cookie).status, 303);
        app = app.restart(&folder);
        app.refuses(&cookie);
        assert_eq!(app.get("/notes", &stays).status, 200);
    }
}

/// The request is checked, then its body is waited for: the server asks for the body, and that is the cue to sign out.
#[test]
fn a_note_on_its_way_at_sign_out_is_kept_and_brings_nothing_back() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("ana");
    let (mut slow, body) = app.begin("/notes", &[("text", "written in a train")], &cookie);
    assert_eq!(app.post("/logout", &[], &cookie).status, 303);
    slow.send(&body);
    let answer = slow.answer();
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.fields("set-cookie"), Vec::<&str>::new());
    app.refuses(&cookie);
    let again = app.sign_in("ana");
    assert!(app.notes(&again).contains("written in a train"), "it was written by whoever was signed in, and is theirs");
    app.refuses(&cookie);
}

#[test]
fn what_cannot_be_undone_is_not_done_for_somebody_who_signed_out_meanwhile() {
    let folder = Folder::new();
    let app = App::start(&folder);
    app.register("ana");
    for (path, form) in [GUARDED[1], GUARDED[3]] {
        let cookie = app.sign_in("ana");
        app.write(&cookie, "precious");
        let (mut slow, body) = app.begin(path, form, &cookie);
        assert_eq!(app.post("/logout", &[], &cookie).status, 303);
        slow.send(&body);
        let answer = slow.answer();
        assert_eq!((answer.status, answer.fields("set-cookie").len()), (401, 0), "{path}: {}", answer.body);
        app.refuses(&cookie);
        assert!(app.notes(&app.sign_in("ana")).contains("precious"), "{path}");
    }
}

#[test]
fn on_a_full_disk_nobody_is_told_that_they_are_signed_out() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("ana");
    app.may_write("0");
    let answer = app.post("/logout", &[], &cookie);
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.body.contains("you are NOT signed out"), "{}", answer.body);
    assert_eq!(answer.fields("set-cookie"), Vec::<&str>::new(), "the cookie is the handle for trying again");
    assert_eq!(answer.fields("retry-after").len(), 1);
    assert_eq!(app.get("/notes", &cookie).status, 200);
    app.may_write("unlimited");
    assert_eq!(app.post("/logout", &[], &cookie).status, 303);
    app.refuses(&cookie);
}

#[test]
fn another_sites_form_does_nothing_at_any_door() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("ana");
    app.write(&cookie, "untouched");
    for (path, form) in GUARDED {
        for (field, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://evil.example"),
            ("Origin", "null"),
        ] {
            let answer = app.ask(&Request::post(path, form).cookie(&cookie).field(field, value));
            assert_eq!((answer.status, answer.fields("set-cookie").len()), (403, 0), "{path} {field}: {value}");
        }
    }
    assert!(app.notes(&cookie).contains("untouched"), "and the session lives");
}

#[test]
fn whoever_is_not_signed_in_is_refused_at_every_door() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("ana");
    app.write(&cookie, "untouched");
    assert_eq!(app.post("/logout", &[], &cookie).status, 303);
    for (path, form) in &GUARDED[..8] {
        for offered in ["", &cookie, "exeunt=exn_garbage"] {
            assert_eq!(app.post(path, form, offered).status, 401, "{path} {offered}");
        }
    }
    assert!(app.notes(&app.sign_in("ana")).contains("untouched"));
    app.refuses(&cookie);
}

#[test]
fn nobody_reads_changes_or_ends_what_is_anothers() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let (ana, bea) = (app.register("ana"), app.register("bea"));
    app.write(&ana, "for my eyes only");
    let mut stream = app.stream(&bea);
    assert!(!app.notes(&bea).contains("for my eyes only"));
    assert_eq!(app.get("/notes/1", &bea).status, 404);
    for (path, form) in &GUARDED[1..3] {
        assert_eq!(app.post(path, form, &bea).status, 404, "{path}");
    }
    assert_eq!(app.post("/notes/erase", &[("sure", "yes")], &bea).status, 303);
    let laptop = app.sign_in("ana");
    assert_eq!(app.post(&app.end_of_the_other(&laptop), &[], &bea).status, 404, "a device of somebody else");
    assert_eq!(app.post("/logout", &[], &bea).status, 303);
    let heard = stream.until("\r\n0\r\n\r\n");
    assert!(!heard.contains("changed"), "nothing of hers has changed: {heard}");
    app.refuses(&bea);
    assert!(app.notes(&ana).contains("for my eyes only"));
}

#[test]
fn what_a_person_writes_is_shown_as_text_and_within_its_limits() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("<b>ana</b>");
    app.write(&cookie, "</textarea><script>alert(1)</script>");
    for page in [app.notes(&cookie), app.get("/notes/1", &cookie).body, app.get("/account", &cookie).body] {
        assert!(!page.contains("<b>ana") && !page.contains("<script>alert"), "{page}");
    }
    for unfit in ["", "  \n", &"x".repeat(8 * 1024 + 1)] {
        assert_eq!(app.post("/notes", &[("text", unfit)], &cookie).status, 400);
        assert_eq!(app.post("/notes/1", &[("text", unfit)], &cookie).status, 400);
    }
    assert_eq!(app.post("/notes", &[("text", &"x".repeat(1 << 20))], &cookie).status, 413);
    assert_eq!(app.post("/notes/erase", &[("sure", "no")], &cookie).status, 400, "only on purpose");
    assert!(app.notes(&cookie).contains("alert"));
}

#[test]
fn no_page_is_kept_anywhere_and_none_runs_what_is_not_ours() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("ana");
    app.write(&cookie, "private");
    for path in ["/", "/notes", "/notes/1", "/account", "/notes/7", "/nowhere"] {
        for offered in ["", &cookie] {
            let answer = app.get(path, offered);
            assert_eq!(answer.fields("cache-control"), ["no-store"], "{path}");
            assert!(answer.fields("content-security-policy")[0].contains("default-src 'none'"), "{path}");
            assert!(!answer.body.contains("style=") && !answer.body.contains("onclick"), "{path}");
        }
    }
}

#[test]
fn a_wrong_password_is_refused_without_saying_what_was_wrong() {
    let folder = Folder::new();
    let app = App::start(&folder);
    let cookie = app.register("ana");
    let wrong = app.post("/login", &[("username", "ana"), ("password", "not the one")], "");
    let nobody = app.post("/login", &[("username", "eve"), ("password", "not the one")], "");
    assert_eq!((wrong.status, nobody.status), (401, 401));
    assert_eq!(wrong.body.replace("ana", "eve"), nobody.body);
    let change = app.post("/account/password", &[("current", "not the one"), ("new", "another tall ship")], &cookie);
    assert_eq!((change.status, change.cookie()), (403, String::new()));
    assert_eq!(app.post("/register", &[("username", "ANA"), ("password", PASSWORD)], "").status, 400);
    assert_eq!(app.get("/notes", &cookie).status, 200);
}

#[test]
fn an_address_for_others_without_https_is_refused_and_the_remedy_said() {
    let folder = Folder::new();
    let output = folder.app().args(["--listen", "0.0.0.0:0"]).output().expect("run");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--public-url"));
}

#[test]
fn behind_a_proxy_with_tls_the_cookie_is_for_https_and_forms_come_from_the_public_address() {
    let folder = Folder::new();
    let app = App::start_with(&folder, &["--public-url", "https://notes.example"]);
    let form = [("username", "ana"), ("password", PASSWORD)];
    let ours = app.ask(&Request::post("/register", &form).field("Origin", "https://notes.example"));
    assert!(ours.cookie().starts_with("__Host-exeunt="));
    assert!(ours.fields("set-cookie")[0].contains("; Secure"));
    let write = Request::post("/notes", GUARDED[0].1).cookie(&ours.cookie());
    assert_eq!(app.ask(&write.clone().field("Origin", "https://notes.example")).status, 303);
    assert_eq!(app.ask(&write.field("Origin", "http://evil.example")).status, 403);
    let out = app.ask(&Request::post("/logout", &[]).cookie(&ours.cookie()).field("Origin", "https://notes.example"));
    assert_eq!((out.status, out.cookie()), (303, String::new()));
    app.refuses(&ours.cookie());
}

/// Else all people have the address of the proxy, and the wrong passwords of one slow down everybody.
#[test]
fn behind_a_proxy_that_was_named_people_have_their_own_address_and_else_that_of_the_peer() {
    for (args, address) in [
        (&["--public-url", "https://notes.example", "--proxy", "127.0.0.1"][..], "203.0.113.7"),
        (&["--public-url", "https://notes.example"], "127.0.0.1"),
    ] {
        let folder = Folder::new();
        let app = App::start_with(&folder, args);
        let form = [("username", "ana"), ("password", PASSWORD)];
        let entering = Request::post("/register", &form).field("Origin", "https://notes.example");
        let entered = app.ask(&entering.field("X-Forwarded-For", "198.51.100.1, 203.0.113.7"));
        let account = app.get("/account", &entered.cookie());
        assert!(account.status == 200 && account.body.contains(address), "{address}: {}", account.body);
    }
}
