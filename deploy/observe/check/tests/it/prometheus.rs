//! A real Prometheus reads running services: the dashboard's queries return data, and faults make rules fire.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use observe::{folder, queries};
use schemas::PolicyName;
use serde_json::Value;
use tempfile::TempDir;
use testkit::wait_for;

use crate::site::{PATIENCE, POLICIES, Site};

/// What only executors and a campaign feed: those need networks.
const FED_ELSEWHERE: [&str; 3] =
    ["splinter_edge_executor_", "splinter_cloud_executor_", "splinter_optimizer_progress_ratio"];

pub struct Prometheus {
    process: Child,
    url: String,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Prometheus {
    /// `None` where there is none, which is said loudly.
    pub async fn start(targets: &[String]) -> anyhow::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        fs::copy(observe::folder().join("alerts.yml"), folder.path().join("alerts.yml"))?;
        let targets = serde_json::to_string(targets)?;
        let configuration = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nrule_files: [alerts.yml]\n\
             scrape_configs:\n  - job_name: splinter\n    static_configs: [{{ targets: {targets} }}]\n"
        );
        fs::write(folder.path().join("prometheus.yml"), configuration)?;
        // Free now; Prometheus takes no port 0.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let started = Command::new("prometheus")
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            eprintln!(
                "SKIPPED: there is no prometheus here (Debian: apt install prometheus): no query was tried"
            );
            return Ok(None);
        };
        let url = format!("http://{address}");
        let new = Self { process, url, client: reqwest::Client::new(), _folder: folder };
        wait_for(PATIENCE, || async {
            let asked = new.client.get(format!("{}/-/ready", new.url)).send().await;
            asked.and_then(reqwest::Response::error_for_status).map_err(|error| error.to_string())
        })
        .await?;
        Ok(Some(new))
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let asked = self.client.get(format!("{}{path}", self.url)).query(query).send().await;
        let answer: Value =
            asked.map_err(|error| error.to_string())?.json().await.map_err(|error| error.to_string())?;
        if answer["status"] != "success" {
            return Err(format!("{query:?}: {answer}"));
        }
        Ok(answer["data"].clone())
    }

    /// What a query returns now: `Err` when that is nothing, or not a number.
    pub async fn ask(&self, expression: &str) -> Result<Vec<Value>, String> {
        let data = self.get("/api/v1/query", &[("query", expression)]).await?;
        let found = data["result"].as_array().cloned().unwrap_or_default();
        let is_number = |one: &&Value| one["value"][1].as_str().is_some_and(|value| value != "NaN");
        let numbers: Vec<Value> = found.iter().filter(is_number).cloned().collect();
        if numbers.is_empty() { Err(format!("{expression} returns {found:?}")) } else { Ok(numbers) }
    }

    /// The expressions of the alerts, as Prometheus has read them.
    pub async fn alerts(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let data = self.get("/api/v1/rules", &[]).await.map_err(anyhow::Error::msg)?;
        let rules = data["groups"][0]["rules"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(rules.iter().map(|rule| (text(&rule["name"]), text(&rule["query"]))).collect())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Sends requests of every kind for as long as this runs.
async fn keep_asking(site: &Site) {
    loop {
        for policy in POLICIES {
            site.post(&format!("?latency_ms=15000&policy={}", policy.as_str()), None).await;
        }
        // Cannot be: refused by the scheduler.
        site.post("?latency_ms=2&limit=hard", None).await;
        site.post("?latency_ms=15000", None).await;
        site.ask_the_tuner().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_dashboard_returns_data_from_running_services() -> anyhow::Result<()> {
    let site = Site::start(None).await?;
    let Some(prometheus) = Prometheus::start(&site.targets()).await? else { return Ok(()) };
    let dashboard = fs::read_to_string(folder().join("grafana/dashboards/splinter.json"))?;
    let all = queries(&dashboard)?;
    let fed: Vec<_> = all
        .iter()
        .filter(|query| !FED_ELSEWHERE.iter().any(|other| query.expression.contains(other)))
        .collect();
    assert!(fed.len() > 35, "only {} of {} queries are tried", fed.len(), all.len());
    let answered = async {
        for query in &fed {
            let expression = query.expression.replace("$__rate_interval", "15s");
            let tried = wait_for(PATIENCE, || prometheus.ask(&expression)).await;
            tried.map_err(|error| error.context(format!("the panel {:?}", query.panel)))?;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        () = keep_asking(&site) => unreachable!("it asks for ever"),
        answered = answered => answered,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_gone_makes_its_rules_fire_and_nothing_fires_before() -> anyhow::Result<()> {
    let mut site = Site::start(None).await?;
    let Some(prometheus) = Prometheus::start(&site.targets()).await? else { return Ok(()) };
    let alerts = prometheus.alerts().await?;
    // Everything is scraped, and requests run.
    tokio::select! {
        () = keep_asking(&site) => unreachable!("it asks for ever"),
        seen = wait_for(PATIENCE, || prometheus.ask("sum(up) == 4 and sum(rate(splinter_gateway_plans_total[15s])) > 0")) => {
            seen?;
        }
    }
    for (name, expression) in &alerts {
        let fires = prometheus.ask(expression).await;
        assert!(fires.is_err(), "{name} fires while all is well: {fires:?}");
    }
    drop(site.scheduler.take());
    let (gone, down) = (&alerts["SplinterSchedulerGone"], &alerts["SplinterServiceDown"]);
    let fired = async {
        wait_for(PATIENCE, || prometheus.ask(down)).await?;
        wait_for(PATIENCE, || prometheus.ask(gone)).await
    };
    let asking = async {
        loop {
            site.post(&format!("?latency_ms=15000&policy={}", PolicyName::Adaptive.as_str()), None).await;
        }
    };
    tokio::select! {
        () = asking => unreachable!("it asks for ever"),
        fired = fired => drop(fired?),
    }
    Ok(())
}
