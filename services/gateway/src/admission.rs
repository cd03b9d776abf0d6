//! Which requests are taken, and under what terms. Pure.

use std::time::Duration;

use schemas::{
    Cut, Fault, FaultKind, Input, LimitKind, Millis, ModelName, PolicyName, Presence, Qos, ServedModel,
    ServiceKind, Share, Tensor, UnixMillis,
};

use crate::picture;

/// The shortest time to a deadline that a client did not set.
const LEAST_DEFAULT_BUDGET: Duration = Duration::from_secs(5);
/// The longest time to a deadline: whoever waits longer is better served by asking again.
const GREATEST_BUDGET: Duration = Duration::from_secs(60);
/// A default deadline lies this many latency limits ahead: a late answer is worth more than none.
const LIMITS_TO_DEADLINE: f64 = 4.0;
/// A scheduler on a busy machine is not taken for gone before, and a silent one is waited for no longer.
const LEAST_PLAN_PATIENCE: Duration = Duration::from_millis(50);
const GREATEST_PLAN_PATIENCE: Duration = Duration::from_millis(500);
/// An error names at most this many models.
const NAMED_MODELS: usize = 20;

/// What is taken at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The latency limit of a request that names none.
    pub default_latency: Millis,
    /// The greatest latency limit that may be asked for.
    pub greatest_latency: Millis,
    /// The greatest picture, in pixels.
    pub greatest_pixels: u64,
}

/// What a client asks for besides its input; what it leaves open is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Asked {
    /// Latency limit and floors.
    pub qos: Wishes,
    /// The policy to decide with.
    pub policy: Option<PolicyName>,
    /// When the answer must be there at the latest.
    pub deadline: Option<UnixMillis>,
}

/// What a client says of latency, accuracy, privacy and energy; what it leaves open is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wishes {
    /// The latency limit.
    pub latency_ms: Option<Millis>,
    /// What becomes of it when nothing is likely to keep the limit.
    pub limit: Option<LimitKind>,
    /// How much less energy counts than a shorter time.
    pub energy_weight: Option<Share>,
    /// Least accuracy of the configuration.
    pub accuracy_floor: Option<Share>,
    /// The least cut.
    pub least_cut: Option<Cut>,
}

impl From<Qos> for Wishes {
    fn from(qos: Qos) -> Self {
        Self {
            latency_ms: Some(qos.latency_ms),
            limit: Some(qos.limit),
            energy_weight: qos.energy_weight,
            accuracy_floor: qos.accuracy_floor,
            least_cut: qos.least_cut,
        }
    }
}

impl Wishes {
    fn qos(&self, default_latency: Millis) -> Qos {
        Qos {
            latency_ms: self.latency_ms.unwrap_or(default_latency),
            limit: self.limit.unwrap_or_default(),
            energy_weight: self.energy_weight,
            accuracy_floor: self.accuracy_floor,
            least_cut: self.least_cut,
        }
    }
}

/// Under what terms a request is served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Latency limit and floors.
    pub qos: Qos,
    /// The policy to decide with; `None` = the scheduler's own.
    pub policy: Option<PolicyName>,
    /// When the answer must be there at the latest.
    pub deadline: UnixMillis,
}

/// Fixes the terms of a request that arrived at `arrived`.
///
/// Refuses a latency limit that is zero or beyond the greatest, and a deadline that has passed. A default
/// deadline is 4 limits ahead, at least 5 s; no deadline is more than 60 s ahead.
pub fn terms(asked: &Asked, limits: &Limits, arrived: UnixMillis) -> Result<Terms, Fault> {
    let qos = asked.qos.qos(limits.default_latency);
    if qos.latency_ms == Millis::ZERO || qos.latency_ms > limits.greatest_latency {
        let (asked, greatest) = (qos.latency_ms, limits.greatest_latency);
        return Err(refused(format!(
            "a latency limit of {asked} is out of range: use more than 0 ms and at most {greatest}"
        )));
    }
    let greatest = arrived.after(GREATEST_BUDGET);
    let deadline = match asked.deadline {
        Some(deadline) if deadline <= arrived => return Err(passed(deadline, arrived)),
        Some(deadline) => deadline,
        None => {
            let budget = (qos.latency_ms * LIMITS_TO_DEADLINE).to_duration();
            arrived.after(budget.max(LEAST_DEFAULT_BUDGET))
        }
    };
    Ok(Terms { qos, policy: asked.policy, deadline: deadline.min(greatest) })
}

