//! The whole set: Exeunt, the app, and a proxy before both, configured by the file in `docs/proxies`.
//!
//! Owns what of a file is exchanged for a test: names, ports and certificates. Every exchange must find its place, so that a
//! file that was changed fails here and not in somebody's house.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::{Running, free_port};
use crate::http::{Answer, Connection, Request};
use crate::people::{PASSWORD, token_in_cookie};
use crate::server::{Folder, Server};

/// A proxy of which we have a configuration and which is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    Nginx,
    Caddy,
}

impl Proxy {
    pub(crate) const ALL: [Self; 2] = [Self::Nginx, Self::Caddy];
}

/// Where everything listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The proxy, as `https://id.example.org`.
    pub(crate) id: u16,
    /// The proxy, as `https://notes.example.org`.
    pub(crate) notes: u16,
    pub(crate) exeunt: u16,
    pub(crate) app: u16,
}

/// Exeunt, the app and a proxy.
pub(crate) struct Stage {
    pub(crate) proxy: Proxy,
    pub(crate) ports: Ports,
    /// `None`: it is not running.
    pub(crate) exeunt: Option<Server>,
    app: Running,
    _proxy: Running,
    folder: Folder,
}

impl Stage {
    pub(crate) fn new(proxy: Proxy) -> Self {
        let mut stage = Self::without_exeunt(proxy);
        stage.start_exeunt();
        stage
    }

    /// Where an app of this machine asks Exeunt by itself, as the files say that it is done.
    pub(crate) fn for_an_app_that_asks(proxy: Proxy) -> Self {
        let mut stage = Self::with(proxy, true);
        stage.start_exeunt();
        stage
    }

    /// Where Exeunt should be nobody is, or somebody else.
    pub(crate) fn without_exeunt(proxy: Proxy) -> Self {
        Self::with(proxy, false)
    }

    fn with(proxy: Proxy, app_asks: bool) -> Self {
        let folder = Folder::new();
        let (app, port) = start_app();
        let ports = Ports { id: free_port(), notes: free_port(), exeunt: free_port(), app: port };
        let running = match proxy {
            Proxy::Nginx => start_nginx(folder.path(), ports, app_asks),
            Proxy::Caddy => start_caddy(folder.path(), ports, app_asks),
        };
        Self { proxy, ports, exeunt: None, app, _proxy: running, folder }
    }

    pub(crate) fn start_exeunt(&mut self) {
        let listen = format!("127.0.0.1:{}", self.ports.exeunt);
        let (id, notes) = (self.id_origin(), self.notes_origin());
        let mut args = vec!["serve", "--listen", &*listen, "--public-url", &id, "--registration", "open"];
        args.extend(["--return-origins", &notes, "--trusted-proxies", "127.0.0.1"]);
        self.exeunt = Some(Server::run(self.folder.exeunt(&args)));
    }

    pub(crate) fn id_origin(&self) -> String {
        format!("http://localhost:{}", self.ports.id)
    }

    pub(crate) fn notes_origin(&self) -> String {
        format!("http://localhost:{}", self.ports.notes)
    }

    /// Asks the app, through the proxy.
    pub(crate) fn notes(&self, request: Request) -> Answer {
        ask(self.ports.notes, request)
    }

    /// Asks Exeunt, through the proxy.
    pub(crate) fn id(&self, request: Request) -> Answer {
        ask(self.ports.id, request)
    }

    /// Registers and signs in, as a browser does it; the token is the cookie's.
    pub(crate) fn register(&self, name: &str) -> String {
        let form = [("username", name), ("password", PASSWORD)];
        let answer = self.id(Request::post("/register").field("Origin", self.id_origin()).form(&form));
        assert_eq!(answer.status, 303, "{answer:?}");
        token_in_cookie(&answer)
    }

