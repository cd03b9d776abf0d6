//! Rules about a machine's hardware, under a tuner whose hardware breaks and is mended.

use std::fs;

use broker::{Bus, subjects};
use schemas::{KiloHertz, ServiceKind, Setting, TuneReply, TuneRequest};
use testkit::{TestServer, wait_for};

use crate::prometheus::Prometheus;
use crate::site::{PATIENCE, Watched, start, watch};
use crate::trees::{JETSON, Tree, holder, order};

const CHARGE: &str = "class/power_supply/BAT0/capacity";
const METER: &str = "class/hwmon/hwmon3";
const GOVERNOR: &str = "devices/system/cpu/cpufreq/policy0/scaling_governor";
const SLOWEST: KiloHertz = KiloHertz(729_600);

/// A machine with clocks, a meter and a battery, and its tuner.
struct Machine {
    tree: Tree,
    tuner: Watched<tuner::Running>,
    bus: Bus,
    _server: TestServer,
}

impl Machine {
    async fn start() -> anyhow::Result<Self> {
        let tree = Tree::of(JETSON);
        for (file, text) in [("type", "Battery\n"), ("status", "Discharging\n")] {
            tree.write(&format!("class/power_supply/BAT0/{file}"), text);
        }
        tree.write(CHARGE, "90\n");
        let server = TestServer::start().await?;
        let settings = tree.settings();
        let tuner =
            start(watch(&server, ServiceKind::Tuner, None).await?, |context| tuner::start(settings, context))
                .await?;
        Ok(Self { tree, tuner, bus: server.connect("test").await?, _server: server })
    }

    async fn hold_a_clock(&self) -> anyhow::Result<()> {
        let reply = self.ask(TuneRequest::Apply(order("me", &[Setting::CpuFrequency(SLOWEST)]))).await?;
        anyhow::ensure!(reply.changed, "{reply:?}");
        Ok(())
    }

    async fn let_go(&self) -> anyhow::Result<TuneReply> {
        self.ask(TuneRequest::Release(holder("me"))).await
    }

    async fn ask(&self, asked: TuneRequest) -> anyhow::Result<TuneReply> {
        let answer = self.bus.ask(subjects::tune(&self.tuner.context.node), PATIENCE, &asked).await?;
        Ok(schemas::decode(&answer.body)?)
    }

    /// Takes a file or folder of sysfs away, or brings it back.
    fn take_away(&self, path: &str) {
        fs::rename(self.tree.root().join(path), self.tree.root().join("away")).unwrap();
    }

    fn bring_back(&self, path: &str) {
        fs::rename(self.tree.root().join("away"), self.tree.root().join(path)).unwrap();
    }

    /// Puts in a file's place what is there and takes no text, from the superuser either. (A file that is gone needs nothing
    /// set back: its core is offline.)
    fn jam(&self, file: &str) {
        self.take_away(file);
        fs::create_dir(self.tree.root().join(file)).unwrap();
    }

    fn mend(&self, file: &str) {
        fs::remove_dir(self.tree.root().join(file)).unwrap();
        self.bring_back(file);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hardware_that_breaks_makes_its_rule_fire_until_it_is_mended() -> anyhow::Result<()> {
    let machine = Machine::start().await?;
    let target = machine.tuner.instruments.address().unwrap().to_string();
    let Some(prometheus) = Prometheus::start(&[target]).await? else { return Ok(()) };
    let alerts = prometheus.alerts().await?;
    let fires = async |alert: &str| wait_for(PATIENCE, || prometheus.ask(&alerts[alert])).await;
    let is_silent = async |alert: &str| {
        wait_for(PATIENCE, || async {
            // What returns nothing is an error to those who want numbers.
            match prometheus.ask(&alerts[alert]).await {
                Ok(fires) => Err(format!("{alert} fires: {fires:?}")),
                Err(_) => Ok(()),
            }
        })
        .await
    };
    wait_for(PATIENCE, || prometheus.ask("splinter_tuner_meter_readable == 1")).await?;
    let of_hardware = ["SplinterBatteryLow", "SplinterMeterLost", "SplinterLeaseOverdue"];
    for alert in of_hardware {
        is_silent(alert).await?;
    }

    machine.tree.replace(CHARGE, "12\n");
    fires("SplinterBatteryLow").await?;
    machine.tree.replace(CHARGE, "60\n");

    machine.take_away(METER);
    fires("SplinterMeterLost").await?;
    machine.bring_back(METER);

    machine.hold_a_clock().await?;
    machine.jam(GOVERNOR);
    machine.let_go().await?;
    fires("SplinterLeaseOverdue").await?;
    machine.mend(GOVERNOR);

    for alert in of_hardware {
        is_silent(alert).await?;
    }
    assert_eq!(machine.tree.text(GOVERNOR), "schedutil", "the tuner went on trying");
    Ok(())
}
