//! What an app may hang on the five names, and how it may put its router together: hooks, notes, prefixes, panics, HTTP/2.
//!
//! Each ends by replaying the cookie where somebody signed out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{Request, Response, StatusCode, Version};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use exeunt::credential::Work;
use exeunt::store::Store;
use exeunt::store::memory::MemoryStore;
use exeunt::store::staged::{Staged, When};
use exeunt::{Authority, By, Settings};
use exeunt_axum::{
    Auth, AuthError, AuthLayer, CurrentUser, Denied, Flashes, LoggedIn, LoggedOut, OriginFault, RegisterRefused,
};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::time::timeout;
use tower::ServiceExt as _;

/// On a clock that moves by itself as soon as nobody can do anything.
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

async fn sign_in(auth: Auth, Form(form): Form<SignIn>) -> Result<(LoggedIn, Redirect), AuthError> {
    Ok((auth.login(&form.name, &form.password).await?, Redirect::to("/notes")))
}

async fn sign_out(auth: Auth) -> Result<(LoggedOut, Redirect), AuthError> {
    Ok((auth.logout().await?, Redirect::to("/")))
}

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

async fn notes(CurrentUser(session): CurrentUser) -> String {
    session.name.to_string()
}

fn routes() -> Router {
    Router::new()
        .route("/login", post(sign_in))
        .route("/logout", post(sign_out))
        .route("/leave", post(sign_out_with_a_note))
        .route("/panics", post(panics))
        .route("/home", get(home))
        .route("/all-notes", get(all_notes))
        .route("/notes", get(notes))
}

async fn authority() -> (Arc<Authority>, Arc<Staged>) {
    let store = Staged::new(Arc::new(MemoryStore::default()));
    let settings = Settings { work: Work::for_tests(), keep_every: None, ..Settings::default() };
    let authority = Authority::open(Arc::clone(&store) as Arc<dyn Store>, settings).await.expect("opened");
    authority.add_user("Ana", "tall ships sail", By::operator()).await.expect("added");
    (authority, store)
}

async fn send(app: &Router, request: &str, cookie: &str) -> Response<Body> {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let builder = Request::builder().method(method).uri(path).header(COOKIE, cookie);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let request = builder.header(form.0, form.1).body(Body::from("name=ana&password=tall+ships+sail"));
    app.clone().oneshot(request.expect("a request")).await.expect("infallible")
}

fn cookies(answer: &Response<Body>) -> Vec<String> {
    answer.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().expect("text").to_owned()).collect()
}

async fn signed_in(app: &Router, path: &str) -> String {
    let entered = send(app, &format!("POST {path}"), "").await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    cookies(&entered)[0].split(';').next().expect("a pair").to_owned()
}

