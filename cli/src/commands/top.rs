//! `splinter top`: the shell around crate `top`, which makes frames of what is heard here.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::ensure;
use broker::{Fronts, Presences, Subscription, subjects};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use schemas::{ServiceKind, UnixMillis};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use top::Live;

use crate::arguments::TopArguments;
use crate::connection;

/// Often enough to look alive, seldom enough to cost nothing.
const FRAME: Duration = Duration::from_millis(250);
/// How long a key is waited for before it is looked whether the command has ended.
const KEY: Duration = Duration::from_millis(200);

/// Watches until `q` or Ctrl-C.
pub async fn run(arguments: TopArguments) -> anyhow::Result<()> {
    ensure!(std::io::stdout().is_terminal(), "splinter top draws on a terminal, and this is none");
    let bus = connection::connect(&arguments.broker, "splinter-top").await?;
    let mut heard = Heard {
        receipts: bus.subscribe(subjects::receipt_any()).await?,
        reports: bus.subscribe(subjects::metrics_of(ServiceKind::Scheduler)).await?,
        presences: bus.watch_presences().await?,
        fronts: bus.watch_fronts().await?,
    };
    // One key at a time, and the thread that waits for keys ends with the channel.
    let (pressed, mut keys) = mpsc::channel(1);
    let reading = tokio::task::spawn_blocking(move || wait_for_leaving(&pressed));
    let mut terminal = ratatui::init();
    let ended = watch(&mut terminal, &mut heard, &mut keys).await;
    ratatui::restore();
    drop(keys);
    reading.await?;
    ended
}

/// What is listened to.
struct Heard {
    receipts: Subscription,
    reports: Subscription,
    presences: Presences,
    fronts: Fronts,
}

async fn watch(
    terminal: &mut DefaultTerminal,
    heard: &mut Heard,
    keys: &mut mpsc::Receiver<()>,
) -> anyhow::Result<()> {
    let mut live = Live::default();
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // Also when the terminal is gone and no key can come any more.
            _ = keys.recv() => return Ok(()),
            message = heard.receipts.next() => {
                let Some(message) = message else { anyhow::bail!("the connection to the broker was closed") };
                if let Ok(receipt) = schemas::decode(&message.body) {
                    live.hear(&receipt, UnixMillis::now());
                }
            }
            message = heard.reports.next() => {
                let Some(message) = message else { anyhow::bail!("the connection to the broker was closed") };
                if let Ok(report) = schemas::decode(&message.body) {
                    live.report(report);
                }
            }
            _ = frames.tick() => {
                let now = UnixMillis::now();
                live.see(heard.presences.snapshot().to_vec());
                live.know(heard.fronts.all());
                live.forget(now);
                terminal.draw(|frame| top::draw(frame, &live, now))?;
            }
        }
    }
}

/// Waits for `q` or Ctrl-C (which is a key while the terminal is raw), or for nobody to listen any more.
fn wait_for_leaving(pressed: &mpsc::Sender<()>) {
    while !pressed.is_closed() {
        let is_leaving = match event::poll(KEY).and_then(|is_there| is_there.then(event::read).transpose()) {
            Ok(Some(Event::Key(key))) if key.kind == KeyEventKind::Press => {
                let control_c =
                    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
            }
            Ok(_) => false,
            Err(_gone) => true,
        };
        if is_leaving {
            return;
        }
    }
}
