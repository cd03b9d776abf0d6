//! A headless Chromium, driven over its developer tools.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::wait_for;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser with one page. Dropped, it is killed.
pub struct Chromium {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last_id: u64,
    /// What went wrong in the page: exceptions, what it wrote as an error, what the browser refused.
    errors: Vec<String>,
    _process: Child,
    _profile: TempDir,
}

/// Chromium's program, where it is installed; says on standard error when it is not.
pub fn program() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let version =
            Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    });
    if found.is_none() {
        eprintln!("SKIPPED: no chromium, so the page was not tested; install Debian's package chromium");
    }
    found
}

impl Chromium {
    pub async fn start(program: &str) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let process = tokio::process::Command::new(program)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let port_file = profile.path().join("DevToolsActivePort");
        let port = wait_for(PATIENCE, || async {
            let text = std::fs::read_to_string(&port_file).map_err(|error| error.to_string())?;
            text.lines()
                .next()
                .and_then(|line| line.parse::<u16>().ok())
                .ok_or_else(|| "no port yet".to_owned())
        })
        .await?;
        let url = wait_for(PATIENCE, || page_url(port)).await?;
        let (socket, _) = connect_async(url).await?;
        let mut browser =
            Self { socket, last_id: 0, errors: Vec::new(), _process: process, _profile: profile };
        for domain in ["Page", "Runtime", "Log", "DOM"] {
            browser.call(&format!("{domain}.enable"), json!({})).await?;
        }
        Ok(browser)
    }

    /// Calls a method of the developer tools.
    pub async fn call(&mut self, method: &str, parameters: Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let text = json!({ "id": id, "method": method, "params": parameters }).to_string();
        self.socket.send(Message::text(text)).await?;
        let answering = async {
            loop {
                let message = self.socket.next().await.context("the browser has left")??;
                let Message::Text(text) = message else { continue };
                let mut said: Value = serde_json::from_str(&text)?;
                if said["id"] == id {
                    if said["error"].is_object() {
                        bail!("{method}: {}", said["error"]);
                    }
                    return Ok(said["result"].take());
                }
                self.errors.extend(error_of(&said));
            }
        };
        timeout(PATIENCE, answering).await.with_context(|| format!("{method} took too long"))?
    }

    /// The value of an expression in the page.
    pub async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", parameters).await?;
        if result["exceptionDetails"].is_object() {
            bail!("{expression}: {}", result["exceptionDetails"]);
        }
        Ok(result["result"]["value"].take())
    }

    /// Waits until an expression is true in the page; `status` is what is said of it when it never is.
    pub async fn until(&mut self, expression: &str, status: &str) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if self.evaluate(expression).await? == Value::Bool(true) {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                let found = self.evaluate(status).await?;
                bail!("never was {expression}: {status} is {found}, errors {:?}", self.errors);
            }
            // A look costs the page some time.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn open(&mut self, url: &str) -> anyhow::Result<()> {
        self.call("Page.navigate", json!({ "url": url })).await?;
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'", "location.href")
            .await
    }

    /// Chooses a file as a person would in the dialog of the input.
    pub async fn choose(&mut self, selector: &str, file: &Path) -> anyhow::Result<()> {
        let expression = format!("document.querySelector('{selector}')");
        let found = self.call("Runtime.evaluate", json!({ "expression": expression })).await?;
        let parameters = json!({ "files": [file], "objectId": found["result"]["objectId"] });
        self.call("DOM.setFileInputFiles", parameters).await.map(drop)
    }

    /// Drags a file in from outside and drops it on the middle of an element.
    pub async fn drop_on(&mut self, selector: &str, file: &Path) -> anyhow::Result<()> {
        let (x, y) = self.middle(selector).await?;
        let data = json!({ "items": [], "files": [file], "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let parameters = json!({ "type": kind, "x": x, "y": y, "data": data });
            self.call("Input.dispatchDragEvent", parameters).await?;
        }
        Ok(())
    }

    pub async fn click(&mut self, selector: &str) -> anyhow::Result<()> {
        let (x, y) = self.middle(selector).await?;
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", parameters).await?;
        }
        Ok(())
    }

    async fn middle(&mut self, selector: &str) -> anyhow::Result<(f64, f64)> {
        let expression = format!(
            "(() => {{ const e = document.querySelector('{selector}'); e.scrollIntoView({{ block: 'center' }}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        );
        let found = self.evaluate(&expression).await?;
        let coordinate = |index: usize| found[index].as_f64().context("no such element");
        Ok((coordinate(0)?, coordinate(1)?))
    }

    /// Presses and releases a key: `Tab`, `Enter`, `Escape`.
    pub async fn press(&mut self, key: &str) -> anyhow::Result<()> {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            other => bail!("no key {other} here"),
        };
        let down = json!({ "type": if text.is_empty() { "rawKeyDown" } else { "keyDown" }, "key": key, "code": key,
            "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", down).await?;
        let up = json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", up).await.map(drop)
    }

    /// Types text where the focus is.
    pub async fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.call("Input.insertText", json!({ "text": text })).await.map(drop)
    }

    pub async fn resize(&mut self, width: u32, height: u32) -> anyhow::Result<()> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size).await.map(drop)
    }

    /// Sets media features, such as `("prefers-color-scheme", "dark")`.
    pub async fn prefer(&mut self, features: &[(&str, &str)]) -> anyhow::Result<()> {
        let features: Vec<Value> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await.map(drop)
    }

    /// The whole page as a PNG.
    pub async fn screenshot(&mut self) -> anyhow::Result<Vec<u8>> {
        let layout = self.call("Page.getLayoutMetrics", json!({})).await?;
        let size = &layout["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = self.call("Page.captureScreenshot", parameters).await?;
        let text = shot["data"].as_str().context("no picture")?;
        Ok(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text)?)
    }

    /// What went wrong in the page since the last call.
    pub async fn errors(&mut self) -> anyhow::Result<Vec<String>> {
        // What was said before this answer has been read by then.
        self.evaluate("true").await?;
        Ok(std::mem::take(&mut self.errors))
    }
}

/// Where the developer tools of the one page listen.
async fn page_url(port: u16) -> Result<String, String> {
    let asking = async {
        let answer = reqwest::get(format!("http://127.0.0.1:{port}/json/list")).await?;
        answer.json::<Value>().await
    };
    let list = asking.await.map_err(|error| error.to_string())?;
    let mut pages = list.as_array().into_iter().flatten().filter(|target| target["type"] == "page");
    let url = pages.next().and_then(|page| page["webSocketDebuggerUrl"].as_str());
    url.map(str::to_owned).ok_or_else(|| "no page yet".to_owned())
}

fn error_of(said: &Value) -> Option<String> {
    let parameters = &said["params"];
    match said["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(parameters["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if parameters["type"] == "error" => Some(parameters["args"].to_string()),
        "Log.entryAdded" if parameters["entry"]["level"] == "error" => Some(parameters["entry"].to_string()),
        _ => None,
    }
}
