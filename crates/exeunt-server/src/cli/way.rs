//! Which way a command goes: through the server that owns the data folder, or, where none runs, by opening the store itself.
//!
//! Owns the choice, made anew while a server starts or stops, or another command has the folder. It never opens a store beside a
//! server: the lock on the folder says who may.

use anyhow::Context as _;
use exeunt::authority::Part;

use super::terminal::note;
use crate::config::Config;
use crate::control::{AskError, Reached, reach};
use crate::errand::{Errand, Failed, Lines};
use crate::serve::{self, FOLDER_PAUSE, FOLDER_TRIES, is_in_use};

/// Tries of which nothing is said, a second of them: other commands and servers that stop are gone by then.
const TRIES_UNTOLD: u32 = 20;

/// Has an errand done. When this returns `Ok`, it is done.
pub(super) async fn deliver(config: &Config, errand: Errand, out: &mut impl Lines) -> anyhow::Result<()> {
    if let Some(nothing) = errand.without_store() {
        serve::must_be_begun(config, nothing).await?;
    }
    if config.shared.is_some() {
        // Every process may open a store that many share; what it ends, the nodes hear before it says so.
        let authority = serve::open(config, Part::Visitor).await?;
        return errand.perform(&authority, out).await.map(drop).map_err(of_errand);
    }
    let mut tries = FOLDER_TRIES;
    loop {
        let shut = match reach(&config.data).await.map_err(of_server)? {
            Reached::Server(server) => return server.ask(&errand, out).await.map_err(of_server),
            Reached::Nobody => false,
            Reached::Shut => true,
        };
        match serve::open(config, Part::Visitor).await {
            Ok(authority) => return errand.perform(&authority, out).await.map(drop).map_err(of_errand),
            Err(error) if !is_in_use(&error) => return Err(error),
            Err(error) if shut => {
                return Err(error).context("you may not reach this server: run the command as its user, or as root");
            }
            Err(error) if tries == 0 => {
                let waited = (FOLDER_PAUSE * FOLDER_TRIES).as_secs();
                // A server would have taken it: this is an app with an authority of its own, or something that hangs.
                let untaken = format!(
                    "nothing was done: whoever has the data folder takes no commands, and kept it for {waited} seconds"
                );
                return Err(error).context(untaken);
            }
            Err(error) => {
                tries -= 1;
                if tries == FOLDER_TRIES - TRIES_UNTOLD {
                    note(format_args!("waiting: {error}"));
                }
            }
        }
        tokio::time::sleep(FOLDER_PAUSE).await;
    }
}

/// The same words whichever way it went: those of the errand, not those of its causes once more.
fn of_errand(failed: Failed) -> anyhow::Error {
    match failed {
        Failed::Unheard(unheard) => unheard.into(),
        failed => anyhow::Error::msg(failed.to_string()),
    }
}

fn of_server(error: AskError) -> anyhow::Error {
    match error {
        AskError::Unheard(unheard) => unheard.into(),
        error => anyhow::Error::msg(error.to_string()),
    }
}
