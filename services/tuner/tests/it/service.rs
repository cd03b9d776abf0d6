//! The live tuner over a real broker.

use std::time::Duration;

use broker::{Bus, Call, CallError, subjects};
use chassis::{RunningService, ServiceContext};
use schemas::{
    EnergySource, Fault, FaultKind, InstanceId, KiloHertz, KnobSupport, Millis, Presence, ServiceKind,
    Setting, TuneOrder, TuneReply, TuneRequest, UnixMillis,
};
use testkit::{TestServer, wait_for};
use tuner::{Settings, TunerError};

use crate::trees::{INTEL, PI, Tree, VIRTUAL, node};

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Site {
    bus: Bus,
    tuner: tuner::Running,
    _server: TestServer,
}

fn context(bus: Bus) -> ServiceContext {
    let instance = InstanceId::new("t1").unwrap();
    ServiceContext::new(ServiceKind::Tuner, bus, node(), instance, Duration::from_secs(1))
}

impl Site {
    async fn start(settings: Settings) -> anyhow::Result<Self> {
        let server = TestServer::start().await?;
        let bus = server.connect("tuner").await?;
        let tuner = tuner::start(settings, context(bus)).await?;
        Ok(Self { bus: server.connect("test").await?, tuner, _server: server })
    }

    async fn ask(&self, body: Vec<u8>) -> Result<TuneReply, Fault> {
        match self.bus.call(Call::new(vec![subjects::tune(&node())], PATIENCE, body)).await {
            Ok(answer) => Ok(schemas::decode(&answer.body).unwrap()),
            Err(CallError::Fault(fault)) => Err(fault),
            Err(other) => panic!("no answer: {other}"),
        }
    }

    async fn tune(&self, request: TuneRequest) -> Result<TuneReply, Fault> {
        self.ask(schemas::encode(&request).unwrap()).await
    }
}

fn set(megahertz: u64) -> TuneRequest {
    TuneRequest::SetFrequency(KiloHertz::from_megahertz(megahertz))
}

fn clock(reply: &TuneReply) -> Option<u64> {
    reply.hardware.frequency_khz.map(|clock| clock.0 / 1000)
}

fn tuner_clock(known: &[Presence]) -> Option<KiloHertz> {
    let tuner = known.iter().find(|known| known.service == ServiceKind::Tuner)?;
    tuner.hardware.as_ref()?.frequency_khz
}

#[tokio::test]
async fn an_emulated_clock_is_set_read_back_and_announced() -> anyhow::Result<()> {
    let settings = Settings { emulate: Some("raspberry-pi-4".to_owned()), ..Settings::default() };
    let site = Site::start(settings).await?;
    let report = site.tune(TuneRequest::Report).await?;
    assert_eq!((clock(&report), report.changed), (Some(1800), false));

    let presences = site.bus.watch_presences().await?;
    let slower = site.tune(set(600)).await?;
    assert_eq!((clock(&slower), slower.changed, slower.hardware.slowdown), (Some(600), true, Some(30.0)));
    assert!(!site.tune(set(600)).await?.changed);
    let announced = |known: &[Presence]| tuner_clock(known) == Some(KiloHertz::from_megahertz(600));
    presences.wait_until(UnixMillis::now().after(PATIENCE), announced).await?;

    let refused = site.tune(set(650)).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::BadRequest);
    assert!(refused.message.contains("800 MHz"), "{refused}");

    site.tuner.leave(Duration::from_secs(1)).await;
    presences.wait_until(UnixMillis::now().after(PATIENCE), |known| tuner_clock(known).is_none()).await?;
    Ok(())
}

#[tokio::test]
async fn settings_at_the_same_time_are_made_one_after_another() -> anyhow::Result<()> {
    let tree = Tree::of(PI);
    let site = Site::start(tree.settings()).await?;
    let clocks = [600, 800, 1000, 1200, 1400, 1600, 1800];
    let replies = clocks.map(|clock| site.tune(set(clock)));
    let [a, b, c, d, e, f, g] = replies;
    let replies = tokio::join!(a, b, c, d, e, f, g);
    let replies = [replies.0, replies.1, replies.2, replies.3, replies.4, replies.5, replies.6];
    for (reply, asked) in replies.into_iter().zip(clocks) {
        let reply = reply?;
        assert_eq!(
            (clock(&reply), reply.changed),
            (Some(asked), true),
            "it was read back between two settings"
        );
    }
    let last = clock(&site.tune(TuneRequest::Report).await?);
    assert_eq!(last.map(|megahertz| (megahertz * 1000).to_string()), Some(tree.policy0("scaling_setspeed")));
    Ok(())
}

#[tokio::test]
async fn a_virtual_machine_says_plainly_what_it_lacks_and_lives_on() -> anyhow::Result<()> {
    let site = Site::start(Tree::of(VIRTUAL).settings()).await?;
    let refused = site.tune(set(600)).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Unsupported);
    assert!(refused.message.contains("virtual machine"), "{refused}");
    for garbage in [Vec::new(), vec![0xc1], b"report please".to_vec()] {
        assert_eq!(site.ask(garbage).await.unwrap_err().kind, FaultKind::BadRequest);
    }
    let report = site.tune(TuneRequest::Report).await?;
    assert!(matches!(report.hardware.knobs[0].support, KnobSupport::Unsupported(_)));
    Ok(())
}

