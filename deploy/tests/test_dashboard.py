"""The dashboard and Grafana's provisioning, against Grafana's own schemas and documentation; nothing of it runs."""

import copy
import itertools
import json
import re
import unittest
from pathlib import Path

import yaml

import grafana

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "deploy/observe/grafana"

# What Grafana's guide to provisioning names. It says nothing of a field that it does not know, and goes on without.
DATA_SOURCE = {
    "name", "type", "access", "orgId", "uid", "url", "user", "database", "basicAuth", "basicAuthUser", "withCredentials",
    "isDefault", "jsonData", "secureJsonData", "version", "editable",
}  # fmt: skip
OF_PROMETHEUS = {
    "httpMethod", "timeInterval", "queryTimeout", "manageAlerts", "prometheusType", "prometheusVersion", "cacheLevel",
    "disableMetricsLookup", "incrementalQuerying", "incrementalQueryOverlapWindow", "exemplarTraceIdDestinations",
}  # fmt: skip
PROVIDER = {
    "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates", "options",
}  # fmt: skip


def dashboard() -> dict:
    return json.loads((GRAFANA / "dashboards/splinter.json").read_text())


def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


class TestDashboard(unittest.TestCase):
    def test_grafana_knows_every_field_and_its_type(self) -> None:
        self.assertEqual(grafana.problems(dashboard()), [])

    def test_the_schema_is_that_of_the_grafana_that_runs(self) -> None:
        requirements = (ROOT / "deploy/tests/requirements.txt").read_text()
        schema = re.search(r"^grafana-foundation-sdk==\d+!(\S+)$", requirements, re.M)[1]
        self.assertIn(f":-{schema}}}", compose()["grafana"]["image"])

    def test_what_grafana_does_not_know_is_found(self) -> None:
        def change(*path, to) -> dict:
            changed = copy.deepcopy(dashboard())
            part = changed
            for step in path[:-1]:
                part = part[step]
            part[path[-1]] = to
            return changed

        stat = next(index for index, panel in enumerate(dashboard()["panels"]) if panel["type"] == "stat")
        series = next(index for index, panel in enumerate(dashboard()["panels"]) if panel["type"] == "timeseries")
        for wrong in (
            change("refreshes", to="5s"),
            change("graphTooltip", to=7),
            change("schemaVersion", to="39"),
            change("time", "since", to="now-15m"),
            change("panels", stat, "type", to="stats"),
            change("panels", stat, "titel", to="Requests"),
            change("panels", stat, "gridPos", "h", to="4"),
            change("panels", stat, "options", "colourMode", to="value"),
            change("panels", stat, "options", "textMode", to="loud"),
            change("panels", stat, "targets", 0, "query", to="up"),
            change("panels", stat, "targets", 0, "instant", to="yes"),
            change("panels", stat, "datasource", "type", to="unheard-of"),
            change("panels", stat, "fieldConfig", "defaults", "custom", "fillOpacity", to=20),
            change("panels", series, "fieldConfig", "defaults", "unit", to="joules"),
            change("panels", series, "fieldConfig", "defaults", "custom", "fill", to=20),
            change("panels", series, "fieldConfig", "defaults", "custom", "stacking", "mode", to="piled"),
            change("panels", series, "options", "legend", "displayMode", to="rows"),
        ):
            self.assertEqual(len(grafana.problems(wrong)), 1, grafana.problems(wrong))

    def test_panels_have_their_own_numbers_and_places(self) -> None:
        panels = dashboard()["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        for panel in panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            names = [target["refId"] for target in panel.get("targets", [])]
            self.assertEqual(len(set(names)), len(names), panel["title"])
        for one, other in itertools.combinations(panels, 2):
            a, b = one["gridPos"], other["gridPos"]
            apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            self.assertTrue(apart, f"{one['title']} lies on {other['title']}")


class TestProvisioning(unittest.TestCase):
    def test_the_data_source(self) -> None:
        file = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
        self.assertEqual((set(file), file["apiVersion"]), ({"apiVersion", "datasources"}, 1))
        (source,) = file["datasources"]
        self.assertLessEqual(set(source), DATA_SOURCE)
        self.assertLessEqual(set(source["jsonData"]), OF_PROMETHEUS)
        self.assertEqual((source["type"], source["access"]), ("prometheus", "proxy"))
        asked = {(target["datasource"]["type"], target["datasource"]["uid"])
                 for panel in dashboard()["panels"] for target in panel.get("targets", [])}
        self.assertEqual(asked, {(source["type"], source["uid"])})
        # The steps of panels fit how often Prometheus asks.
        asking = yaml.safe_load((ROOT / "deploy/observe/prometheus.yml").read_text())["global"]["scrape_interval"]
        self.assertEqual(source["jsonData"]["timeInterval"], asking)

    def test_the_dashboards(self) -> None:
        file = yaml.safe_load((GRAFANA / "provisioning/dashboards/splinter.yml").read_text())
        self.assertEqual((set(file), file["apiVersion"]), ({"apiVersion", "providers"}, 1))
        (provider,) = file["providers"]
        self.assertLessEqual(set(provider), PROVIDER)
        self.assertEqual(provider["type"], "file")
        self.assertLessEqual(set(provider["options"]), {"path", "foldersFromFilesStructure"})
        mounts = dict(volume.split(":")[:2][::-1] for volume in compose()["grafana"]["volumes"])
        self.assertEqual(mounts[provider["options"]["path"]], "./deploy/observe/grafana/dashboards")
        self.assertEqual(mounts["/etc/grafana/provisioning"], "./deploy/observe/grafana/provisioning")


if __name__ == "__main__":
    unittest.main(verbosity=2)
