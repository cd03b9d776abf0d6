//! `splinter model pull` from a server of this test, and `model add` of a bare ONNX file.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use crate::system::{Up, fail, free_port, splinter, succeed, wait_for};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo/bundle");

fn network() -> Vec<u8> {
    fs::read(format!("{DEMO}/model.onnx")).unwrap()
}

/// What the server does with the network's bytes.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Good,
    StopsHalfWay,
    SendsOthers,
}

/// Serves `/model.onnx`, with ranges, and `/labels.txt`; lives as long as the tests.
struct Server {
    port: u16,
    manner: Arc<Mutex<Manner>>,
    /// The ranges asked for, `None` where there was none.
    ranges: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server =
            Self { port, manner: Arc::new(Mutex::new(manner)), ranges: Arc::new(Mutex::new(Vec::new())) };
        let (manner, ranges) = (server.manner.clone(), server.ranges.clone());
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (manner, ranges) = (manner.clone(), ranges.clone());
                // A client that is killed is one of the things under test.
                thread::spawn(move || drop(serve(connection, &manner, &ranges)));
            }
        });
        server
    }

    /// A catalogue whose network `net` is here.
    fn catalogue(&self, folder: &TempDir) -> String {
        let manifest = fs::read_to_string(format!("{DEMO}/model.toml")).unwrap();
        let digest = |key: &str| {
            let line = manifest.lines().find(|line| line.starts_with(key)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        let labels = fs::read(format!("{DEMO}/labels.txt")).unwrap();
        let text = format!(
            "[[network]]\nname = \"net\"\nabout = \"ten figures\"\nlicence = \"MIT\"\npreset = \"imagenet-tf\"\n\
             onnx = {{ address = \"http://127.0.0.1:{port}/model.onnx\", sha256 = \"{}\", bytes = {} }}\n\
             labels = {{ address = \"http://127.0.0.1:{port}/labels.txt\", sha256 = \"{}\", bytes = {} }}\n",
            digest("onnx_sha256"),
            network().len(),
            digest("labels_sha256"),
            labels.len(),
            port = self.port,
        );
        let path = folder.path().join("catalogue.toml");
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }
}

fn serve(
    connection: TcpStream,
    manner: &Mutex<Manner>,
    ranges: &Mutex<Vec<Option<usize>>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_ascii_lowercase());
    }
    let mut connection = reader.into_inner();
    let is_labels = lines[0].contains("labels.txt");
    let mut body = if is_labels { fs::read(format!("{DEMO}/labels.txt"))? } else { network() };
    let manner = if is_labels { Manner::Good } else { *manner.lock().unwrap() };
    let range =
        lines.iter().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok());
    if !is_labels {
        ranges.lock().unwrap().push(range);
    }
    if manner == Manner::SendsOthers {
        body.iter_mut().for_each(|byte| *byte ^= 1);
    }
    let (from, whole) = (range.unwrap_or(0), body.len());
    let status = match range {
        Some(from) => format!("206 Partial Content\r\nContent-Range: bytes {from}-{}/{whole}", whole - 1),
        None => "200 OK".to_owned(),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", whole - from);
    connection.write_all(head.as_bytes())?;
    if manner == Manner::StopsHalfWay {
        connection.write_all(&body[from..whole / 2])?;
        // Until the client goes.
        connection.read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    connection.write_all(&body[from..])
}

fn pull(folder: &Path, catalogue: &str) -> Command {
    let mut command = splinter();
    command.current_dir(folder).args(["model", "pull", "net", "--catalogue", catalogue]);
    command
}

#[test]
fn a_network_is_fetched_once_verified_and_listed() {
    let (server, folder) = (Server::start(Manner::Good), TempDir::new().unwrap());
    let catalogue = server.catalogue(&folder);
    let listed = succeed(splinter().args(["model", "pull", "--catalogue", &catalogue]));
    assert!(listed.contains("net") && listed.contains("MIT") && listed.contains("imagenet-tf"), "{listed}");
    for _ in 0..2 {
        let pulled = succeed(pull(folder.path(), &catalogue).arg("--json"));
        let pulled: serde_json::Value = serde_json::from_str(&pulled).unwrap();
        assert_eq!((&pulled["model"], &pulled["folder"]), (&"net".into(), &"net".into()));
    }
    assert_eq!(*server.ranges.lock().unwrap(), [None], "the second call finds it there");
    let mut names: Vec<_> =
        fs::read_dir(folder.path().join("net")).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["labels.txt", "model.onnx", "model.toml"]);
    assert!(fs::read(folder.path().join("net/model.onnx")).unwrap() == network());
    let manifest = fs::read_to_string(folder.path().join("net/model.toml")).unwrap();
    assert!(manifest.contains("licence = \"MIT\"") && manifest.contains("127.0.0.1"), "{manifest}");
    succeed(splinter().args(["model", "verify"]).arg(folder.path().join("net")));
    // Something else of that name is left as it is.
    let (_, error) = fail(pull(folder.path(), &catalogue).args(["-o", "."]));
    assert!(error.contains("-o"), "{error}");
}

