"""The Prometheus of compose.yaml, asked; and its rules in a hurry, for tests that cause what they name."""

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path

from stack import ROOT, Stack, run

OBSERVE = ROOT / "deploy/observe"


def hasten(rules: str) -> str:
    """Rules that fire within seconds: they wait 2 s, and look back a fifteenth as far, at least 10 s. What is asked for stays.

    Hours and days, which tell what was there before, stay as they are.
    """

    def shorter(minutes: re.Match) -> str:
        return f"{max(10, 4 * int(minutes[1]))}s"

    rules = re.sub(r"(?<=for: )\w+", "2s", rules)
    return re.sub(r"(?<=\[)(\d+)m(?=\])", shorter, re.sub(r"(?<=offset )(\d+)m", shorter, rules))


class Prometheus:
    """Prometheus of a stack, with rules and pace for tests: it asks each second."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.alerts = re.findall(r"- alert: (\w+)", (OBSERVE / "alerts.yml").read_text())
        (folder / "alerts.yml").write_text(hasten((OBSERVE / "alerts.yml").read_text()))
        paced = re.sub(r"(_interval|_timeout): \w+", r"\1: 1s", (OBSERVE / "prometheus.yml").read_text())
        (folder / "prometheus.yml").write_text(paced)
        override = {"services": {"prometheus": {"volumes": [f"{folder}:/etc/prometheus:ro"]}}}
        (folder / "compose.json").write_text(json.dumps(override))
        folder.chmod(0o755)
        stack.files += ["-f", str(folder / "compose.json")]
        stack.environment["SPLINTER_PROMETHEUS_VERSION"] = run(str(ROOT / "deploy/base-images.sh"), "prometheus").strip()
        self.url = f"http://127.0.0.1:{stack.prometheus}/api/v1"

    def ask(self, expression: str) -> list[dict]:
        """What a query returns now: labels and values."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/query?{query}", timeout=5) as answer:
            return json.load(answer)["data"]["result"]

    def numbers(self, expression: str) -> list[float]:
        """The values of it that are numbers."""
        values = [float(one["value"][1]) for one in self.ask(expression)]
        return [value for value in values if value == value]

    def firing(self) -> set[str]:
        return {one["metric"]["alertname"] for one in self.ask('ALERTS{alertstate="firing"}')}

    def fired(self, seconds: float) -> set[str]:
        """What has fired within the last seconds, at any time."""
        return {one["metric"]["alertname"] for one in self.ask(f'last_over_time(ALERTS{{alertstate="firing"}}[{seconds:.0f}s])')}
