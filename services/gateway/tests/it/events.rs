//! Server-sent events from outside: what they say, how many may listen, and that they end.

use std::time::Duration;

use anyhow::{Context, bail};
use chassis::RunningService;
use gateway::Settings;
use serde_json::Value;
use testkit::wait_for;
use tokio::time::timeout;

use crate::site::{PATIENCE, Site, jpeg};
use crate::traffic;

/// One stream of events.
struct Events {
    response: reqwest::Response,
    buffer: String,
}

impl Events {
    async fn open(site: &Site) -> anyhow::Result<Self> {
        let response = site.client.get(format!("{}/v1/events", site.url)).send().await?;
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Ok(Self { response, buffer: String::new() })
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> anyhow::Result<Option<(String, Value)>> {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (name, data) = event.split_once('\n').context("an event of one line")?;
                let name = name.strip_prefix("event: ").context("no name")?.to_owned();
                let data = serde_json::from_str(data.strip_prefix("data: ").context("no data")?)?;
                self.buffer = rest.to_owned();
                return Ok(Some((name, data)));
            }
            match timeout(PATIENCE, self.response.chunk()).await?? {
                Some(chunk) => self.buffer.push_str(std::str::from_utf8(&chunk)?),
                None => return Ok(None),
            }
        }
    }

    /// Reads on to the next event of that name for which `wanted` is true.
    async fn until(&mut self, wanted: &str, is_it: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let reading = async {
            while let Some((name, data)) = self.next().await? {
                if name == wanted && is_it(&data) {
                    return Ok(data);
                }
            }
            bail!("the stream ended without {wanted}")
        };
        timeout(PATIENCE, reading).await.with_context(|| format!("no {wanted} in time"))?
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_with_everything_known_and_follows() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let front = traffic::front();
    site.bus.publish_front(&front).await?;
    let mut early = Events::open(&site).await?;
    let names =
        [early.next().await?.unwrap().0, early.next().await?.unwrap().0, early.next().await?.unwrap().0];
    assert_eq!(names, ["fronts", "state", "requests"]);

    assert_eq!(site.post("tiny", "?latency_ms=15000", jpeg()).await.status().as_u16(), 200);
    let told = early.until("requests", |data| !data["requests"].as_array().unwrap().is_empty()).await?;
    let request = &told["requests"][0];
    assert_eq!(
        (&request["number"], &request["outcome"], &request["cut"]),
        (&1.into(), &"within".into(), &2.into())
    );
    assert_eq!((&request["joules"], &request["limit_ms"]), (&1.75.into(), &15_000.0.into()));
    let state = early.until("state", |state| state["total"]["within"] == 1).await?;
    assert_eq!(
        state["minute"]["joules"][0],
        serde_json::json!({ "place": "edge", "source": "emulated", "joules": 0.25 })
    );
    assert!(
        state["instances"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["service"] == "edge-executor" && one["credits"] == 4)
    );

    let mut all = (0..).map(|number| traffic::receipt(&front, number));
    let receipt = all.find(|receipt| receipt.executed.is_some()).context("some request has a result")?;
    traffic::publish(&site.bus, &receipt).await;
    let id = receipt.id.to_string();
    let of_it =
        |data: &Value| data["requests"].as_array().unwrap().iter().any(|request| request["id"] == *id);
    early.until("requests", of_it).await?;

    // Who comes later is told at once what it missed.
    let mut late = Events::open(&site).await?;
    let (_, fronts) = late.next().await?.unwrap();
    assert_eq!((&fronts[0]["model"], &fronts[0]["marks"][0]["kind"]), (&"tiny".into(), &"point".into()));
    assert_eq!(fronts[0]["marks"].as_array().unwrap().len(), 10);
    let (_, state) = late.next().await?.unwrap();
    assert_eq!(state["total"]["within"].as_u64().unwrap() + state["total"]["late"].as_u64().unwrap(), 2);
    let (_, requests) = late.next().await?.unwrap();
    let numbers: Vec<u64> = requests["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2]);
    let mark =
        requests["requests"][1]["mark"].as_u64().context("its configuration is one of the front's")? as usize;
    assert_eq!(fronts[0]["marks"][mark]["configuration"], requests["requests"][1]["configuration"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_front_is_told_once() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let mut events = Events::open(&site).await?;
    events.until("fronts", |fronts| fronts.as_array().unwrap().is_empty()).await?;
    let front = traffic::front();
    site.bus.publish_front(&front).await?;
    let id = front.id.to_string();
    events.until("fronts", |fronts| fronts[0]["id"] == *id).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_watch_and_the_next_is_refused_until_one_leaves() -> anyhow::Result<()> {
    let site = Site::with(Settings { event_streams: 2, ..Settings::default() }).await?;
    let streams = [Events::open(&site).await?, Events::open(&site).await?];
    let refused = site.get("/v1/events").await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse()?));
    assert_eq!(refused.json::<Value>().await?["kind"], "overloaded");
    // Watching takes nothing away from asking.
    assert_eq!(site.post("tiny", "", jpeg()).await.status().as_u16(), 200);
    drop(streams);
    wait_for(PATIENCE, || async {
        match Events::open_status(&site).await {
            200 => Ok(()),
            status => Err(format!("still {status}")),
        }
    })
    .await
}

impl Events {
    async fn open_status(site: &Site) -> u16 {
        site.client.get(format!("{}/v1/events", site.url)).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_sleeps_loses_events_and_is_told_how_many() -> anyhow::Result<()> {
    let site = Site::start().await?;
    let mut events = Events::open(&site).await?;
    let front = traffic::front();
    // Each batch is some 25 KB: what lies between here and there is full in the end, and then events are lost.
    let flooding = tokio::spawn({
        let bus = site.bus.clone();
        async move {
            for number in 0_u64.. {
                traffic::publish(&bus, &traffic::receipt(&front, number)).await;
            }
        }
    });
    let mut awake = Events::open(&site).await?;
    let heard = awake.until("state", |state| state["total"]["within"].as_u64().unwrap() > 2_000).await;
    flooding.abort();
    heard?;
    // The sleeper still has a whole stream, however much of it is left.
    events.until("state", |_| true).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_gateway_leaves() -> anyhow::Result<()> {
    let mut site = Site::start().await?;
    let mut events = Events::open(&site).await?;
    events.until("state", |_| true).await?;
    let leaving = tokio::spawn(site.gateway.take().unwrap().leave(Duration::from_secs(30)));
    timeout(PATIENCE, async {
        while events.next().await?.is_some() {}
        anyhow::Ok(())
    })
    .await??;
    timeout(PATIENCE, leaving).await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_page_there_is_neither() -> anyhow::Result<()> {
    let site = Site::with(Settings { page: false, ..Settings::default() }).await?;
    for path in ["/", "/page/main.js", "/v1/events"] {
        assert_eq!(site.get(path).await.status().as_u16(), 404, "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_told_to_run_nothing_but_the_page() -> anyhow::Result<()> {
    let site = Site::start().await?;
    for path in ["/", "/page/main.js", "/v1/events", "/v2/health/live", "/nowhere"] {
        let response = site.get(path).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
    }
    let response = site.get("/page/../settings").await;
    assert_eq!(response.status().as_u16(), 404);
    Ok(())
}
