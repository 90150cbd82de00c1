//! Where the socket is, however long the path to the data folder is.
//!
//! Owns the way around the 107 bytes that the kernel has for the path of a socket. It never makes and never removes anything.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::SOCKET;

/// A path that fits, as long as this value lives.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    // The path may lead through this open folder.
    _folder: Option<File>,
}

impl Place {
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        let path = folder.join(SOCKET);
        if SocketAddr::from_pathname(&path).is_ok() {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(folder)?;
        let through = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        if through.exists() {
            Ok(Self { path: through.join(SOCKET), _folder: Some(folder) })
        } else {
            let why =
                format!("{} is longer than the path of a socket can be: choose a shorter data folder", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, why))
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
