//! A port that is kept for a process which is yet to start, or to start again.
//!
//! Owns the number as long as it lives: the system gives it to nobody who connects or asks for any port, and no moment lies between
//! "it is free" and "it is taken". It never listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port of this machine, loopback only.
///
/// A socket that has the port, does not listen and lets others have it too (`SO_REUSEADDR`): so a server that asks for it by its number,
/// as servers do with that same option, listens there beside it. To look for a port that is free, and to let go of it again before
/// the server takes it, is a race: whoever connects meanwhile can be given it, and a process that is being started beside holds what
/// listened here until it has become its program.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _held: Socket,
}

impl Port {
    /// Any port that nobody has.
    ///
    /// # Errors
    ///
    /// When the system has none, or no more sockets.
    pub fn any() -> io::Result<Self> {
        let held = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        held.set_reuse_address(true)?;
        held.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = held.local_addr()?.as_socket_ipv4().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { number: address.port(), _held: held })
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Where a server that has it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Fewer than the handles that a process may have where nobody allowed it more (1,024).
    const MANY: usize = 500;

    #[test]
    fn who_asks_for_it_by_number_listens_there_again_and_again() {
        let port = Port::any().expect("a port");
        assert!(TcpStream::connect(port.address()).is_err(), "it listens itself");
        for _ in 0..2 {
            let server = TcpListener::bind(port.address()).expect("it is kept for this");
            let _asker = TcpStream::connect(port.address()).expect("it listens");
            let (_answered, _) = server.accept().expect("somebody has connected");
        }
    }

    /// What a process that is being started holds between `fork` and `exec`: a second handle of each socket of ours.
    #[test]
    fn a_process_that_is_just_being_started_does_not_hold_it() {
        let port = Port::any().expect("a port");
        let Port { _held: held, .. } = &port;
        let _of_another = held.try_clone().expect("a handle");
        assert!(TcpListener::bind(port.address()).is_ok());
    }

    #[test]
    fn no_two_are_the_same() {
        let many: Vec<Port> = (0..MANY).map(|_| Port::any().expect("a port")).collect();
        let numbers: HashSet<u16> = many.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), MANY);
    }
}
