//! Fetches one file whose size and SHA-256 are known beforehand over HTTP or HTTPS.
//!
//! [`download`] keeps what has arrived in `NAME.part` beside the wanted file and goes on from there, within one call
//! (a server that breaks off) and from one call to the next (a program that was killed). The file gets its name when it
//! is whole and has the right digest, not before: whatever happens, under that name lies a right file or what lay there
//! already. Everything is bounded: [`Limits`].

mod error;
mod partial;
mod transfer;

use std::path::Path;
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::{Attempt, Policy};
use schemas::Digest;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

pub use error::DownloadError;

use partial::Partial;

/// Where a file is, and how one knows that it is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its address, `http` or `https`.
    pub address: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Its size. Not one byte more is written, whatever the server sends.
    pub bytes: u64,
}

/// How long, how often and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For the connection to stand, TLS included.
    pub connect: Duration,
    /// Longest silence: before the answer begins, and between two pieces of it.
    pub stall: Duration,
    /// For everything together, so that a server which trickles does not hold the caller for ever.
    pub whole: Duration,
    /// Requests in all (redirects not counted) before it is given up.
    pub attempts: u32,
    /// Before the second request; twice as long before each further one, at most [`Limits::LONGEST_PAUSE`] times this.
    pub pause: Duration,
    /// Redirects followed in one request; never one from `https` to `http`.
    pub redirects: usize,
}

impl Limits {
    /// The greatest multiple of `pause` that is waited between two requests.
    pub const LONGEST_PAUSE: u32 = 16;

    fn pause_after(&self, attempt: u32) -> Duration {
        self.pause * 2_u32.saturating_pow(attempt.saturating_sub(1)).min(Self::LONGEST_PAUSE)
    }
}

impl Default for Limits {
    /// For files up to a gigabyte over poor links: 1 GiB at 1 Mbit/s takes two and a half hours.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            whole: Duration::from_secs(6 * 3600),
            attempts: 8,
            pause: Duration::from_millis(500),
            redirects: 5,
        }
    }
}

/// How a download goes.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many bytes are there, those of earlier calls included. Less than before when it begins anew.
    Received(u64),
    /// A request failed and another one will be made.
    TriesAgain(&'a DownloadError),
}

/// Fetches a file. Returns at once when it is there already.
///
/// `tell` hears how it goes, on the caller's task.
///
/// # Errors
/// When the server refuses, sends another file than is described, or fails again and again; when files cannot be
/// written, or another process fetches the same file. `NAME.part` is left behind where it can be of use at the next
/// call; not when the bytes in it are known to be wrong.
pub async fn download(
    source: &Source,
    to: &Path,
    limits: &Limits,
    mut tell: impl FnMut(Event<'_>),
) -> Result<(), DownloadError> {
    if partial::is_there(to, source).await? {
        tell(Event::Received(source.bytes));
        return Ok(());
    }
    let client = client(limits)?;
    let mut partial = Partial::open(to, source.bytes).await?;
    let fetching = fetch(&client, source, limits, &mut partial, &mut tell);
    let ended = match timeout(limits.whole, fetching).await {
        Ok(ended) => ended,
        Err(_) => Err(DownloadError::TooSlow { address: source.address.clone(), within: limits.whole }),
    };
    if ended.as_ref().is_err_and(DownloadError::spoils_what_is_there) {
        partial.discard().await?;
    }
    partial.leave().await?;
    ended
}

async fn fetch(
    client: &Client,
    source: &Source,
    limits: &Limits,
    partial: &mut Partial,
    tell: &mut impl FnMut(Event<'_>),
) -> Result<(), DownloadError> {
    let mut attempt = 1;
    loop {
        let error = match transfer::transfer(client, source, partial, tell).await {
            Ok(()) => match partial.finish(source).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if attempt >= limits.attempts || !error.may_pass() {
            return Err(error);
        }
        if error.spoils_what_is_there() {
            partial.discard().await?;
        }
        tell(Event::TriesAgain(&error));
        sleep(limits.pause_after(attempt)).await;
        attempt += 1;
    }
}

fn client(limits: &Limits) -> Result<Client, DownloadError> {
    let greatest = limits.redirects;
    Client::builder()
        .connect_timeout(limits.connect)
        .read_timeout(limits.stall)
        .redirect(Policy::custom(move |redirect| follow(redirect, greatest)))
        .user_agent(concat!("splinter/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(DownloadError::Client)
}

fn follow(redirect: Attempt<'_>, greatest: usize) -> reqwest::redirect::Action {
    let was_encrypted = redirect.previous().last().is_some_and(|from| from.scheme() == "https");
    if redirect.previous().len() > greatest {
        redirect.error(format!("more than {greatest} redirects"))
    } else if was_encrypted && redirect.url().scheme() != "https" {
        redirect.error("a redirect from https to plain http")
    } else {
        redirect.follow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        let limits = Limits { pause: Duration::from_millis(500), ..Limits::default() };
        let pauses: Vec<u128> = [1, 2, 3, 5, 6, u32::MAX].map(|n| limits.pause_after(n).as_millis()).into();
        assert_eq!(pauses, [500, 1000, 2000, 8000, 8000, 8000]);
    }
}