/// How long a scheduler may take before the gateway decides itself: a plan takes less than a millisecond, and half of
/// the latency limit still leaves the other half for the work.
pub fn plan_patience(terms: &Terms) -> Duration {
    (terms.qos.latency_ms * 0.5).to_duration().clamp(LEAST_PLAN_PATIENCE, GREATEST_PLAN_PATIENCE)
}

/// The refusal of a request whose deadline had passed when it arrived.
pub(crate) fn passed(deadline: UnixMillis, arrived: UnixMillis) -> Fault {
    let late = arrived.0.saturating_sub(deadline.0);
    Fault::new(
        FaultKind::DeadlineExceeded,
        format!(
            "the deadline {} (unix ms) passed {late} ms before the request arrived: \
             send one in the future, or none, and check the clocks",
            deadline.0
        ),
    )
}

/// Checks an input before it is passed on: a picture by its header, pixels by their number, a tensor
/// against what the network takes.
pub fn check_input(input: &Input<'_>, served: &ServedModel, limits: &Limits) -> Result<(), Fault> {
    match input {
        Input::Encoded { bytes } => picture::check(bytes, limits.greatest_pixels).map(|_header| ()),
        Input::Pixels { height, width, rgb } => {
            check_pixels(u64::from(*height), u64::from(*width), rgb.len(), limits.greatest_pixels)
        }
        Input::Tensor(tensor) => check_tensor(tensor, served),
    }
}

fn check_pixels(height: u64, width: u64, bytes: usize, greatest: u64) -> Result<(), Fault> {
    // Two factors below 2^32 do not overflow.
    let pixels = height * width;
    if pixels == 0 {
        return Err(refused(format!("the picture has no pixels: {width} × {height}")));
    }
    if pixels > greatest {
        return Err(picture::too_many_pixels(width, height, greatest));
    }
    let expected = pixels * 3;
    if bytes as u64 != expected {
        return Err(refused(format!("{width} × {height} RGB pixels are {expected} bytes, {bytes} arrived")));
    }
    Ok(())
}

fn check_tensor(tensor: &Tensor<'_>, served: &ServedModel) -> Result<(), Fault> {
    let input = &served.input;
    if tensor.data_type() == input.data_type && tensor.shape() == input.shape {
        return Ok(());
    }
    let (found_type, found_shape) = (tensor.data_type(), tensor.shape());
    Err(refused(format!(
        "the input tensor is {found_type:?} {found_shape:?}, {} takes {:?} {:?} as {:?}",
        served.name, input.data_type, input.shape, input.name
    )))
}

/// Finds a network among what the instances say they serve.
///
/// One that only a cloud executor serves is unavailable, not unknown: its edge executor may be restarting.
pub fn find_model(presences: &[Presence], model: &ModelName) -> Result<ServedModel, Fault> {
    let served_by = |kind: ServiceKind| {
        let of_kind = presences.iter().filter(move |presence| presence.service == kind);
        of_kind.flat_map(|presence| &presence.models)
    };
    if let Some(served) = served_by(ServiceKind::EdgeExecutor).find(|served| &served.name == model) {
        return Ok(served.clone());
    }
    if served_by(ServiceKind::CloudExecutor).any(|served| &served.name == model) {
        return Err(unavailable(format!("no edge executor that serves {model} is present now")));
    }
    let mut known: Vec<&str> =
        served_by(ServiceKind::EdgeExecutor).map(|served| served.name.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() {
        return Err(unavailable(format!("no edge executor is present now, so nothing serves {model}")));
    }
    let more = if known.len() > NAMED_MODELS { ", …" } else { "" };
    known.truncate(NAMED_MODELS);
    let known = known.join(", ");
    Err(Fault::new(FaultKind::UnknownModel, format!("no model {model} is served here: use {known}{more}")))
}

fn unavailable(message: String) -> Fault {
    // Presence is renewed each second, so an executor that starts now is seen after about two.
    Fault { retry_after_ms: Some(Millis::saturating(2_000.0)), ..Fault::new(FaultKind::Unavailable, message) }
}

fn refused(message: String) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}

#[cfg(test)]
mod tests;
