//! What an app may hang on the five names, and how it may put its router together: hooks, notes, prefixes, panics, HTTP/2.
//!
//! Each ends by replaying the cookie where somebody signed out.

mod stage;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{Request, StatusCode, Version};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use exeunt::store::staged::When;
use exeunt_axum::{Auth, AuthError, AuthLayer, Denied, Flashes, LoggedOut, OriginFault};
use stage::{ANA, FORM, ask, authority, cookie_of, cookies, read_notes, register, send, signed_in, text};
use tokio::sync::Notify;
use tokio::time::timeout;

/// On a clock that moves by itself as soon as nobody can do anything.
const MINUTE: Duration = Duration::from_secs(60);

async fn sign_out_with_a_note(auth: Auth) -> Result<impl IntoResponse, AuthError> {
    let bye = auth.flash("bye", "Até logo; <b>você</b> saiu").expect("a note");
    Ok((auth.logout().await?, bye, Redirect::to("/home")))
}

async fn home(flashes: Flashes) -> impl IntoResponse {
    let text = format!("bye: {:?}, other: {:?}", flashes.get("bye"), flashes.get("other"));
    (flashes, text)
}

async fn all_notes(flashes: Flashes) -> impl IntoResponse {
    let all: Vec<_> = flashes.iter().map(|(name, text)| format!("{name}={text}")).collect();
    (flashes, all.join("; "))
}

async fn panics(auth: Auth) -> StatusCode {
    let _out = auth.logout().await.expect("over");
    panic!("after the logout, before the answer");
}

fn routes() -> Router {
    stage::routes()
        .route("/leave", post(sign_out_with_a_note))
        .route("/panics", post(panics))
        .route("/home", get(home))
        .route("/all-notes", get(all_notes))
}

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().expect("whole").push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("whole"))
    }

    fn around(&self, layer: AuthLayer) -> AuthLayer {
        let (before, after, leaving, left) = (self.clone(), self.clone(), self.clone(), self.clone());
        layer
            .before_login(move |attempt| {
                before.write(format!("try {}", attempt.name));
                async { Ok(()) }
            })
            .after_login(move |session| {
                after.write(format!("in {}", session.name));
                async {}
            })
            .before_logout(move |session| {
                leaving.write(format!("leaving {}", session.name));
                async {}
            })
            .after_logout(move |gone| {
                left.write(format!("out {} {}", gone.session.name, gone.revoked.ended().len()));
                async {}
            })
    }
}

