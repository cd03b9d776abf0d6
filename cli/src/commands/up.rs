//! `splinter up`: services in this process until a signal.

use anyhow::Result;

use crate::arguments::UpArguments;
use crate::output::say;
use crate::site::{Site, SiteSettings};

/// Starts the services, says where they are, and leaves in order at a signal.
pub async fn run(arguments: UpArguments) -> Result<()> {
    let settings = SiteSettings::up(&arguments)?;
    chassis::telemetry(&settings.telemetry()?)?;
    let site = Site::start(settings).await?;
    say(&site.summary());
    let signal = chassis::shutdown_signal().await?;
    say(&format!("{signal}: leaving ..."));
    site.leave().await;
    Ok(())
}
