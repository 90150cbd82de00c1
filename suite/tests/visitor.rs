//! A visitor signs in and out at a server that runs, by as many requests as its adapter says: what `bench/` counts as one.
//!
//! Owns a liar of its own, told no lies.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};

use exeunt_suite::play::Visitor;
use exeunt_suite::target::Target;

/// Killed when dropped.
struct Liar {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Liar {
    fn start() -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("bound").port();
        let folder = tempfile::tempdir().expect("a folder");
        let process = Command::new(env!("CARGO_BIN_EXE_exeunt-suite"))
            .args(["lie", "--port", &port.to_string(), "--data"])
            .arg(folder.path())
            .spawn()
            .expect("it starts");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while TcpStream::connect(address).is_err() {
            std::thread::yield_now();
        }
        Self { process, address, _folder: folder }
    }

    /// The status of a check with these cookies.
    fn check(&self, cookies: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        let request = format!("GET /me HTTP/1.1\r\nHost: liar\r\nConnection: close\r\nCookie: {cookies}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut status = [0; 12];
        stream.read_exact(&mut status).expect("an answer");
        String::from_utf8_lossy(&status).into_owned()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_visitor_signs_in_by_pages_and_out_and_the_old_cookie_is_refused() {
    let (liar, folder) = (Liar::start(), Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/liar-by-pages"));
    let target = Target::load(&folder).expect("an adapter");
    let sign_in = || Visitor::new(&target, liar.address, "ana").sign_in().expect("requests");
    let (leaving, staying) = (sign_in().expect("a session"), sign_in().expect("another"));
    assert_eq!([liar.check(&leaving), liar.check(&staying)], ["HTTP/1.1 200"; 2]);
    assert!(Visitor::with_cookies(&target, liar.address, &leaving).sign_out().expect("requests"));
    assert_eq!(liar.check(&leaving), "HTTP/1.1 401", "the old cookie");
    assert_eq!(liar.check(&staying), "HTTP/1.1 200", "nobody signed this one out");
}
