"""The real stack of compose.yaml: brought up, looked at, broken and taken down with the real engine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("gateway", "scheduler", "edge-executor", "cloud-executor", "tuner", "optimizer")
BROKERS = ("edge-broker", "hub-broker")
# Compose leaves alone what belongs to a profile that is not named.
ALL = ("--profile", "demo", "--profile", "observe")


class StackError(Exception):
    """The engine did not do what was asked, or a condition was not met in time."""


def engine_is_missing() -> str | None:
    """Why there is nothing to run the stack on; None when there is."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    if subprocess.run(["docker", "info"], capture_output=True, timeout=60).returncode:
        return "no Docker engine answers"
    return None if compose_command() else "there is neither `docker compose` nor `docker-compose`"


def compose_command() -> list[str] | None:
    if named := os.environ.get("SPLINTER_COMPOSE"):
        return named.split()
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    version = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60)
    return None if version.returncode else ["docker", "compose"]


def run(*command: str, at_most: float = 120, environment: dict[str, str] | None = None, check: bool = True) -> str:
    """What a command printed, standard error included."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=at_most, env=environment, cwd=ROOT
    )
    if check and done.returncode:
        raise StackError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def wait_for(what: str, condition, at_most: float) -> float:
    """Asks until the condition holds, and says how many seconds that took."""
    start, last = time.monotonic(), None
    while time.monotonic() - start < at_most:
        try:
            if condition():
                return time.monotonic() - start
        except (OSError, StackError, ValueError) as error:
            last = error
        time.sleep(0.05)
    raise StackError(f"{what}: not within {at_most:.0f} s" + (f" (last: {last})" if last else ""))


def say(text: str) -> None:
    print(f"    {text}", file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """One project of the compose file, on ports of its own."""

    def __init__(self, project: str, **variables: str) -> None:
        self.project = project
        self.http, self.edge, self.hub, self.leaf, self.prometheus = (free_port() for _ in range(5))
        ports = {
            "SPLINTER_HTTP_PORT": self.http,
            "SPLINTER_EDGE_PORT": self.edge,
            "SPLINTER_HUB_PORT": self.hub,
            "SPLINTER_LEAF_PORT": self.leaf,
            "SPLINTER_PROMETHEUS_PORT": self.prometheus,
        }
        self.environment = os.environ | {name: str(port) for name, port in ports.items()} | variables
        self.files = ["-f", str(ROOT / "compose.yaml")]
        # For trying parts of the stack before all of it is there.
        if extra := os.environ.get("SPLINTER_COMPOSE_OVERRIDE"):
            self.files += ["-f", extra]

    def compose(self, *arguments: str, at_most: float = 240, check: bool = True) -> str:
        command = [*(compose_command() or []), *self.files, "-p", self.project, *arguments]
        return run(*command, at_most=at_most, environment=self.environment, check=check)

    def containers(self, service: str) -> list[str]:
        labels = (f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}")
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        return run("docker", "ps", "--all", "--quiet", "--no-trunc", *filters).split()

    def container(self, service: str) -> str:
        found = self.containers(service)
        if not found:
            raise StackError(f"there is no container of {service}")
        return found[0]

    def state(self, container: str) -> dict:
        return json.loads(run("docker", "inspect", "--format", "{{json .State}}", container))

    def healthy(self, service: str) -> bool:
        states = [self.state(container) for container in self.containers(service)]
        return bool(states) and all(state.get("Health", {}).get("Status") == "healthy" for state in states)

    def kill(self, service: str) -> str:
        """SIGKILL to the service's process, as in a crash; the engine's restart policy is what brings it back."""
        container = self.container(service)
        if os.geteuid() == 0:
            os.kill(self.state(container)["Pid"], signal.SIGKILL)
        else:
            run("docker", "kill", "--signal", "KILL", container)
            run("docker", "start", container)
        return container

    def paused(self, service: str) -> AbstractContextManager[None]:
        """A service that hangs: none of its processes runs."""
        return self._while("pause", "unpause", service)

    def stopped(self, *services: str) -> AbstractContextManager[None]:
        """Services that have left in order."""
        return self._while("stop", "start", *services)

    @contextmanager
    def _while(self, begin: str, end: str, *services: str) -> Iterator[None]:
        containers = [self.container(service) for service in services]
        run("docker", begin, *containers)
        try:
            yield
        finally:
            run("docker", end, *containers)

    @contextmanager
    def exits(self) -> Iterator[dict[str, list[int]]]:
        """The exit codes of each service's containers that end meanwhile: also of those that are removed. Filled when left."""
        codes: dict[str, list[int]] = {}
        of_project = f"label=com.docker.compose.project={self.project}"
        command = ["docker", "events", "--filter", "event=die", "--filter", of_project, "--format", "{{json .Actor.Attributes}}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listening:
            try:
                yield codes
            finally:
                listening.terminate()
                for line in listening.stdout:
                    died = json.loads(line)
                    codes.setdefault(died["com.docker.compose.service"], []).append(int(died["exitCode"]))

    def network(self, name: str) -> str:
        return f"{self.project}_{name}"

    def gateway(self, service: str) -> str:
        """The address of this machine in a network of a service."""
        wanted = "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}"
        return run("docker", "inspect", "--format", wanted, self.container(service)).split()[0]

    def cut_link(self) -> None:
        run("docker", "network", "disconnect", self.network("link"), self.container("edge-broker"))

    def join_link(self) -> None:
        arguments = ["--alias", "edge-broker", self.network("link"), self.container("edge-broker")]
        run("docker", "network", "connect", *arguments)

    def secret(self, path: str) -> str:
        """A file of the volume of keys, read as the user whom it belongs to."""
        volume = self.environment.get("SPLINTER_KEYS") or f"{self.project}_keys"
        broker = run("docker", "inspect", "--format", "{{.Config.Image}}", self.container("edge-broker")).strip()
        mount = ["--user", "65532:65532", "--volume", f"{volume}:/keys:ro", "--network", "none"]
        return run("docker", "run", "--rm", *mount, "--entrypoint", "/bin/busybox", broker, "cat", f"/keys/{path}")

    def files_below(self, folder: str, service: str) -> list[str]:
        """The files that a service's container sees there and may read."""
        container = self.container(service)
        broker = run("docker", "inspect", "--format", "{{.Config.Image}}", self.container("hub-broker")).strip()
        looking = ["--rm", "--volumes-from", container, "--user", "65532:65532", "--entrypoint", "/bin/busybox", broker]
        return sorted(run("docker", "run", *looking, "find", folder, "-type", "f", "-size", "+0").split())

    def logs(self, service: str, lines: int = 40) -> str:
        return self.compose("logs", "--no-color", f"--tail={lines}", service, check=False)

    def down(self) -> None:
        self.compose(*ALL, "down", "--volumes", "--timeout", "45", "--remove-orphans", at_most=300, check=False)