#[tokio::test]
async fn hooks_hear_of_each_step_and_of_the_end_only_when_it_is_over() {
    let (authority, store) = authority().await;
    let diary = Diary::default();
    let app = routes().layer(diary.around(AuthLayer::new(authority)));
    let cookie = signed_in(&app).await;
    assert_eq!(diary.take(), ["try ana", "in Ana"]);
    store.fail("revoke", When::Before);
    assert_eq!(ask(&app, "POST /logout", &cookie).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(diary.take(), ["leaving Ana"], "nothing is said of an end that is not known");
    store.clear();
    assert_eq!(ask(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(diary.take(), ["leaving Ana", "out Ana 1"]);
    assert_eq!(ask(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(diary.take(), Vec::<String>::new(), "nobody left");
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_or_hangs_keeps_nobody_signed_in() {
    let (authority, _) = authority().await;
    let at_once = |_| -> std::future::Ready<()> { panic!("the app's own fault, in the call itself") };
    let hooks: [Box<dyn Fn(AuthLayer) -> AuthLayer>; 6] = [
        Box::new(move |layer| layer.before_logout(at_once)),
        Box::new(move |layer| layer.after_logout(|_| -> std::future::Ready<()> { panic!("the app's own fault") })),
        Box::new(|layer| layer.before_logout(|_| async { panic!("the app's own fault") })),
        Box::new(|layer| layer.before_logout(|_| std::future::pending())),
        Box::new(|layer| layer.after_logout(|_| async { panic!("the app's own fault") })),
        Box::new(|layer| layer.after_login(|_| std::future::pending())),
    ];
    for hook in hooks {
        let app = routes().layer(hook(AuthLayer::new(Arc::clone(&authority))));
        let cookie = signed_in(&app).await;
        assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK);
        assert_eq!(ask(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
    }
}

/// As hyper does with what it was about to answer when the browser has hung up.
#[tokio::test(start_paused = true)]
async fn a_browser_that_goes_away_while_the_app_is_told_is_signed_out_all_the_same() {
    let (authority, _) = authority().await;
    let (told, going, over) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, go, end) = (Arc::clone(&told), Arc::clone(&going), Arc::clone(&over));
    let before = move |_| {
        tell.notify_one();
        let go = Arc::clone(&go);
        async move { go.notified().await }
    };
    let after = move |_| {
        end.notify_one();
        std::future::ready(())
    };
    let app = routes().layer(AuthLayer::new(authority).before_logout(before).after_logout(after));
    let cookie = signed_in(&app).await;
    tokio::select! {
        () = told.notified() => {}
        _ = ask(&app, "POST /logout", &cookie) => panic!("the app is waited for"),
    }
    going.notify_one();
    timeout(MINUTE, over.notified()).await.expect("signed out");
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_hook_may_refuse_a_sign_in_and_says_why() {
    let (authority, _) = authority().await;
    let layer = AuthLayer::new(authority).before_login(|_| async { Err(Denied("closed on Sundays".into())) });
    let app = routes().layer(layer);
    let refused = send(&app, "POST /login", &[FORM], ANA).await;
    assert_eq!((refused.status(), cookies(&refused)), (StatusCode::FORBIDDEN, vec![]));
    assert_eq!(text(refused).await, "closed on Sundays\n");
}

#[tokio::test]
async fn a_note_survives_the_sign_out_by_its_name_and_is_shown_once() {
    let (authority, _) = authority().await;
    let app = routes().layer(AuthLayer::new(authority));
    let cookie = signed_in(&app).await;
    let left = ask(&app, "POST /leave", &cookie).await;
    let set = cookies(&left);
    assert_eq!(set.len(), 2, "{set:?}");
    assert!(set.iter().any(|line| line.starts_with("__Host-exeunt=;")), "{set:?}");
    let note = set.iter().find(|line| line.starts_with("__Host-exeunt-flash-bye=")).expect("the note");
    assert!(note.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"), "{note}");
    let note = note.split(';').next().expect("a pair");
    let shown = ask(&app, "GET /home", &format!("a=b; {note}; {cookie}")).await;
    assert_eq!(
        cookies(&shown),
        ["__Host-exeunt-flash-bye=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"],
        "taken away"
    );
    assert_eq!(text(shown).await, "bye: Some(\"Até logo; <b>você</b> saiu\"), other: None");
    let all = format!("{note}; __Host-exeunt-flash-saved=S2VwdA; __Host-exeunt-flash-NO=S2VwdA; {cookie}");
    let shown = ask(&app, "GET /all-notes", &all).await;
    assert_eq!(cookies(&shown).len(), 2, "each is taken away that is shown: {shown:?}");
    assert_eq!(text(shown).await, "bye=Até logo; <b>você</b> saiu; saved=Kept");
    for forged in ["__Host-exeunt-flash-bye=%00", "__Host-exeunt-flash-BYE=YQ", "exeunt-flash-bye=YQ", "flash-bye=YQ"] {
        assert_eq!(text(ask(&app, "GET /home", forged).await).await, "bye: None, other: None", "{forged}");
    }
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_cannot_be_a_note_is_refused() {
    async fn faults(auth: Auth) -> String {
        let long = "x".repeat(513);
        let tried = [("", "x"), ("A", "x"), ("a b", "x"), ("a;b", "x"), (&*"x".repeat(33), "x"), ("bye", &*long)];
        tried.map(|(name, text)| auth.flash(name, text).expect_err("no note").to_string()).join("\n")
    }
    let (authority, _) = authority().await;
    let app = Router::new().route("/", get(faults)).layer(AuthLayer::new(authority));
    let said = text(ask(&app, "GET /", "").await).await;
    assert_eq!(said.lines().filter(|line| line.contains("small letters")).count(), 5, "{said}");
    assert!(said.contains("at most 512 bytes"), "{said}");
}

#[tokio::test]
async fn a_handler_that_panics_after_the_logout_brings_nothing_back() {
    let (authority, _) = authority().await;
    let app = routes().layer(AuthLayer::new(authority));
    let cookie = signed_in(&app).await;
    let (doomed, held) = (app.clone(), cookie.clone());
    let fell = tokio::spawn(async move { ask(&doomed, "POST /panics", &held).await }).await;
    assert!(fell.expect_err("it fell").is_panic());
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn of_nested_layers_the_inner_one_counts() {
    let (outer, _) = authority().await;
    let (inner, _) = authority().await;
    let app = Router::new()
        .nest("/inner", routes().layer(AuthLayer::new(inner)))
        .merge(routes())
        .layer(AuthLayer::new(outer));
    let cookie = signed_in(&app).await;
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK);
    assert_eq!(ask(&app, "GET /inner/notes", &cookie).await.status(), StatusCode::UNAUTHORIZED, "another authority");
    let within = cookie_of(&send(&app, "POST /inner/login", &[FORM], ANA).await);
    assert_eq!(ask(&app, "POST /inner/logout", &within).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask(&app, "GET /inner/notes", &within).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::OK, "the outer one goes on");
}

#[tokio::test]
async fn under_a_path_prefix_the_cookie_is_the_whole_hosts() {
    let (authority, _) = authority().await;
    let app = Router::new().nest("/app/v2", routes().layer(AuthLayer::new(authority)));
    let cookie = cookie_of(&send(&app, "POST /app/v2/login", &[FORM], ANA).await);
    assert_eq!(ask(&app, "GET /app/v2/notes", &cookie).await.status(), StatusCode::OK);
    let left = ask(&app, "POST /app/v2/logout", &cookie).await;
    assert!(cookies(&left)[0].contains("Path=/;"), "{left:?}");
    assert_eq!(ask(&app, "GET /app/v2/notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_refused_and_what_is_over_are_answers_by_themselves() {
    async fn leave(auth: Auth) -> Result<LoggedOut, AuthError> {
        auth.logout().await
    }
    let (authority, _) = authority().await;
    let more = Router::new().route("/register", post(register)).route("/out", post(leave));
    let app = routes().merge(more).layer(AuthLayer::new(Arc::clone(&authority)));
    let registers = async |form: &str| {
        let answer = send(&app, "POST /register", &[FORM], form).await;
        (answer.status(), text(answer).await)
    };
    let bea = registers("name=bea&password=small+boats+row").await;
    let known = authority.user_named("bea").await.expect("looked").expect("there");
    assert_eq!(bea, (StatusCode::OK, known.id.to_string()));
    assert_eq!(registers("name=ANA&password=small+boats+row").await.0, StatusCode::CONFLICT);
    let (status, said) = registers("name=eve&password=short").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(said.contains("at least 8 characters") && said.ends_with('\n'), "{said:?}");
    let refused = ask(&app, "GET /notes", "").await;
    assert_eq!((refused.status(), text(refused).await), (StatusCode::UNAUTHORIZED, "not signed in\n".to_owned()));

    let cookie = signed_in(&app).await;
    let left = ask(&app, "POST /out", &cookie).await;
    assert!(cookies(&left)[0].starts_with("__Host-exeunt=;"), "{left:?}");
    assert_eq!((left.status(), text(left).await), (StatusCode::OK, "signed out\n".to_owned()));
    assert_eq!(read_notes(&app, &cookie).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_list_of_devices_is_the_same_json_as_the_servers() {
    async fn devices(auth: Auth) -> Result<axum::Json<serde_json::Value>, AuthError> {
        let sessions = auth.sessions().await?;
        let told = |moment: exeunt::Timestamp| {
            jiff::Timestamp::from_microsecond(moment.as_micros()).expect("known").to_string()
        };
        let [own] = &*sessions else { panic!("one session") };
        let listed = serde_json::to_value(own).expect("JSON");
        let expected = serde_json::json!({
            "sid": own.id.to_string(),
            "agent": own.device.agent(),
            "address": own.device.address(),
            "opened_at": told(own.opened_at),
            "seen_at": told(own.seen_at),
            "expires_at": told(own.expires_at),
            "idle_expires_at": told(own.idle_at.expect("an authority knows")),
        });
        assert_eq!(listed, expected);
        Ok(axum::Json(listed))
    }
    let (authority, _) = authority().await;
    let app = routes().route("/devices", get(devices)).layer(AuthLayer::new(authority));
    let cookie = signed_in(&app).await;
    let listed = text(ask(&app, "GET /devices", &cookie).await).await;
    let listed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&listed).expect("an object");
    let fields: Vec<_> = listed.keys().map(String::as_str).collect();
    assert_eq!(fields, ["address", "agent", "expires_at", "idle_expires_at", "opened_at", "seen_at", "sid"]);
}

#[tokio::test]
async fn an_origin_is_put_as_browsers_write_it_or_refused_at_once() {
    let (authority, _) = authority().await;
    let layer = AuthLayer::new(authority);
    assert_eq!(layer.clone().with_origin("https://notes.example/app").err(), Some(OriginFault::More));
    let app = routes().layer(layer.with_origin("https://Notes.Example:443/").expect("an origin"));
    let sign_in = async |origin: &str| send(&app, "POST /login", &[FORM, ("origin", origin)], ANA).await.status();
    assert_eq!(sign_in("https://notes.example").await, StatusCode::SEE_OTHER);
    for foreign in ["https://notes.example:8443", "http://notes.example", "https://notes.example.evil.example"] {
        assert_eq!(sign_in(foreign).await, StatusCode::FORBIDDEN, "{foreign}");
    }
}

/// HTTP/2 divides the cookies of one request into lines (RFC 9113 section 8.2.3), and has no `Host` field but an authority.
#[tokio::test]
async fn over_http_2_it_is_the_same() {
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let (authority, _) = authority().await;
    let app = routes().layer(AuthLayer::plain_http_on_loopback(authority));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let ask = async |method: &str, path: &str, cookie: &str| {
        let builder = Request::builder().method(method).uri(format!("http://{address}{path}")).header(FORM.0, FORM.1);
        let builder = builder.header("origin", format!("http://{address}"));
        let builder = builder.header(COOKIE, "a=1").header(COOKIE, cookie).header(COOKIE, "b=2");
        let request = builder.body(Body::from(ANA)).expect("a request");
        client.request(request).await.expect("answered")
    };
    let entered = ask("POST", "/login", "c=3").await;
    assert_eq!((entered.status(), entered.version()), (StatusCode::SEE_OTHER, Version::HTTP_2));
    let cookie = &*cookie_of(&entered);
    assert_eq!(ask("GET", "/notes", cookie).await.status(), StatusCode::OK);
    assert_eq!(ask("POST", "/logout", cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask("GET", "/notes", cookie).await.status(), StatusCode::UNAUTHORIZED);
}
