//! Reads a request's body within its limits of size, time and number.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use schemas::{Fault, FaultKind, Millis};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Site;

/// A body, and the place it takes until the request is answered.
pub(super) struct HeldBody {
    pub(super) bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

/// A refusal, with the status that says more than its kind.
pub(super) struct BodyRefusal {
    pub(super) status: StatusCode,
    pub(super) fault: Fault,
}

/// Reads the body; refuses when all places are taken, when it is too large, and when it comes too slowly.
pub(super) async fn read(site: &Site, request: Request) -> Result<HeldBody, BodyRefusal> {
    let Ok(place) = site.places.clone().try_acquire_owned() else {
        let fault = Fault {
            retry_after_ms: Some(Millis::saturating(1_000.0)),
            ..Fault::new(FaultKind::Overloaded, "this gateway works on as many HTTP requests as it takes")
        };
        return Err(BodyRefusal { status: StatusCode::TOO_MANY_REQUESTS, fault });
    };
    let refused =
        |status, message: String| BodyRefusal { status, fault: Fault::new(FaultKind::BadRequest, message) };
    match timeout(site.body_timeout, Bytes::from_request(request, site)).await {
        Ok(Ok(bytes)) => Ok(HeldBody { bytes, _place: place }),
        Ok(Err(rejection)) => Err(refused(rejection.status(), rejection.body_text().to_lowercase())),
        Err(_elapsed) => {
            let limit = site.body_timeout.as_millis();
            Err(refused(StatusCode::REQUEST_TIMEOUT, format!("the body did not arrive within {limit} ms")))
        }
    }
}
