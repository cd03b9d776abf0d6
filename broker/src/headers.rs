use async_nats::HeaderMap;
use schemas::{RequestId, UnixMillis};

pub(crate) const REQUEST_ID: &str = "Splinter-Request-Id";
pub(crate) const DEADLINE: &str = "Splinter-Deadline";
pub(crate) const ATTEMPT: &str = "Splinter-Attempt";
pub(crate) const PHASE: &str = "Splinter-Phase";
pub(crate) const CONTENT_TYPE: &str = "Content-Type";
/// The services framework's headers: what a plain NATS client looks at to tell an error.
pub(crate) const SERVICE_ERROR: &str = "Nats-Service-Error";
pub(crate) const SERVICE_ERROR_CODE: &str = "Nats-Service-Error-Code";

/// The headers of a received message; names are compared without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Headers(HeaderMap);

impl Headers {
    pub(crate) fn new(headers: Option<HeaderMap>) -> Self {
        Self(headers.unwrap_or_default())
    }

    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| AsRef::<str>::as_ref(key).eq_ignore_ascii_case(name));
        found.and_then(|(_, values)| values.first()).map(|value| value.as_str())
    }

    pub(crate) fn request_id(&self) -> Option<RequestId> {
        self.get(REQUEST_ID)?.parse().ok()
    }

    pub(crate) fn deadline(&self) -> Option<UnixMillis> {
        self.get(DEADLINE)?.parse().ok().map(UnixMillis)
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.get(ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    pub(crate) fn phase(&self) -> Option<Phase> {
        Phase::from_text(self.get(PHASE)?)
    }
}

/// What a reply means to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Taken; repeated while the work goes on, so that silence means that the server is gone.
    Accept,
    /// The answer.
    Result,
    /// A typed error.
    Nack,
}

impl Phase {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Result => "result",
            Self::Nack => "nack",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        [Self::Accept, Self::Result, Self::Nack].into_iter().find(|phase| phase.as_str() == text)
    }
}
