"""The whole system in containers: up, seen, cut, killed, scaled, taken down. One stack for all tests, in their names' order.

Run by deploy/tests/run; SPLINTER_COMPOSE_OVERRIDE names one more compose file.
"""

import csv
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from history import DEADLINE_S, Load, ask, broken_promises
from observed import Observed, Watch
from observer import Observer
from stack import ALL, BROKERS, ROOT, SERVICES, Stack, StackError, run, say, wait_for

PICTURES = ROOT / "deploy/demo/pictures"
# Nothing is as fast as the cloud on the demo's link, so a limit that nothing keeps is aimed at with it.
TIGHT = "latency_ms=1"
# Detection of a cut link, and of its return (promise 4).
ALONE_S, JOINED_S = 3.0, 5.0
# A crashed container is back when its engine started it again and its network is warm.
BACK_S = 60.0


# What was found to be left open: an error of a finalizer, which nobody can catch.
left_open: list[str] = []


def setUpModule() -> None:
    sys.unraisablehook = lambda unraisable: left_open.append(f"{unraisable.exc_value!r} of {unraisable.object!r}")


def tearDownModule() -> None:
    gc.collect()
    if left_open:
        raise AssertionError("\n".join(left_open))


class TestStack(Observed, unittest.TestCase):

    @classmethod
    def setUpClass(cls) -> None:
        cls.stack = Stack("splintertest")
        cls.stack.down()
        cls.watch = Watch(cls.stack)
        cls.began = time.monotonic()
        try:
            # First without the demo's network.
            cls.stack.compose("up", "-d", "edge-executor", "cloud-executor", "scheduler")
            cls.watch.fires("SplinterModelCold", "SplinterNotReady")
            cls.stack.compose("up", "-d", at_most=240)
            cls.up_s = time.monotonic() - cls.began
            cls.load_of_demo_s = wait_for("the demo sends requests", cls.demo_is_shown, 90) + cls.up_s
        except Exception as error:
            for service in (*BROKERS, *SERVICES, "keys", "network", "front", "loadgen"):
                print(cls.stack.logs(service), file=sys.stderr)
            cls.tearDownClass()
            raise error
        try:
            cls.seed = cls.stack.secret("services/observer.nk")
        except StackError:
            cls.seed = None
        cls.pictures = sorted(PICTURES.glob("*.png"))

    @classmethod
    def tearDownClass(cls) -> None:
        cls.stack.down()
        cls.watch.stop()

    @classmethod
    def demo_is_shown(cls) -> bool:
        return cls.requests_counted() > 10

    @classmethod
    def requests_counted(cls) -> float:
        """Requests of the gateway, by its metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{cls.stack.http}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        counts = (line for line in lines if line.startswith("splinter_") and "requests_total" in line.split("{")[0])
        return sum(float(line.rsplit(" ", 1)[1]) for line in counts)

    def load(self, query: str = TIGHT, **settings) -> Load:
        return Load(self.stack.http, self.pictures, query, **settings)

    def observer(self) -> Observer:
        return Observer(self.stack.edge, self.seed)

    def split(self) -> bool:
        return ask(self.stack.http, self.pictures[0].read_bytes(), TIGHT).split

    def all_healthy(self) -> bool:
        return all(self.stack.healthy(service) for service in (*BROKERS, *SERVICES))

    def settle(self) -> None:
        wait_for("everything is healthy", self.all_healthy, BACK_S)
        wait_for("the cloud runs a part", self.split, BACK_S)

    def test_1_up_is_healthy_and_the_demo_is_shown(self) -> None:
        self.assertTrue(self.all_healthy())
        say(f"up in {self.up_s:.0f} s, requests of the demo on the page after {self.load_of_demo_s:.0f} s")
        self.assertLess(self.load_of_demo_s, 120)
        for service in SERVICES:
            container = self.stack.container(service)
            config = json.loads(run("docker", "inspect", container))[0]
            host = config["HostConfig"]
            self.assertEqual(config["Config"]["User"], "65532:65532", service)
            self.assertTrue(host["ReadonlyRootfs"], service)
            self.assertEqual((host["Privileged"], host["CapDrop"]), (False, ["ALL"]), service)
            self.assertIn("no-new-privileges:true", host["SecurityOpt"], service)
            self.assertGreater(host["Memory"], 0, service)
            for bindings in (host["PortBindings"] or {}).values():
                self.assertTrue(all(binding["HostIp"] == "127.0.0.1" for binding in bindings), service)

    def test_2_clients_are_answered_and_observers_hear(self) -> None:
        self.stack.compose("stop", "loadgen")
        with open(PICTURES / "labels.csv") as file:
            classes = {row["file"]: int(row["class_index"]) for row in csv.DictReader(file)}
        names = (ROOT / "models/demo/bundle/labels.txt").read_text().split()
        with self.observer() as observer:
            replies = {path.name: ask(self.stack.http, path.read_bytes(), "latency_ms=200") for path in self.pictures}
            self.assertEqual([one.status for one in replies.values()], [200] * len(replies))
            right = sum(one.body["top"][0]["label"] == names[classes[name]] for name, one in replies.items())
            self.assertGreaterEqual(right, 0.8 * len(replies), f"{right} of {len(replies)} are right")
            ids = {one.id for one in replies.values()}
            wait_for("a receipt for each request", lambda: ids <= set(observer.receipts), 5)
            self.assertEqual({observer.receipts[one] for one in ids}, {1}, "one receipt a request")
            say(f"{right} of {len(replies)} pictures are right")
            refused = ask(self.stack.http, self.pictures[0].read_bytes(), "latency_ms=1&limit=hard")
            self.assertTrue(refused.typed and not refused.answered, refused)
            wait_for("metrics of every service", lambda: set(SERVICES) <= set(observer.metrics), 5)

    def test_4_without_the_link_the_edge_goes_on(self) -> None:
        self.settle()
        with self.load() as load:
            wait_for("splits under load", lambda: any(one.split for one in load.so_far()), 20)
            cut = time.monotonic()
            self.stack.cut_link()
            self.watch.fires("SplinterCloudLost", "SplinterSiteAlone")
            time.sleep(max(0.0, cut + ALONE_S + DEADLINE_S + 1 - time.monotonic()))
            joined = time.monotonic()
            self.stack.join_link()
            wait_for("splits resume", lambda: any(one.split for one in load.since(joined)), 30)
            history = load.stop()
        alone = [one for one in history if cut <= one.began < joined and one.answered and not one.split]
        self.assertTrue(alone, "nothing was answered while the link was cut")
        first = min(one.ended for one in alone) - cut
        after = [one for one in history if cut + ALONE_S <= one.began < joined - 0.5]
        resumed = min(one.ended for one in history if one.began >= joined and one.split) - joined
        say(f"cut: answered alone after {first:.2f} s; joined: split after {resumed:.2f} s; {len(history)} requests")
        self.assertEqual(broken_promises(history), [])
        self.assertLess(first, ALONE_S)
        self.assertTrue(all(one.answered for one in after), "an error later than 3 s after the cut")
        self.assertLess(resumed, JOINED_S)

    def test_5_kill_each_container_under_load(self) -> None:
        may_refuse = {"edge-executor", "edge-broker", "gateway"}
        for service in (*SERVICES, *BROKERS):
            with self.subTest(killed=service):
                self.settle()
                with self.observer() as observer, self.load() as load:
                    wait_for("requests under way", lambda: len(load.so_far()) > 8, 20)
                    container, killed = self.stack.container(service), time.monotonic()
                    self.stack.kill(service)
                    time.sleep(1)
                    back = wait_for(f"{service} is back", lambda: self.stack.healthy(service), BACK_S)
                    wait_for("answers after it", lambda: any(one.answered for one in load.since(killed + back)), 20)
                    history = load.stop()
                    receipts = dict(observer.receipts)
                self.assertEqual(self.stack.container(service), container, "the engine started the same one again")
                failed = [one for one in history if not one.answered]
                say(f"{service}: {len(history)} requests, {len(failed)} not answered, back after {back + 1:.1f} s")
                broken = broken_promises(history, gateway_may_vanish=service in ("gateway",))
                self.assertEqual(broken, [])
                if service not in may_refuse:
                    self.assertEqual([one.body for one in failed], [], "an error although another way was there")
                self.assertEqual([one for one, times in receipts.items() if times > 1], [], "two receipts of a request")

    def test_6_three_cloud_executors_do_more_than_one(self) -> None:
        # Up to three times: whatever else this machine does in one of the two spells is not the stack's doing.
        ratios, began = [], time.monotonic()
        while not ratios or (ratios[-1] <= 1.5 and len(ratios) < 3):
            self.settle()
            one = self.throughput_of_the_cloud()
            self.scale_the_cloud_to(3)
            wait_for("three are healthy", lambda: self.stack.healthy("cloud-executor"), BACK_S)
            self.assertEqual(len(self.stack.containers("cloud-executor")), 3)
            three = self.throughput_of_the_cloud()
            say(f"tails a second of cloud executors with a twentieth of a core each: one {one:.1f}, three {three:.1f}")
            self.scale_the_cloud_to(1)
            ratios.append(three / one)
        self.watch.fires("SplinterOverloaded", "SplinterFrontDrifted", since=began)
        self.assertGreater(ratios[-1], 1.5, ratios)

    def scale_the_cloud_to(self, number: int) -> None:
        # It alone: `up` by itself would also start again what has ended or was stopped.
        self.stack.compose("up", "-d", "--no-recreate", "--no-deps", "--scale", f"cloud-executor={number}", "cloud-executor")

    def throughput_of_the_cloud(self) -> float:
        """Requests a second that cloud executors finish, each held to a twentieth of a core: on this machine's few cores
        they would otherwise share what one of them can use alone."""
        for container in self.stack.containers("cloud-executor"):
            run("docker", "update", "--cpus", "0.05", container)
        began, seconds = time.monotonic(), 8
        with self.load("policy=cloud&latency_ms=1000", clients=12, pause=0.0) as load:
            time.sleep(seconds)
        for container in self.stack.containers("cloud-executor"):
            run("docker", "update", "--cpus", "2", container)
        done = [one for one in load.so_far() if one.split and one.ended - began < seconds]
        return len(done) / seconds

    def test_9_down_loses_no_accepted_request(self) -> None:
        self.stack.compose("stop", "loadgen")
        self.settle()
        with self.observer() as observer, self.stack.exits() as codes, self.load() as load:
            wait_for("requests under way", lambda: len(load.so_far()) > 20, 20)
            began = time.monotonic()
            self.stack.compose(*ALL, "down", at_most=300)
            took = time.monotonic() - began
        history = load.so_far()
        accepted = {one for one, outcome in observer.outcomes.items() if outcome in ("within", "late")}
        answered = {one.id for one in history if one.answered}
        say(f"down in {took:.1f} s under load; {len(answered)} requests answered, {len(accepted)} accepted")
        self.assertGreater(len(accepted), 20)
        self.assertEqual(accepted - answered, set(), "accepted, and the client never heard")
        self.assertEqual({service: codes.get(service) for service in SERVICES}, dict.fromkeys(SERVICES, [0]), "not in order")


class TestImages(unittest.TestCase):
    def test_images_without_networks_are_small(self) -> None:
        tag = os.environ.get("SPLINTER_TAG", "local")
        for service in ("scheduler", "gateway", "tuner"):
            size = int(run("docker", "image", "inspect", "--format", "{{.Size}}", f"splinter/{service}:{tag}"))
            self.assertLess(size, 40_000_000, service)

    def test_the_same_binaries_give_the_same_layers(self) -> None:
        tag, again = os.environ.get("SPLINTER_TAG", "local"), "splintertest-again"
        # The one that holds a file of every kind, and is made of two folders; the others are made as it is.
        image = "splinter/tools"
        try:
            making = ["--binaries", os.environ["SPLINTER_BINARIES"], "--no-cache", "--tag", again]
            label = '{{index .Config.Labels "source_date_epoch"}}'
            epoch = run("docker", "image", "inspect", "--format", label, f"{image}:{tag}").strip()
            then = os.environ | {"SOURCE_DATE_EPOCH": epoch}
            run(str(ROOT / "deploy/images.sh"), *making, "tools", environment=then)
            self.assertEqual(layers(f"{image}:{again}"), layers(f"{image}:{tag}"))
        finally:
            run("docker", "rmi", f"{image}:{again}", check=False)


def layers(image: str) -> list[str]:
    """The digests of what an image's layers hold: names, owners, modes, times and contents of every file."""
    return json.loads(run("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image))


@unittest.skipUnless(os.geteuid() == 0, "the folder of keys must be the containers' user's")
class TestOwnKeys(unittest.TestCase):
    def test_a_service_sees_its_own_key_and_starts_with_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            os.chown(folder, 65532, 65532)
            stack = Stack("splinterkeys", COMPOSE_PROFILES="cloud", SPLINTER_SITE="cloud", SPLINTER_KEYS=folder)
            stack.files += ["-f", str(ROOT / "deploy/own-keys.yaml")]
            try:
                stack.compose("up", "-d")
                self.assertTrue(stack.healthy("hub-broker"))
                wait_for("its key is taken", lambda: "connected to the broker" in stack.logs("cloud-executor"), 30)
                self.assertEqual(stack.files_below("/keys", "cloud-executor"), ["/keys/services/cloud-executor.nk"])
                kept = {path.rsplit("/", 2)[1] for path in stack.files_below("/keys", "hub-broker")}
                self.assertEqual(kept, {"hub"})
            finally:
                stack.down()


# A service's options: nothing in its log but what is wrong, and a broker without keys.
QUIET = ("--env", "SPLINTER_TELEMETRY__FILTER=off")
AT_THE_BROKER = ("--env", "SPLINTER_BROKER__URL=nats://broker:4222")


@contextmanager
def broker_alone(name: str, disk: str) -> Iterator[None]:
    """A broker on a network of that name, which stores what it stores on a disk of some size in memory."""
    image = run(str(ROOT / "deploy/base-images.sh"), "name").strip()
    run("docker", "network", "create", name)
    try:
        options = ["--rm", "--detach", "--name", name, "--network", name, "--network-alias", "broker", "--tmpfs", disk]
        command = ["-js", "-sd", "/data", "-c", "/etc/nats.conf"]
        with tempfile.NamedTemporaryFile("w") as configuration:
            configuration.write("max_payload: 16777216\n")
            configuration.flush()
            mount = ["--volume", f"{configuration.name}:/etc/nats.conf:ro"]
            run("docker", "run", *options, *mount, image, *command)
            yield
    finally:
        run("docker", "rm", "--force", name, check=False)
        run("docker", "network", "rm", name)


class TestBadInput(unittest.TestCase):
    """What is wrong is refused at the start, in one line that says what to change."""

    def line(self, image: str, *options: str, network: str = "none") -> tuple[int, str]:
        tag = os.environ.get("SPLINTER_TAG", "local")
        command = ["docker", "run", "--rm", "--network", network, *options, f"splinter/{image}:{tag}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        self.assertEqual(len(lines), 1, done.stdout)
        return done.returncode, lines[0]

    def test_a_variable_out_of_range(self) -> None:
        for image, variable, named in (
            ("gateway", "SPLINTER_GATEWAY__CAPACITY=0", "gateway.capacity"),
            ("cloud-executor", "SPLINTER_CLOUD_EXECUTOR__CAPACITY=none", "SPLINTER_CLOUD_EXECUTOR__CAPACITY"),
            ("scheduler", "SPLINTER_SCHEDULER__POLICY=best", "SPLINTER_SCHEDULER__POLICY"),
        ):
            code, line = self.line(image, "--env", variable)
            self.assertEqual(code, 64, line)
            self.assertIn(named, line)

    def test_a_missing_key(self) -> None:
        code, line = self.line("tuner", "--env", "SPLINTER_BROKER__NKEY_SEED_FILE=/keys/services/tuner.nk")
        self.assertNotEqual(code, 0)
        self.assertIn("/keys/services/tuner.nk", line)

    def test_a_full_disk_under_the_broker(self) -> None:
        with broker_alone("splinterfull", "/data:size=4k"):
            for image in ("scheduler", "gateway", "edge-executor", "cloud-executor", "optimizer"):
                code, line = self.line(image, *QUIET, *AT_THE_BROKER, network="splinterfull")
                self.assertEqual(code, 1, line)
                self.assertRegex(line, "the broker cannot store it .*: free space on the disk of its store_dir")

    def test_a_full_disk_under_an_executor(self) -> None:
        tag = os.environ.get("SPLINTER_TAG", "local")
        with broker_alone("splinterfull", "/data:size=64m"):
            adding = ["docker", "run", "--rm", "--network", "splinterfull", "--env", "SPLINTER_BROKER=nats://broker:4222"]
            run(*adding, f"splinter/tools:{tag}", "model", "add", "/usr/share/splinter/shapes10")
            for image in ("edge-executor", "cloud-executor"):
                code, line = self.line(image, *QUIET, *AT_THE_BROKER, "--tmpfs", "/tmp:size=64k", network="splinterfull")
                self.assertEqual(code, 1, line)
                self.assertIn("no room for temporary files in /tmp: free some, or set TMPDIR", line)

    def test_a_taken_port(self) -> None:
        stack = Stack("splintertaken")
        with socket.create_server(("127.0.0.1", stack.http)):
            try:
                said = stack.compose("up", "-d", "--no-deps", "gateway", check=False)
            finally:
                stack.down()
        self.assertRegex(said, rf"{stack.http}.*(port is already allocated|address already in use)")

    def test_a_port_out_of_range(self) -> None:
        stack = Stack("splinterrange")
        stack.environment["SPLINTER_HTTP_PORT"] = "99999"
        try:
            said = stack.compose("up", "-d", "--no-deps", "gateway", check=False)
        finally:
            stack.down()
        self.assertRegex(said, "(?i)invalid.*port")


if __name__ == "__main__":
    unittest.main(verbosity=2)
