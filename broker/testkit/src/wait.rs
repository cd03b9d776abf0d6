use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// Asks until the answer is `Ok`; the last `Err` says what it waited for when the time is up.
pub async fn wait_for<T, F>(at_most: Duration, mut ask: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = Result<T, String>>,
{
    let deadline = Instant::now() + at_most;
    loop {
        match ask().await {
            Ok(found) => return Ok(found),
            Err(status) if Instant::now() >= deadline => bail!("waited {at_most:?} in vain: {status}"),
            Err(_) => sleep(LOOK).await,
        }
    }
}