#[tokio::test]
async fn the_power_is_sampled_and_announced() -> anyhow::Result<()> {
    let tree = Tree::of(INTEL);
    let site = Site::start(tree.settings()).await?;
    let presences = site.bus.watch_presences().await?;
    let mut microjoules = 5_000_000;
    let power = wait_for(PATIENCE, || {
        microjoules += 100_000;
        tree.replace("class/powercap/intel-rapl:0/energy_uj", &microjoules.to_string());
        let known = presences.snapshot();
        async move {
            let tuner = known.iter().find(|known| known.service == ServiceKind::Tuner);
            tuner.and_then(|tuner| tuner.hardware.as_ref()?.power).ok_or_else(|| "no power yet".to_owned())
        }
    })
    .await?;
    assert_eq!(power.source, EnergySource::Attributed);
    assert!(power.active_w.get() > 0.0);
    Ok(())
}

/// As a process: exit code 64 and the setting's name, before any broker is needed.
#[test]
fn bad_settings_end_the_process_with_64() {
    for (variable, value, named) in [
        ("SPLINTER_TUNER__EMULATE", "cray-1", "raspberry-pi-4"),
        ("SPLINTER_TUNER__SLOWDOWN", "0.5", "tuner.slowdown"),
        ("SPLINTER_TUNER__SPEED", "1", "speed"),
    ] {
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_splinter-tuner"))
            .env(variable, value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(64), "{said}");
        assert!(said.contains(named), "{said}");
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_end_the_start() {
    let server = TestServer::start().await.unwrap();
    let bus = server.connect("tuner").await.unwrap();
    let settings = Settings { emulate: Some("cray-1".to_owned()), ..Settings::default() };
    let error = tuner::start(settings, context(bus)).await.unwrap_err();
    assert!(matches!(error, TunerError::Settings { .. }), "{error}");
}

fn order(holder: &str, milliseconds: f64, megahertz: u64) -> TuneRequest {
    TuneRequest::Apply(TuneOrder {
        holder: InstanceId::new(holder).unwrap(),
        lease_ms: Millis::new(milliseconds).unwrap(),
        settings: vec![Setting::CpuFrequency(KiloHertz::from_megahertz(megahertz))],
        dry_run: false,
    })
}

async fn governor_is_back(tree: &Tree) -> anyhow::Result<()> {
    let back = || {
        let governor = tree.policy0("scaling_governor");
        async move { if governor == "ondemand" { Ok(()) } else { Err(governor) } }
    };
    wait_for(PATIENCE, back).await
}

/// The holder crashes: it renews nothing, releases nothing, and the original state returns.
#[tokio::test]
async fn when_the_holder_is_gone_the_original_state_returns() -> anyhow::Result<()> {
    let tree = Tree::of(PI);
    let site = Site::start(tree.settings()).await?;
    let set = site.tune(order("edge", 60_000.0, 800)).await?;
    assert_eq!((set.hardware.leases.len(), set.writes.len()), (1, 2));
    let refused = site.tune(order("other", 500.0, 600)).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Overloaded);
    // Its last renewal was a short one.
    site.tune(order("edge", 300.0, 800)).await?;
    governor_is_back(&tree).await?;
    site.tune(order("other", 60_000.0, 600)).await?;
    let released = site.tune(TuneRequest::Release(InstanceId::new("other")?)).await?;
    assert_eq!((released.hardware.leases.len(), tree.policy0("scaling_governor").as_str()), (0, "ondemand"));
    Ok(())
}

#[tokio::test]
async fn a_tuner_that_leaves_brings_everything_back() -> anyhow::Result<()> {
    let tree = Tree::of(PI);
    let site = Site::start(tree.settings()).await?;
    site.tune(order("edge", 60_000.0, 800)).await?;
    site.tuner.leave(Duration::from_secs(1)).await;
    assert_eq!(tree.policy0("scaling_governor"), "ondemand");
    Ok(())
}

/// The tuner's process is killed (`SIGKILL`) while somebody holds a clock; the next process brings the state back.
#[tokio::test]
async fn a_killed_tuners_settings_are_brought_back_by_the_next() -> anyhow::Result<()> {
    let tree = Tree::of(PI);
    let server = TestServer::start().await?;
    let bus = server.connect("test").await?;
    let process = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_splinter-tuner"))
            .env("SPLINTER_BROKER__URL", server.url())
            .env("SPLINTER_NODE__NODE", node().as_str())
            .env("SPLINTER_TUNER__SYSFS_ROOT", tree.root())
            .env("SPLINTER_TUNER__STATE_DIR", tree.root().join("state"))
            .spawn()
    };
    let mut tuner = Killed(process()?);
    let body = schemas::encode(&order("edge", 60_000.0, 800))?;
    let call = Call::new(vec![subjects::tune(&node())], PATIENCE, body);
    bus.call_until_deadline(call).await?;
    assert_eq!(tree.policy0("scaling_setspeed"), "800000");
    tuner.0.kill()?;
    tuner.0.wait()?;
    assert_eq!(tree.policy0("scaling_governor"), "userspace", "nobody was there to bring it back");
    let _next = Killed(process()?);
    governor_is_back(&tree).await
}

/// A process that does not outlive its test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
