//! Processes that hang (`SIGSTOP`) or are gone, with the real services and a real network; and what people do meanwhile:
//! policies swapped, the scheduler and the tuner taken away.

use std::time::{Duration, Instant};

use demo_network::pictures;
use serde_json::Value;

use crate::client::Client;
use crate::evaluate::draw_pictures;
use crate::system::{Up, free_port, splinter, succeed, wait_for};

/// The limit asked for; a deadline is four of them, at least 5 s.
const LIMIT_MS: &str = "400";
const DEADLINE: Duration = Duration::from_secs(5);

/// One round trip, 50 ms, and the start of a debug build's process on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

/// A presence lives for three seconds; two more for a busy machine.
const KNOWN_TO_BE_GONE: Duration = Duration::from_secs(5);

struct System {
    broker: String,
    picture: std::path::PathBuf,
    folder: tempfile::TempDir,
}

impl System {
    /// Starts the edge side without these services; the shipped network is served when this returns.
    fn start(without: &[&str]) -> (Self, Up) {
        let folder = tempfile::tempdir().unwrap();
        let (port, data) =
            (free_port().to_string(), folder.path().join("data").to_string_lossy().into_owned());
        let mut arguments = vec!["--broker-port", &port, "--data-dir", &data, "--http", "127.0.0.1:0"];
        for service in without {
            arguments.extend(["--without", *service]);
        }
        let edge = Up::start(&arguments, &[]);
        let broker = format!("nats://127.0.0.1:{port}");
        let picture = folder.path().join("picture.png");
        std::fs::write(&picture, pictures::draw(1, 0).to_png()).unwrap();
        (Self { broker, picture, folder }, edge)
    }

    fn add_the_network(&self) {
        let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/bundle");
        succeed(splinter().args(["model", "add", "--broker", &self.broker, bundle]));
    }

    fn only(&self, service: &str) -> Up {
        Up::start(&["--only", service, "--broker", &self.broker], &[])
    }

    /// One request through the gateway: its answer, or why there is none. By its deadline, either way.
    fn infer(&self, more: &[&str]) -> Result<Value, String> {
        let began = Instant::now();
        let output = splinter()
            .args([
                "infer",
                "--model",
                "shapes10",
                "--latency-ms",
                LIMIT_MS,
                "--json",
                "--broker",
                &self.broker,
            ])
            .args(more)
            .arg(&self.picture)
            .output()
            .unwrap();
        let took = began.elapsed();
        assert!(took < DEADLINE + SLACK, "an outcome after {took:?}");
        if output.status.success() {
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, || {
            self.infer(&[]).and_then(|reply| if is_so(&reply) { Ok(reply) } else { Err(reply.to_string()) })
        })
    }
}

/// Stops a process as a hang does: it keeps its connections and answers nothing. Goes on when dropped.
struct Stopped(u32);

impl Stopped {
    fn new(process: &Up) -> Self {
        let stopped = Self(process.id());
        stopped.signal("-STOP");
        stopped
    }

