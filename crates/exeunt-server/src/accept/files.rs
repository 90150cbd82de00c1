//! How many connections there is room for: each is a file to the system, and a process may have only so many of them open.
//!
//! Owns the limit on open files, which it raises as far as it may. It takes no file itself. Where connections outnumber the files nobody is
//! accepted any more who wants to sign out, while whatever is open already, event streams say, may stay open for as long as it likes.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::CONNECTIONS_MAX;

/// Files that are no connections of clients: those of the metrics, of commands and of the store, the log, and what a runtime has for itself.
const OTHERS: usize = 256;

/// Connections that are taken where the system allows hardly any file: with fewer there would be no server.
const CONNECTIONS_MIN: usize = 16;

/// What is wanted of the system, in files.
const WANTED: u64 = (CONNECTIONS_MAX + OTHERS) as u64;

/// Raises the limit as far as is wanted and allowed, for a session of a shell or a service mostly begins with 1,024. Says so where that is not
/// enough.
pub(crate) fn make_room() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // `None` is without a limit.
    if current.is_some_and(|current| current < WANTED) {
        let raised = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
        // Refused, there is what there was, and that is said next.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    }
    let connections = connections();
    if connections < CONNECTIONS_MAX {
        tracing::warn!(
            connections,
            "few files may be open at once, and so few connections: raise LimitNOFILE= of the service, or `ulimit -n`, to {WANTED}"
        );
    }
}

/// Connections at a time.
pub(crate) fn connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(WANTED);
    fitting(usize::try_from(files).unwrap_or(usize::MAX))
}

fn fitting(files: usize) -> usize {
    files.saturating_sub(OTHERS).clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_connections_than_files_and_always_some() {
        assert_eq!([0, 300, 1_024, 10_256, usize::MAX].map(fitting), [16, 44, 768, 10_000, 10_000]);
    }
}
