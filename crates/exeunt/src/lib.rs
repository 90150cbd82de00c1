//! A session authority: it signs people and programs in, and signs them **out** so that they are really out.
//!
//! > When logout answers success, it is over: at every node, after any crash, until somebody signs in again. Where
//! > Exeunt cannot know that, it says so instead.
//!
//! This crate is the domain. It knows users, credentials, sessions, tokens and revocations, and nothing of HTTP, of command
//! lines or of the environment. [`Authority`] decides, a [`store::Store`] remembers, [`live::Live`] is what this
//! process may believe.
//!
//! ```
//! use std::sync::Arc;
//! use exeunt::{Authority, By, Cause, Device, Place, Settings, Standing, Target, store::memory::MemoryStore};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let authority = Authority::open(Arc::new(MemoryStore::default()), Settings::default()).await?;
//! let device = Device::new("Firefox", "192.0.2.7");
//! let ana = authority.register("Ana", "tall ships sail", &device).await?;
//!
//! let opened = authority.login("ana", "tall ships sail", Place { device: &device, replaces: None }).await?;
//! assert!(matches!(authority.check(&opened.token).await?, Standing::Live(_)));
//!
//! let over = authority.revoke(Target::Session(opened.session.id), Cause::Logout, By::user(ana.id, &device)).await?;
//! assert_eq!(over.ended(), [opened.session.id]);
//! assert_eq!(authority.check(&opened.token).await?, Standing::Refused);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program that opens a folder with `SqliteStore` owns it until it ends. The commands of the server (`exeunt user …`, `exeunt end …`) do
//! nothing on it meanwhile; what they do is done by the authority's own verbs, with [`By::operator`].
//!
//! # The map
//!
//! | module | owns |
//! |---|---|
//! | [`user`], [`credential`], [`session`], [`token`], [`revocation`], [`audit`], [`clock`], [`random`] | the nouns; they import each other only downward |
//! | [`store`] | what is asked of memory that survives; its backends |
//! | [`live`] | what this process may believe |
//! | [`lease`] | how long it may, where many nodes share a store |
//! | [`users`] | what is asked of an app that keeps its users itself |
//! | [`outage`] | when a log says that something still fails |
//! | `waiting` | who waits for an answer that many share |
//! | `hasher`, `attempts` | what a stranger's try may cost us, and how often |
//! | [`authority`] | every decision |

mod attempts;
pub mod audit;
pub mod authority;
pub mod clock;
pub mod credential;
mod hasher;
pub mod lease;
pub mod live;
pub mod outage;
pub mod random;
pub mod revocation;
pub mod session;
pub mod store;
pub mod token;
pub mod user;
pub mod users;
mod waiting;

pub use attempts::TooMany;
pub use audit::{AuditEntry, AuditQuery, Deed};
pub use authority::{Authority, ChoiceFault, LoginError, Place, RegisterError, Settings, Standing};
pub use clock::Timestamp;
pub use hasher::Crowded;
pub use revocation::{Actor, By, Cause, Revoked, Seq, Target, Word};
pub use session::{Device, Lifetime, LiveSession, Opened, Session, SessionId};
pub use store::{Become, SessionLimit, StoreError};
pub use token::Token;
pub use user::{User, UserId};