    /// The fields that reach the app.
    pub(crate) fn fields_at_app(&self, request: Request) -> Vec<(String, String)> {
        let answer = self.notes(request);
        assert_eq!(answer.status, 200, "{:?}: {answer:?}", self.proxy);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    /// The requests that have reached the app since this was asked last. The app says each before it answers it.
    pub(crate) fn reached(&self) -> usize {
        self.paths_at_app().len()
    }

    /// The paths under which they came, as they came.
    pub(crate) fn paths_at_app(&self) -> Vec<String> {
        let mark = ask(self.ports.app, Request::get("/mark"));
        assert_eq!(mark.status, 403);
        let mut said = self.app.lines_until("GET /mark ");
        said.pop();
        said.iter().map(|line| line.split(' ').find(|word| word.starts_with('/')).expect("a path").to_owned()).collect()
    }

    /// The credential is good at Exeunt and in the app.
    pub(crate) fn must_be_let_in(&self, token: &str) {
        assert_eq!(self.id(Request::get("/api/session").cookie(token)).status, 200);
        assert_eq!(self.notes(Request::get("/notes").cookie(token)).status, 200);
        assert_eq!(self.notes(Request::get("/notes").bearer(token)).status, 200);
    }

    /// The credential opens nothing, however it is shown, and the app is not asked.
    pub(crate) fn must_be_refused(&self, token: &str) {
        self.reached();
        for shown in [Request::get("/notes").cookie(token), Request::get("/notes").bearer(token)] {
            let answer = self.notes(shown.clone());
            assert_eq!(answer.status, 401, "{:?}: {answer:?}", self.proxy);
            assert_eq!(answer.fields("Cache-Control"), ["no-store"], "{answer:?}");
            let visit = self.notes(visiting(shown));
            assert_eq!(visit.status, 303, "{:?}: {visit:?}", self.proxy);
        }
        assert_eq!(self.reached(), 0, "{:?}: the app was reached", self.proxy);
        assert_eq!(self.id(Request::get("/api/session").cookie(token)).status, 401);
        assert_eq!(self.id(Request::get("/api/session").bearer(token)).status, 401);
    }
}

/// What a browser adds when a person goes to a page.
pub(crate) fn visiting(request: Request) -> Request {
    request
        .field("Sec-Fetch-Mode", "navigate")
        .field("Sec-Fetch-Dest", "document")
        .field("Sec-Fetch-Site", "none")
        .field("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
}

/// Asks whoever listens there, by the name that a browser would use.
pub(crate) fn ask(port: u16, request: Request) -> Answer {
    let mut connection = Connection::open(SocketAddr::from(([127, 0, 0, 1], port))).expect("connected");
    connection.ask(&request.field("Host", format!("localhost:{port}")))
}

/// The checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("there")
}

fn start_app() -> (Running, u16) {
    let mut command = Command::new("python3");
    command.arg(checkout().join("examples/proxied/app.py")).arg("0");
    let app = Running::start(command);
    let said = app.lines_until("listens on").pop().expect("a line");
    let port = said.rsplit(':').next().expect("a part").parse().expect("a port");
    (app, port)
}

/// The file in `docs/proxies`, with these exchanges.
pub(crate) fn configuration(file: &str, exchanges: &[(&str, String)]) -> String {
    let text = fs::read_to_string(checkout().join("docs/proxies").join(file)).expect("a file");
    exchanges.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{file} has no {from:?}");
        text.replace(from, to)
    })
}

fn start_nginx(folder: &Path, ports: Ports, app_asks: bool) -> Running {
    let tls = |name| {
        format!(
            "listen 443 ssl;\n    server_name {name};\n    ssl_certificate     /etc/ssl/certs/{name}.pem;\n    ssl_certificate_key /etc/ssl/private/{name}.pem;\n"
        )
    };
    let asks = if app_asks { "" } else { "# " };
    let plain = |port| format!("listen 127.0.0.1:{port};\n    server_name localhost;\n");
    let site = configuration(
        "nginx.conf",
        &[
            (&tls("id.example.org"), plain(ports.id)),
            (&tls("notes.example.org"), plain(ports.notes)),
            ("https://notes.example.org$request_uri", format!("http://localhost:{}$request_uri", ports.notes)),
            ("server 127.0.0.1:3000;", format!("server 127.0.0.1:{};", ports.exeunt)),
            ("server 127.0.0.1:9000;", format!("server 127.0.0.1:{};", ports.app)),
            ("# set_real_ip_from 10.0.0.7;", format!("{asks}set_real_ip_from 127.0.0.1;")),
            ("# real_ip_header", format!("{asks}real_ip_header")),
        ],
    );
    let temporary =
        "client_body_temp_path t;\nproxy_temp_path t;\nfastcgi_temp_path t;\nuwsgi_temp_path t;\nscgi_temp_path t;\n";
    let main = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr notice;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{site}}}\n"
    );
    fs::write(folder.join("nginx.conf"), main).expect("written");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
    let nginx = Running::start(command);
    // It listens before it says which way it will wait.
    nginx.lines_until("event method");
    nginx
}

fn start_caddy(folder: &Path, ports: Ports, app_asks: bool) -> Running {
    let sites = configuration(
        "Caddyfile",
        &[
            ("\nid.example.org {", format!("\nhttp://localhost:{} {{", ports.id)),
            ("\nnotes.example.org {", format!("\nhttp://localhost:{} {{", ports.notes)),
            (" 127.0.0.1:3000 {", format!(" 127.0.0.1:{} {{", ports.exeunt)),
            (" 127.0.0.1:9000\n", format!(" 127.0.0.1:{}\n", ports.app)),
            ("# trusted_proxies 10.0.0.7", format!("{}trusted_proxies 127.0.0.1", if app_asks { "" } else { "# " })),
        ],
    );
    let options = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n";
    let file = folder.join("Caddyfile");
    fs::write(&file, format!("{options}{sites}")).expect("written");
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
    command.env("HOME", folder).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME").current_dir(folder);
    let caddy = Running::start(command);
    caddy.lines_until("serving initial configuration");
    caddy
}
