//! Starts `splinter` processes and stops them however the test ends.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A debug build on a busy machine loads and warms a network in seconds; this is a hang.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn splinter() -> Command {
    Command::new(env!("CARGO_BIN_EXE_splinter"))
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs a command that must succeed; returns its standard output.
pub fn succeed(command: &mut Command) -> String {
    let output = run(command);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?} failed\n{out}\n{err}");
    out
}

/// Runs a command that must fail; returns its exit code and standard error.
pub fn fail(command: &mut Command) -> (i32, String) {
    let output = run(command);
    assert!(!output.status.success(), "{command:?} succeeded\n{}", text(&output.stdout));
    (output.status.code().expect("it exited by itself"), text(&output.stderr))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folder of real networks and pictures; says loudly when it is missing.
pub fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SPLINTER_SHARED").map_or(beside, PathBuf::from);
    if folder.join("models").is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} holds no networks; set SPLINTER_SHARED", folder.display());
    None
}

pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A `splinter up` process, ready; killed when dropped.
pub struct Up {
    child: Child,
    lines: Vec<String>,
}

impl Up {
    /// Starts it and waits until it says that it is ready.
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = splinter()
            .arg("up")
            .args(arguments)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, receiver) = mpsc::channel();
        let stderr = child.stderr.take().unwrap();
        // Reads to the end, so that the process never blocks on a full pipe.
        thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))
        });
        let mut up = Self { child, lines: Vec::new() };
        let deadline = Instant::now() + PATIENCE;
        while !up.lines.iter().any(|line| line.starts_with("ready")) {
            match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => up.lines.push(line),
                Err(_) => panic!("`splinter up {arguments:?}` is not ready:\n{}", up.lines.join("\n")),
            }
        }
        up
    }

    /// What follows `name` in the lines it printed, such as the address after `gateway`.
    pub fn value(&self, name: &str) -> String {
        let line = self.lines.iter().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("no line {name:?} in\n{}", self.lines.join("\n"))).trim().to_owned()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `SIGKILL`, at once.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// `SIGTERM`; returns how it ended.
    pub fn terminate(mut self) -> std::process::ExitStatus {
        succeed(Command::new("kill").args(["-TERM", &self.child.id().to_string()]));
        self.child.wait().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Already ended is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks until the answer is `Some`; panics with the last status after two minutes.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(found) => return found,
            Err(status) if Instant::now() > deadline => panic!("waited in vain for {what}: {status}"),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}
