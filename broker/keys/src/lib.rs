//! Everything that a deployment of Splinter needs to be safe, in one folder: a key for each service, client and site,
//! certificates for the way between sites, and the brokers' configurations, in which every user has the least rights.
//!
//! - [`make`]: makes the folder, or what is missing in it; replaces only what is asked for or about to end.
//! - [`Member`]: who there is. [`Member::rights`]: what each may do, derived from [`broker::subjects`];
//!   [`rights_in_words`] is the same for people, and part of `docs/security.md`.
//! - [`Authority`]: signs the certificates.
//!
//! # Promises
//! A file is written whole or not at all. What is secret can be read by its owner only, from the moment it is there. What
//! is there is kept, unless its time is nearly over, or its rotation is asked for.

mod authority;
mod deployment;
mod error;
mod files;
mod members;
mod readme;
mod rights;

pub use authority::{Authority, Issued};
pub use deployment::{Change, Entry, Report, Request, make};
pub use error::KeysError;
pub use members::{Member, Place, Rotation};
pub use rights::rights_in_words;