    fn signal(&self, signal: &str) {
        succeed(std::process::Command::new("kill").args([signal, &self.0.to_string()]));
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

/// Two of three cloud executors hang in the middle of work: each request has a result in time, and once the two are known
/// to be gone, the third does all the work.
#[test]
fn two_of_three_cloud_executors_hang() {
    let (system, edge) = System::start(&["cloud-executor"]);
    let clouds = [(); 3].map(|()| system.only("cloud-executor"));
    system.add_the_network();
    let client = Client::connect(&system.broker, "hanging-test");
    let split = |index: usize| {
        let picture = pictures::draw(1, index as u64).to_png();
        let reply = client.execute((schemas::Cut(4), schemas::Codec::default()), &picture, DEADLINE)?;
        Ok::<_, String>(reply.cloud.is_some())
    };
    wait_for("the first split", || split(0)?.then_some(()).ok_or_else(|| "at home".to_owned()));
    let hanging = [Stopped::new(&clouds[0]), Stopped::new(&clouds[1])];
    let answered = |index: usize| {
        let began = Instant::now();
        let away = split(index).unwrap_or_else(|error| panic!("request {index} has no result: {error}"));
        assert!(began.elapsed() < DEADLINE + SLACK);
        away
    };
    let stopped = Instant::now();
    let early = (0..).take_while(|_| stopped.elapsed() < KNOWN_TO_BE_GONE).map(answered).count();
    let away = (early..early + 30).filter(|index| answered(*index)).count();
    assert_eq!(away, 30, "requests that the third executor did");
    drop(hanging);
    drop(clouds);
    assert!(edge.terminate().success());
}

#[test]
fn the_scheduler_hangs_and_is_killed_and_requests_go_on() {
    let (system, edge) = System::start(&["scheduler"]);
    let scheduler = system.only("scheduler");
    system.add_the_network();
    system.until("a plan of the scheduler", |reply| reply["reason"] != "scheduler_gone");
    let hanging = Stopped::new(&scheduler);
    system.until("the gateway decides", |reply| reply["reason"] == "scheduler_gone");
    drop(hanging);
    system.until("the scheduler is back", |reply| reply["reason"] != "scheduler_gone");
    scheduler.kill();
    let reply = system.infer(&[]).unwrap();
    assert_eq!(reply["reason"], "scheduler_gone", "{reply}");
    let _again = system.only("scheduler");
    system.until("another scheduler", |reply| reply["reason"] != "scheduler_gone");
    assert!(edge.terminate().success());
}

/// The tuner is killed and comes back: requests go on, and those that wanted another clock say that they did not get it.
#[test]
fn the_tuner_is_killed_and_requests_go_on() {
    let (system, edge) = System::start(&["tuner"]);
    let tuner =
        Up::start(&["--only", "tuner", "--emulate", "raspberry-pi-4", "--broker", &system.broker], &[]);
    system.add_the_network();
    let images = system.folder.path().join("images");
    draw_pictures(&images);
    succeed(
        splinter()
            .args(["optimize", "--model", "shapes10", "--budget", "0.1", "--samples", "1", "--images"])
            .arg(&images)
            .args(["--broker", &system.broker]),
    );
    system.until("a front", |reply| !reply["front"].is_null());
    tuner.kill();
    for _ in 0..5 {
        let reply = system.infer(&[]).unwrap();
        let fallback = &reply["fallback"];
        assert!(
            fallback.is_null() || *fallback == "hardware_as_it_was" || *fallback == "finished_at_home",
            "{reply}"
        );
    }
    assert!(edge.terminate().success());
}

#[test]
fn policies_are_swapped_without_a_restart() {
    let (system, edge) = System::start(&[]);
    system.add_the_network();
    let policy = |arguments: &[&str]| {
        let command = [&["policy"], arguments, &["--json", "--broker", &system.broker]].concat();
        serde_json::from_str::<Value>(&succeed(splinter().args(command))).unwrap()
    };
    assert_eq!(policy(&["show"]), Value::Null);
    system.until("the default", |reply| reply["policy"] == "adaptive");
    let chosen = policy(&["set", "edge", "--shadow", "adaptive"]);
    assert_eq!((&chosen["policy"], &chosen["shadow"]), (&"edge".into(), &"adaptive".into()));
    system.until("the chosen one", |reply| reply["policy"] == "edge");
    assert_eq!(policy(&["reset"]), Value::Null);
    system.until("its own again", |reply| reply["policy"] == "adaptive");

    let (code, said) =
        crate::system::fail(splinter().args(["policy", "set", "oracle", "--broker", &system.broker]));
    assert!(code == 1 && said.contains("only simulations"), "{said}");
    let (code, said) = crate::system::fail(splinter().args(["top", "--broker", &system.broker]));
    assert!(code == 1 && said.contains("terminal"), "{said}");
    assert!(edge.terminate().success());
}
