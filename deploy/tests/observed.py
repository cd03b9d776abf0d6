"""What tells of the running stack, as tests to be mixed into the stack's own: traces, the dashboard's queries, alerts."""

import json
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector import Collector, Span
from history import ask
from prometheus import OBSERVE, Prometheus
from stack import ROOT, Stack, StackError, run, say, wait_for

# Hardware that is not there cannot break: `deploy/observe/check` breaks a tuner's.
OF_HARDWARE = {"SplinterLeaseOverdue", "SplinterMeterLost", "SplinterBatteryLow"}
# What takes thousands of messages at once: only `promtool` fires these.
ONLY_BY_PROMTOOL = {"SplinterMessagesDropped", "SplinterReceiptsLost", "SplinterRetryBudgetSpent"}
# A machine that is busy with other things than when the front was measured is no fault that the tests could mend.
OF_THIS_MACHINE = {"SplinterFrontDrifted"}
# A fault is seen, waits, and is looked at each second: seconds, unless the machine is busy with other things.
FIRES_S, ENDS_S = 60.0, 120.0
# Two clocks of one machine, read by several processes.
SLACK_S = 0.002


class Watch:
    """A Prometheus and a collector beside a stack, from before the rest of it is up."""

    def __init__(self, stack: Stack) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.prometheus = Prometheus(stack, Path(self._folder.name))
        stack.compose("up", "-d", "prometheus")
        # This machine, as containers of both sites reach it.
        self.collector = Collector(stack.gateway("prometheus"))
        # What a client records, and nothing else: requests under load would be thousands.
        stack.environment["SPLINTER_TELEMETRY__OTLP_ENDPOINT"] = self.collector.url
        stack.environment["SPLINTER_TELEMETRY__TRACE_SHARE"] = "0"
        self.caused: set[str] = set()

    def stop(self) -> None:
        self.collector.stop()
        self._folder.cleanup()

    def fires(self, *alerts: str, since: float | None = None) -> None:
        """Waits until each of these fires, or has since a moment."""
        wanted = set(alerts)

        def missing() -> set[str]:
            return wanted - (self.prometheus.firing() if since is None else self.prometheus.fired(time.monotonic() - since))

        try:
            wait_for("alerts", lambda: not missing(), FIRES_S)
        except StackError as error:
            raise StackError(f"{', '.join(missing())} did not fire") from error
        self.caused |= wanted

    def all_end(self) -> str:
        """Waits until nothing fires that was caused here, and says what did last, and how long."""
        last: set[str] = set()

        def ended() -> bool:
            nonlocal last
            firing = self.prometheus.firing() - OF_THIS_MACHINE
            last = firing or last
            return not firing

        try:
            took = wait_for("every alert has ended", ended, ENDS_S)
        except StackError as error:
            raise StackError(f"{', '.join(last)} still fire") from error
        return f"{', '.join(sorted(last))} ended {took:.1f} s after all was mended"


