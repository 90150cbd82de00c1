//! The way from a node to its store, which can be held.
//!
//! Owns the sockets in the middle. What is held arrives later, whole and in order: so it is when a network hangs.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// What is passed on at once, in bytes; as much as a pipe of the system holds.
const PART_BYTES: usize = 64 * 1024;

pub(super) struct Wire {
    port: u16,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_held: Mutex<bool>,
    opened: Condvar,
    is_over: AtomicBool,
}

impl Wire {
    pub(super) fn to(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let wire = Self { port: listener.local_addr()?.port(), gate: Arc::default() };
        let gate = Arc::clone(&wire.gate);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if gate.is_over.load(Ordering::SeqCst) {
                    return;
                }
                // A store that is down refuses: the node is told by the end of its connection.
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { continue };
                let _ = pass(&near, &far, &gate).and_then(|()| pass(&far, &near, &gate));
            }
        });
        Ok(wire)
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn hold(&self, is_held: bool) {
        *self.gate.is_held.lock().expect("nobody panics with it") = is_held;
        self.gate.opened.notify_all();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.gate.is_over.store(true, Ordering::SeqCst);
        self.hold(false);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn pass(from: &TcpStream, to: &TcpStream, gate: &Arc<Gate>) -> io::Result<()> {
    let (mut from, mut to, gate) = (from.try_clone()?, to.try_clone()?, Arc::clone(gate));
    std::thread::spawn(move || {
        let mut part = vec![0; PART_BYTES];
        while let Ok(count @ 1..) = from.read(&mut part) {
            let held = gate.is_held.lock().expect("nobody panics with it");
            drop(gate.opened.wait_while(held, |is_held| *is_held).expect("nobody panics with it"));
            if to.write_all(&part[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
    Ok(())
}
