//! Which trace a message belongs to: the W3C headers `traceparent` and `tracestate`, on the way through the broker.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_nats::HeaderMap;

use crate::headers::Headers;

/// The W3C's name, in lower case: NATS keeps the case, and the broker itself looks for exactly this one.
pub const TRACEPARENT: &str = "traceparent";

/// What tracing systems say to one another beside it.
pub const TRACESTATE: &str = "tracestate";

/// The longest state that is passed on: what the specification asks everybody to carry.
const LONGEST_STATE: usize = 512;

/// A place in a trace: what is done for a message that carries it has that span as its parent.
///
/// Its text is that of `traceparent`: `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
    state: Option<Arc<str>>,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent: use 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, neither id all zeros")]
pub struct BadTraceparent;

impl TraceContext {
    /// A span of a trace; neither may be zero.
    pub fn new(trace: u128, span: u64, flags: u8) -> Result<Self, BadTraceparent> {
        if trace == 0 || span == 0 {
            return Err(BadTraceparent);
        }
        Ok(Self { trace, span, flags, state: None })
    }

    /// The trace it belongs to. Never zero.
    pub fn trace(&self) -> u128 {
        self.trace
    }

    /// The span that is the parent of what follows. Never zero.
    pub fn span(&self) -> u64 {
        self.span
    }

    /// The flags; bit 0 says that it is recorded.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// The `tracestate` beside it.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// With a `tracestate`; an empty or too long one is left out, as the specification has it.
    #[must_use]
    pub fn with_state(mut self, state: Option<&str>) -> Self {
        let fits = |state: &&str| !state.is_empty() && state.len() <= LONGEST_STATE;
        self.state = state.filter(fits).map(Arc::from);
        self
    }

    /// As two headers came, over NATS or HTTP. A header that is none starts no trace: it is passed over.
    pub fn from_headers(traceparent: Option<&str>, tracestate: Option<&str>) -> Option<Self> {
        Some(traceparent?.parse::<Self>().ok()?.with_state(tracestate))
    }

    pub(crate) fn received(headers: &Headers) -> Option<Self> {
        Self::from_headers(headers.get(TRACEPARENT), headers.get(TRACESTATE))
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.to_string());
        if let Some(state) = self.state() {
            headers.insert(TRACESTATE, state);
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

impl FromStr for TraceContext {
    type Err = BadTraceparent;

    fn from_str(text: &str) -> Result<Self, BadTraceparent> {
        let mut parts = text.trim().split('-');
        let version = hex(parts.next(), 2)?;
        let trace = hex(parts.next(), 32)?;
        let (span, flags) = (hex(parts.next(), 16)?, hex(parts.next(), 2)?);
        // Later versions may say more behind the flags; version 255 is forbidden.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return Err(BadTraceparent);
        }
        let span = u64::try_from(span).map_err(|_| BadTraceparent)?;
        Self::new(trace, span, u8::try_from(flags).map_err(|_| BadTraceparent)?)
    }
}

fn hex(text: Option<&str>, digits: usize) -> Result<u128, BadTraceparent> {
    let is_hex = |text: &&str| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    };
    let text = text.filter(is_hex).ok_or(BadTraceparent)?;
    u128::from_str_radix(text, 16).map_err(|_| BadTraceparent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_the_specification_allows_is_read() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read: TraceContext = good.parse().unwrap();
        assert_eq!((read.flags(), read.to_string()), (1, good.to_owned()));
        assert!(
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later".parse::<TraceContext>().is_ok()
        );
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(BadTraceparent), "{bad}");
        }
    }

    #[test]
    fn a_state_that_is_too_long_is_left_out() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let with = |state: &str| TraceContext::from_headers(Some(parent), Some(state)).unwrap();
        assert_eq!(with("vendor=1").state(), Some("vendor=1"));
        assert_eq!(with(&"a".repeat(LONGEST_STATE + 1)).state(), None);
        assert_eq!(TraceContext::from_headers(None, Some("vendor=1")), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(trace in 1u128.., span in 1u64.., flags: u8) {
            let context = TraceContext::new(trace, span, flags).unwrap();
            prop_assert_eq!(context.to_string().parse::<TraceContext>(), Ok(context));
        }

        #[test]
        fn nothing_that_comes_makes_it_fail(text in ".{0,80}") {
            drop(text.parse::<TraceContext>());
        }
    }
}