async fn text(answer: Response<Body>) -> String {
    let bytes = answer.into_body().collect().await.expect("whole").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
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
    let cookie = signed_in(&app, "/login").await;
    assert_eq!(diary.take(), ["try ana", "in Ana"]);
    store.fail("revoke", When::Before);
    assert_eq!(send(&app, "POST /logout", &cookie).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(diary.take(), ["leaving Ana"], "nothing is said of an end that is not known");
    store.clear();
    assert_eq!(send(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(diary.take(), ["leaving Ana", "out Ana 1"]);
    assert_eq!(send(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(diary.take(), Vec::<String>::new(), "nobody left");
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
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
        let cookie = signed_in(&app, "/login").await;
        assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::OK);
        assert_eq!(send(&app, "POST /logout", &cookie).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
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
    let cookie = signed_in(&app, "/login").await;
    tokio::select! {
        () = told.notified() => {}
        _ = send(&app, "POST /logout", &cookie) => panic!("the app is waited for"),
    }
    going.notify_one();
    timeout(MINUTE, over.notified()).await.expect("signed out");
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_hook_may_refuse_a_sign_in_and_says_why() {
    let (authority, _) = authority().await;
    let layer = AuthLayer::new(authority).before_login(|_| async { Err(Denied("closed on Sundays".into())) });
    let app = routes().layer(layer);
    let refused = send(&app, "POST /login", "").await;
    assert_eq!((refused.status(), cookies(&refused)), (StatusCode::FORBIDDEN, vec![]));
    assert_eq!(text(refused).await, "closed on Sundays\n");
}

#[tokio::test]
async fn a_note_survives_the_sign_out_by_its_name_and_is_shown_once() {
    let (authority, _) = authority().await;
    let app = routes().layer(AuthLayer::new(authority));
    let cookie = signed_in(&app, "/login").await;
    let left = send(&app, "POST /leave", &cookie).await;
    let set = cookies(&left);
    assert_eq!(set.len(), 2, "{set:?}");
    assert!(set.iter().any(|line| line.starts_with("__Host-exeunt=;")), "{set:?}");
    let note = set.iter().find(|line| line.starts_with("__Host-exeunt-flash-bye=")).expect("the note");
    assert!(note.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"), "{note}");
    let note = note.split(';').next().expect("a pair");
    let shown = send(&app, "GET /home", &format!("a=b; {note}; {cookie}")).await;
    assert_eq!(
        cookies(&shown),
        ["__Host-exeunt-flash-bye=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"],
        "taken away"
    );
    assert_eq!(text(shown).await, "bye: Some(\"Até logo; <b>você</b> saiu\"), other: None");
    let all = format!("{note}; __Host-exeunt-flash-saved=S2VwdA; __Host-exeunt-flash-NO=S2VwdA; {cookie}");
    let shown = send(&app, "GET /all-notes", &all).await;
    assert_eq!(cookies(&shown).len(), 2, "each is taken away that is shown: {shown:?}");
    assert_eq!(text(shown).await, "bye=Até logo; <b>você</b> saiu; saved=Kept");
    for forged in ["__Host-exeunt-flash-bye=%00", "__Host-exeunt-flash-BYE=YQ", "exeunt-flash-bye=YQ", "flash-bye=YQ"] {
        assert_eq!(text(send(&app, "GET /home", forged).await).await, "bye: None, other: None", "{forged}");
    }
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
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
    let said = text(send(&app, "GET /", "").await).await;
    assert_eq!(said.lines().filter(|line| line.contains("small letters")).count(), 5, "{said}");
    assert!(said.contains("at most 512 bytes"), "{said}");
}

#[tokio::test]
async fn a_handler_that_panics_after_the_logout_brings_nothing_back() {
    let (authority, _) = authority().await;
    let app = routes().layer(AuthLayer::new(authority));
    let cookie = signed_in(&app, "/login").await;
    let (doomed, held) = (app.clone(), cookie.clone());
    let fell = tokio::spawn(async move { send(&doomed, "POST /panics", &held).await }).await;
    assert!(fell.expect_err("it fell").is_panic());
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn of_nested_layers_the_inner_one_counts() {
    let (outer, _) = authority().await;
    let (inner, _) = authority().await;
    let app = Router::new()
        .nest("/inner", routes().layer(AuthLayer::new(inner)))
        .merge(routes())
        .layer(AuthLayer::new(outer));
    let cookie = signed_in(&app, "/login").await;
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::OK);
    assert_eq!(send(&app, "GET /inner/notes", &cookie).await.status(), StatusCode::UNAUTHORIZED, "another authority");
    let within = signed_in(&app, "/inner/login").await;
    assert_eq!(send(&app, "POST /inner/logout", &within).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(send(&app, "GET /inner/notes", &within).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::OK, "the outer one goes on");
}

#[tokio::test]
async fn under_a_path_prefix_the_cookie_is_the_whole_hosts() {
    let (authority, _) = authority().await;
    let app = Router::new().nest("/app/v2", routes().layer(AuthLayer::new(authority)));
    let cookie = signed_in(&app, "/app/v2/login").await;
    assert_eq!(send(&app, "GET /app/v2/notes", &cookie).await.status(), StatusCode::OK);
    let left = send(&app, "POST /app/v2/logout", &cookie).await;
    assert!(cookies(&left)[0].contains("Path=/;"), "{left:?}");
    assert_eq!(send(&app, "GET /app/v2/notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_refused_and_what_is_over_are_answers_by_themselves() {
    async fn register(auth: Auth, Form(form): Form<SignIn>) -> Result<String, RegisterRefused> {
        Ok(auth.register(&form.name, &form.password).await?.to_string())
    }
    async fn leave(auth: Auth) -> Result<LoggedOut, AuthError> {
        auth.logout().await
    }
    let (authority, _) = authority().await;
    let more = Router::new().route("/register", post(register)).route("/out", post(leave));
    let app = routes().merge(more).layer(AuthLayer::new(Arc::clone(&authority)));
    let ask = async |form: &'static str| {
        let builder = Request::post("/register").header("content-type", "application/x-www-form-urlencoded");
        let answer = app.clone().oneshot(builder.body(Body::from(form)).expect("a request")).await.expect("infallible");
        (answer.status(), text(answer).await)
    };
    let bea = ask("name=bea&password=small+boats+row").await;
    let known = authority.user_named("bea").await.expect("looked").expect("there");
    assert_eq!(bea, (StatusCode::OK, known.id.to_string()));
    assert_eq!(ask("name=ANA&password=small+boats+row").await.0, StatusCode::CONFLICT);
    let (status, said) = ask("name=eve&password=short").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(said.contains("at least 8 characters") && said.ends_with('\n'), "{said:?}");
    let refused = send(&app, "GET /notes", "").await;
    assert_eq!((refused.status(), text(refused).await), (StatusCode::UNAUTHORIZED, "not signed in\n".to_owned()));

    let cookie = signed_in(&app, "/login").await;
    let left = send(&app, "POST /out", &cookie).await;
    assert!(cookies(&left)[0].starts_with("__Host-exeunt=;"), "{left:?}");
    assert_eq!((left.status(), text(left).await), (StatusCode::OK, "signed out\n".to_owned()));
    assert_eq!(send(&app, "GET /notes", &cookie).await.status(), StatusCode::UNAUTHORIZED);
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
        });
        assert_eq!(listed, expected);
        Ok(axum::Json(listed))
    }
    let (authority, _) = authority().await;
    let app = routes().route("/devices", get(devices)).layer(AuthLayer::new(authority));
    let cookie = signed_in(&app, "/login").await;
    let listed = text(send(&app, "GET /devices", &cookie).await).await;
    let listed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&listed).expect("an object");
    let fields: Vec<_> = listed.keys().map(String::as_str).collect();
    assert_eq!(fields, ["address", "agent", "expires_at", "opened_at", "seen_at", "sid"]);
}

#[tokio::test]
async fn an_origin_is_put_as_browsers_write_it_or_refused_at_once() {
    let (authority, _) = authority().await;
    let layer = AuthLayer::new(authority);
    assert_eq!(layer.clone().with_origin("https://notes.example/app").err(), Some(OriginFault::More));
    let app = routes().layer(layer.with_origin("https://Notes.Example:443/").expect("an origin"));
    let sign_in = async |origin: &str| {
        let builder = Request::post("/login").header("content-type", "application/x-www-form-urlencoded");
        let form = Body::from("name=ana&password=tall+ships+sail");
        let request = builder.header("origin", origin).body(form).expect("a request");
        app.clone().oneshot(request).await.expect("infallible").status()
    };
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
        let builder = Request::builder().method(method).uri(format!("http://{address}{path}"));
        let builder = builder.header("content-type", "application/x-www-form-urlencoded");
        let builder = builder.header("origin", format!("http://{address}"));
        let builder = builder.header(COOKIE, "a=1").header(COOKIE, cookie).header(COOKIE, "b=2");
        let request = builder.body(Body::from("name=ana&password=tall+ships+sail")).expect("a request");
        client.request(request).await.expect("answered")
    };
    let entered = ask("POST", "/login", "c=3").await;
    assert_eq!((entered.status(), entered.version()), (StatusCode::SEE_OTHER, Version::HTTP_2));
    let set = entered.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    let cookie = set.split(';').next().expect("a pair");
    assert_eq!(ask("GET", "/notes", cookie).await.status(), StatusCode::OK);
    assert_eq!(ask("POST", "/logout", cookie).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask("GET", "/notes", cookie).await.status(), StatusCode::UNAUTHORIZED);
}