#[test]
fn an_interrupted_download_leaves_no_bundle_and_goes_on() {
    for signal in ["-TERM", "-KILL"] {
        let (server, folder) = (Server::start(Manner::StopsHalfWay), TempDir::new().unwrap());
        let catalogue = server.catalogue(&folder);
        let mut child =
            pull(folder.path(), &catalogue).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let part = folder.path().join("net.part/model.onnx.part");
        let half = network().len() / 2;
        wait_for("half of it", || match fs::metadata(&part).map_or(0, |part| part.len()) {
            length if length == half as u64 => Ok(()),
            length => Err(format!("{length} bytes")),
        });
        succeed(Command::new("kill").args([signal, &child.id().to_string()]));
        assert!(!child.wait().unwrap().success());
        assert!(!folder.path().join("net").exists());

        *server.manner.lock().unwrap() = Manner::Good;
        succeed(&mut pull(folder.path(), &catalogue));
        assert_eq!(*server.ranges.lock().unwrap(), [None, Some(half)], "{signal}");
        assert!(fs::read(folder.path().join("net/model.onnx")).unwrap() == network());
        assert!(!folder.path().join("net.part").exists());
    }
}

#[test]
fn wrong_bytes_unknown_names_and_bad_catalogues_are_refused_and_leave_nothing() {
    let (server, folder) = (Server::start(Manner::SendsOthers), TempDir::new().unwrap());
    let catalogue = server.catalogue(&folder);
    let (code, error) = fail(&mut pull(folder.path(), &catalogue));
    assert!(code == 1 && error.contains("SHA-256") && error.contains("expected"), "{error}");
    let (_, error) = fail(splinter().args(["model", "pull", "nonesuch", "--catalogue", &catalogue]));
    assert!(error.contains("nonesuch") && error.contains("net"), "{error}");
    let bad = folder.path().join("bad.toml");
    fs::write(&bad, "[[network]]\nname = 5\n").unwrap();
    let (_, error) = fail(splinter().args(["model", "pull", "net", "--catalogue"]).arg(&bad));
    assert!(error.contains("bad.toml"), "{error}");
    let (code, error) = fail(splinter().args(["model", "pull", "--add"]));
    assert!(code == 2, "{code} {error}");
    for file in [&bad, &folder.path().join("catalogue.toml")] {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_pulled_network_and_a_bare_file_are_added_to_a_running_system() {
    let (server, folder) = (Server::start(Manner::Good), TempDir::new().unwrap());
    let catalogue = server.catalogue(&folder);
    let (port, data) = (free_port().to_string(), TempDir::new().unwrap());
    let broker = format!("nats://127.0.0.1:{port}");
    let data_dir = data.path().to_string_lossy().into_owned();
    let _up = Up::start(&["--broker-port", &port, "--data-dir", &data_dir, "--http", "127.0.0.1:0"], &[]);
    succeed(pull(folder.path(), &catalogue).args(["--add", "--broker", &broker]));

    let add = |more: &[&str]| {
        let mut command = splinter();
        command.args(["model", "add", "--broker", &broker]).args(more).stdin(Stdio::null());
        command
    };
    let onnx = format!("{DEMO}/model.onnx");
    let labels = folder.path().join("labels.txt");
    fs::copy(format!("{DEMO}/labels.txt"), &labels).unwrap();
    let labels = labels.to_string_lossy().into_owned();
    let bare = ["--preset", "imagenet-tf", "--labels", &labels, "--name", "bare", &onnx];
    succeed(&mut add(&bare));
    let served = succeed(splinter().args(["model", "list", "--json", "--broker", &broker]));
    assert!(served.contains("\"net\"") && served.contains("\"bare\""), "{served}");

    // With the preset that it was trained with it knows its figures as the shipped bundle does.
    let picture = folder.path().join("picture.png");
    let drawn = demo_network::pictures::draw(7, 0);
    fs::write(&picture, drawn.to_png()).unwrap();
    for model in ["net", "bare"] {
        let answer = succeed(
            splinter()
                .args(["infer", "--json", "--broker", &broker, "--latency-ms", "5000", "--model", model])
                .arg(&picture),
        );
        assert!(answer.contains(demo_network::CLASS_NAMES[drawn.class as usize]), "{answer}");
    }

    let guessed = crate::system::run(&mut add(&["--name", "guessed", &onnx]));
    let said = String::from_utf8(guessed.stderr).unwrap();
    assert!(guessed.status.success() && said.contains("guessed as imagenet-torch"), "{said}");
    fs::write(&labels, "one\ntwo\n").unwrap();
    let (_, error) = fail(&mut add(&bare));
    assert!(error.contains("2 labels for the 10 values"), "{error}");
    let (_, error) = fail(&mut add(&["--preset", "cifar", DEMO]));
    assert!(error.contains("model.toml"), "{error}");
}
