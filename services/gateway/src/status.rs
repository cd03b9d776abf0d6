//! Which HTTP status an error has. Pure.

use axum::http::StatusCode;
use schemas::{Fault, FaultKind};

/// The HTTP status of an error.
pub fn status(kind: FaultKind) -> StatusCode {
    match kind {
        FaultKind::BadRequest => StatusCode::BAD_REQUEST,
        FaultKind::UnknownModel => StatusCode::NOT_FOUND,
        FaultKind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        FaultKind::Draining | FaultKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FaultKind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        FaultKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // The request is well-formed and cannot be served as it is: ask for what the error says is feasible.
        FaultKind::Infeasible => StatusCode::UNPROCESSABLE_ENTITY,
        // Kinds that come later are ours to map; until then they are our defect, not the client's.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Whole seconds for the header `Retry-After`, rounded up.
pub fn retry_after_seconds(fault: &Fault) -> Option<u64> {
    fault.retry_after_ms.map(|after| (after.get() / 1e3).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use schemas::{Fault, FaultKind, Millis};

    use super::{retry_after_seconds, status};

    #[test]
    fn every_kind_has_its_status() {
        let cases = [
            (FaultKind::BadRequest, 400),
            (FaultKind::UnknownModel, 404),
            (FaultKind::Overloaded, 429),
            (FaultKind::Draining, 503),
            (FaultKind::DeadlineExceeded, 504),
            (FaultKind::Unavailable, 503),
            (FaultKind::Unsupported, 501),
            (FaultKind::Infeasible, 422),
            (FaultKind::Internal, 500),
        ];
        for (kind, expected) in cases {
            assert_eq!(status(kind).as_u16(), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_retry_time_is_rounded_up() {
        let fault = Fault {
            retry_after_ms: Some(Millis::saturating(1_200.0)),
            ..Fault::new(FaultKind::Overloaded, "full")
        };
        assert_eq!(retry_after_seconds(&fault), Some(2));
        assert_eq!(retry_after_seconds(&Fault::new(FaultKind::Overloaded, "full")), None);
    }
}