class Observed:
    """Tests of a `TestCase` that has a running `stack`, a `watch` over it, `load` and `settle`."""

    stack: Stack
    watch: Watch
    pictures: list[Path]

    def test_3_a_split_request_is_one_trace(self) -> None:
        self.settle()
        trace, above = secrets.token_hex(16), secrets.token_hex(8)
        picture = self.pictures[0].read_bytes()
        headers = {"traceparent": f"00-{trace}-{above}-01"}
        with self.front_by_hand():
            # No picture leaves the edge: the fastest of the other points is a split in the middle.
            reply = ask(self.stack.http, picture, "latency_ms=1&least_cut=1&policy=latency", **headers)
        self.assertTrue(reply.split, reply.body)
        self.assertGreater(reply.body["configuration"]["cut"], 0)
        wait_for("the cloud's and the gateway's spans", lambda: self.complete(trace), 15)
        spans = self.watch.collector.of(trace)
        self.assertEqual(len({span.id for span in spans}), len(spans))
        self.check_tree(spans, above)
        self.check_times(spans, reply.body)
        asked = [span for span in spans if span.kind == "server" and span.name != "tune"]
        self.assertEqual({span.attributes.get("splinter.request") for span in asked}, {reply.id})
        self.assertEqual([span for span in spans if span.failed], [])

    def complete(self, trace: str) -> bool:
        names = {(span.service, span.name) for span in self.watch.collector.of(trace)}
        return names >= {("gateway", "request"), ("scheduler", "decide"), ("edge-executor", "execute"), ("cloud-executor", "execute")}

    def check_tree(self, spans: list[Span], above: str) -> None:
        """Each span is below the one that it should be."""
        by_id = {span.id: span for span in spans}

        def way(span: Span) -> str:
            parent = by_id.get(span.parent)
            self.assertTrue(parent or span.parent == above, f"{span} has no parent")
            return (f"{way(parent)} > " if parent else "") + f"{span.service} {span.name}"

        ways = sorted(way(span) for span in spans)
        edge, cloud = "gateway execute > edge-executor execute", "edge-executor transfer > cloud-executor execute"
        expected = [
            "",
            " > gateway plan",
            " > gateway plan > scheduler decide",
            " > gateway execute",
            f" > {edge}",
            *(f" > {edge} > edge-executor {stage}" for stage in ("queue", "preprocess", "head", "encode", "transfer", "reply")),
            f" > {edge} > {cloud}",
            *(f" > {edge} > {cloud} > cloud-executor {stage}" for stage in ("queue", "decode", "tail", "reply")),
            " > gateway reply",
        ]
        # Whether the clock had to change is up to the request before.
        ways = [way for way in ways if "hardware_change" not in way and "tuner" not in way]
        self.assertEqual(ways, sorted(f"gateway request{way}" for way in expected))

    def check_times(self, spans: list[Span], body: dict) -> None:
        """Each lies within the one above it, and takes as long as the answer says."""
        by_id = {span.id: span for span in spans}
        for span in spans:
            if parent := by_id.get(span.parent):
                within = parent.start - SLACK_S <= span.start <= span.end <= parent.end + SLACK_S
                self.assertTrue(within, f"{span} is not within {parent}")
        (request,) = (span for span in spans if span.name == "request")
        self.assertAlmostEqual(request.took, body["latency_ms"] / 1e3, delta=0.02)
        for stage in body["stages"]:
            name, place = stage["stage"], stage["place"]
            service = "gateway" if name == "plan" else f"{place}-executor"
            for span in spans:
                if (span.service, span.name) == (service, name) and name != "transfer":
                    self.assertAlmostEqual(span.took, stage["time_ms"] / 1e3, delta=SLACK_S, msg=f"{span} and {stage}")

    def test_7_every_query_of_the_dashboard_has_returned_data(self) -> None:
        dashboard = json.loads((OBSERVE / "grafana/dashboards/splinter.json").read_text())
        asked = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(asked), 40)
        for title, expression in asked:
            with self.subTest(panel=title, expression=expression):
                # A number at any time since the start: what is counted while something is measured, say, is not there now.
                now = expression.replace("$__rate_interval", "15s")
                ever = f"count_over_time((({now}) >= 0)[{time.monotonic() - self.began:.0f}s:2s])"
                self.assertNotEqual(self.watch.prometheus.numbers(ever), [])

    def test_8_alerts_fire_under_their_fault_and_end_with_it(self) -> None:
        watch, stack = self.watch, self.stack
        self.settle()
        for _ in range(3):
            before = self.instances("optimizer")
            stack.kill("optimizer")
            wait_for("it is seen again", lambda: self.instances("optimizer") - before, 30)
        watch.fires("SplinterRestarts")
        # After that it is measured anew: the cloud is no longer throttled then.
        with self.front_by_hand():
            one_clock, another = self.queries_by_clock().values()
            with self.load():
                with self.load(model=self.network_without_a_front()):
                    watch.fires("SplinterNoFront", "SplinterRequestsLate")
                with stack.stopped("tuner"), self.load(one_clock), self.load(another):
                    watch.fires("SplinterServiceGone", "SplinterHardwareNotSet")
                with stack.stopped("scheduler"), stack.paused("optimizer"):
                    watch.fires("SplinterServiceDown", "SplinterSchedulerGone")
                self.settle()
                with stack.stopped("edge-executor"):
                    self.measure(check=False)
                    watch.fires("SplinterRequestsFail", "SplinterOptimizerFails")
                self.settle()
                with stack.stopped("edge-broker"):
                    watch.fires("SplinterBrokerLost", "SplinterNotReady")
            self.settle()
        ended = watch.all_end()
        say(f"{len(watch.caused)} alerts fired under their fault; {ended}")
        besides = watch.prometheus.fired(time.monotonic() - self.began) - watch.caused
        say(f"besides: {', '.join(sorted(besides)) or 'none'}")
        self.assertEqual(set(watch.prometheus.alerts) - watch.caused, OF_HARDWARE | ONLY_BY_PROMTOOL)

    def instances(self, service: str) -> set[str]:
        """The instances of a service that Prometheus sees: each start makes one."""
        found = self.watch.prometheus.ask(f'splinter_service_info{{service="{service}"}}')
        return {one["metric"]["exported_instance"] for one in found}

    @contextmanager
    def front_by_hand(self) -> Iterator[None]:
        """Decides on figures that tell the points apart on every machine: measured ones are sometimes the same within noise."""
        self.tool(
            *("front", "import", "/front.csv", "--model", "shapes10", "--edge", "edge", "--cloud", "cloud"),
            options=["--volume", f"{Path(__file__).with_name('front.csv')}:/front.csv:ro"],
        )
        wait_for("the scheduler has the front", lambda: set(self.queries_by_clock()) == {600_000, 1_800_000}, 15)
        try:
            yield
        finally:
            self.measure("--afresh")

    def queries_by_clock(self) -> dict[int, str]:
        """Queries that want the edge's clock at a rate of their own."""
        by_clock = {}
        for policy in ("edge", "energy"):
            query = f"latency_ms=500&policy={policy}"
            configuration = ask(self.stack.http, self.pictures[0].read_bytes(), query).body.get("configuration", {})
            by_clock[configuration.get("edge_frequency_khz")] = query
        by_clock.pop(None, None)
        return by_clock

    def network_without_a_front(self) -> str:
        """Adds the demo's network under another name; nobody measures it."""
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(shutil.copytree(ROOT / "models/demo/bundle", Path(folder) / "bundle"))
            description = bundle / "model.toml"
            description.write_text(description.read_text().replace('"shapes10"', '"unmeasured"', 1))
            Path(folder).chmod(0o755)
            self.tool("model", "add", "/bundle", options=["--volume", f"{bundle}:/bundle:ro"])
        picture = self.pictures[0].read_bytes()
        wait_for("it is served", lambda: ask(self.stack.http, picture, "latency_ms=500", "unmeasured").answered, 30)
        return "unmeasured"

    def measure(self, *options: str, check: bool = True) -> None:
        self.tool("optimize", "--model", "shapes10", "--images", "/usr/share/splinter/pictures", *options, check=check)

    def tool(self, *command: str, options: list[str] | None = None, check: bool = True) -> str:
        """What a command of `splinter` says, run by a person."""
        return self.stack.compose("run", "--rm", "--no-deps", "-T", *(options or []), "network", *command, check=check)
