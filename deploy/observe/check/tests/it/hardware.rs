//! Rules about a machine's hardware, under a tuner whose hardware breaks and is mended.

use std::fs;

use schemas::ServiceKind;
use testkit::{TestServer, wait_for};

use crate::prometheus::Prometheus;
use crate::site::{PATIENCE, Watched, start, watch};
use crate::trees::{JETSON, Tree};

const CHARGE: &str = "class/power_supply/BAT0/capacity";
const METER: &str = "class/hwmon/hwmon3";

/// A machine with a meter and a battery, and its tuner.
struct Machine {
    tree: Tree,
    tuner: Watched<tuner::Running>,
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
        Ok(Self { tree, tuner, _server: server })
    }

    /// Takes a folder of sysfs away, or brings it back.
    fn take_away(&self, folder: &str) {
        fs::rename(self.tree.root().join(folder), self.tree.root().join("away")).unwrap();
    }

    fn bring_back(&self, folder: &str) {
        fs::rename(self.tree.root().join("away"), self.tree.root().join(folder)).unwrap();
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
    let of_hardware = ["SplinterBatteryLow", "SplinterMeterLost"];
    for alert in of_hardware {
        is_silent(alert).await?;
    }

    machine.tree.replace(CHARGE, "12\n");
    fires("SplinterBatteryLow").await?;
    machine.tree.replace(CHARGE, "60\n");

    machine.take_away(METER);
    fires("SplinterMeterLost").await?;
    machine.bring_back(METER);

    for alert in of_hardware {
        is_silent(alert).await?;
    }
    Ok(())
}
