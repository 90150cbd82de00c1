//! Opens the store of the settings, and the authority over it; takes a restored one on, and copies one.
//!
//! Owns which store that is, and what an operator is told to do where it is not believed. It serves nothing.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use exeunt::authority::Part;
use exeunt::clock::{Clock as _, SystemClock};
use exeunt::store::Store;
use exeunt::store::postgres::{Address, PostgresStore};
use exeunt::store::sqlite::{JOURNAL_MODE, OpenError, SqliteStore};
use exeunt::{Authority, By, Cause, Settings, Target};

use crate::cli::say;
use crate::config::{Config, SharedStore};

/// Whether the store was not opened because another process owns the folder.
pub(crate) fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::InUse { .. }))
}

/// Refuses where there is no store yet, saying what that comes to. It begins none: only who serves and who adds somebody does.
pub(crate) async fn must_be_begun(config: &Config, nothing: &str) -> anyhow::Result<()> {
    let (begun, place, which) = match &config.shared {
        Some(SharedStore { address, .. }) => {
            let begun = PostgresStore::is_at(address).await.with_context(|| unusable(address))?;
            (begun, format!("at {address}"), "which with --store")
        }
        None => {
            (SqliteStore::is_in(&config.data)?, format!("in {}", config.data.display()), "which folder with --data")
        }
    };
    if begun { Ok(()) } else { Err(anyhow!("there is no store {place}, so {nothing}: say {which}")) }
}

/// Ends everything in a store that was restored or copied, so that it can be served again (R8).
pub(crate) async fn adopt(config: &Config) -> anyhow::Result<()> {
    must_be_begun(config, "nothing was ended").await?;
    if config.shared.is_some() {
        let authority = open(config, Part::Visitor).await?;
        let revoked = authority.revoke(Target::Everyone, Cause::Restored, By::operator()).await?;
        let seq = revoked.seq().context("the cut-off was not written")?;
        say(format_args!("everything ended by revocation {}; the nodes may serve again", seq.0));
        return Ok(());
    }
    let (_, revocation) = SqliteStore::adopt(&config.data, SystemClock.now())?;
    say(format_args!("everything ended by revocation {}; the folder can be served again", revocation.seq.0));
    Ok(())
}

/// Copies the embedded store into a new file.
pub(crate) async fn back_up(config: &Config, file: &Path) -> anyhow::Result<()> {
    if config.shared.is_some() {
        bail!(
            "nothing was copied: a database that many nodes share is backed up by its own means, as with pg_dump (docs/many-nodes.md, \"Restore\")"
        );
    }
    must_be_begun(config, "nothing was copied").await?;
    let (folder, to) = (config.data.clone(), file.to_owned());
    tokio::task::spawn_blocking(move || SqliteStore::back_up(&folder, &to)).await.context("nothing was copied")??;
    say(format_args!(
        "copied into {}: it holds hashes of passwords, so keep it as you keep the folder",
        file.display()
    ));
    Ok(())
}

/// The authority over the store of these settings. Where that is a data folder, this process owns it from now on.
pub(crate) async fn open(config: &Config, part: Part) -> anyhow::Result<Arc<Authority>> {
    let store: Arc<dyn Store> = match &config.shared {
        Some(SharedStore { address, listen, .. }) => {
            let opened = PostgresStore::open(address, listen).await;
            Arc::new(opened.with_context(|| unusable(address))?)
        }
        None => Arc::new(folder(config)?),
    };
    let settings = Settings {
        lifetime: config.lifetime,
        password_chars_min: config.password_chars_min,
        sessions_per_user: config.sessions_per_user,
        part,
        ..Settings::default()
    };
    Authority::open(store, settings).await.with_context(|| unreadable(config))
}

fn unusable(address: &Address) -> String {
    format!("the store at {address} cannot be used")
}

fn unreadable(config: &Config) -> String {
    match &config.shared {
        Some(SharedStore { address, .. }) => format!("the store at {address} cannot be read"),
        None => format!(
            "the store in {} cannot be read; where it is damaged, put a backup in its place (docs/operations.md, \"Restore\")",
            config.data.display()
        ),
    }
}

fn folder(config: &Config) -> anyhow::Result<SqliteStore> {
    SqliteStore::open(&config.data).map_err(|error| match error {
        // A backup in the place of the store is one of the two, and there is one thing to do.
        OpenError::Restored { .. } | OpenError::Weaker { setting: JOURNAL_MODE, .. } => {
            anyhow!("{error}: run `exeunt end --everyone --restored --data {}`", config.data.display())
        }
        error => error.into(),
    })
}
