"""What can be checked of compose file, manifests and units without running them."""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
# The newest Kubernetes whose schema the checker brings, and the oldest that its project still looks after.
VERSIONS = ("1.33", "1.37")


def documents(site: str) -> list[dict]:
    files = yaml.safe_load((KUBERNETES / site / "kustomization.yaml").read_text())["resources"]
    texts = [(KUBERNETES / site / file).read_text() for file in files]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def pods(site: str) -> list[tuple[str, dict]]:
    found = [document for document in documents(site) if "template" in document.get("spec", {})]
    return [(document["metadata"]["name"], document["spec"]["template"]["spec"]) for document in found]


class TestKubernetes(unittest.TestCase):
    def test_every_manifest_fits_the_schema(self) -> None:
        for site in ("cloud", "edge"):
            for document in documents(site):
                for version in VERSIONS:
                    with self.subTest(site=site, name=document["metadata"]["name"], version=version):
                        kubernetes_validate.validate(document, version, strict=True)

    def test_pods_are_hardened(self) -> None:
        for site in ("cloud", "edge"):
            for name, pod in pods(site):
                with self.subTest(site=site, name=name):
                    self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                    self.assertGreater(pod["terminationGracePeriodSeconds"], 40)
                    for container in pod["containers"]:
                        rights = container["securityContext"]
                        self.assertTrue(rights["readOnlyRootFilesystem"])
                        self.assertFalse(rights["allowPrivilegeEscalation"])
                        self.assertEqual(rights["capabilities"]["drop"], ["ALL"])
                        self.assertIn("memory", container["resources"]["limits"])
                        self.assertIn("readinessProbe", container)

    def test_images_are_those_of_the_dockerfile_and_listed_for_a_registry(self) -> None:
        targets = set(re.findall(r"^FROM common AS (\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.M))
        for site in ("cloud", "edge"):
            listed = yaml.safe_load((KUBERNETES / site / "kustomization.yaml").read_text())["images"]
            used = [c["image"].split(":")[0] for _, pod in pods(site) for c in pod["containers"]]
            ours = {image.removeprefix("splinter/") for image in used if image.startswith("splinter/")}
            self.assertLessEqual(ours, targets)
            self.assertEqual(ours, {image["name"].removeprefix("splinter/") for image in listed})

    def test_kustomize_builds_both_sites(self) -> None:
        if shutil.which("kubectl") is None:
            self.skipTest("there is no kubectl")
        for site in ("cloud", "edge"):
            built = subprocess.run(
                ["kubectl", "kustomize", str(KUBERNETES / site)], capture_output=True, text=True, timeout=60
            )
            self.assertEqual(built.returncode, 0, built.stderr)
            names = {document["metadata"]["namespace"] for document in yaml.safe_load_all(built.stdout)}
            self.assertEqual(names, {"splinter"})


class TestUnits(unittest.TestCase):
    def test_systemd_takes_every_unit(self) -> None:
        if shutil.which("systemd-analyze") is None:
            self.skipTest("there is no systemd-analyze")
        units = sorted(map(str, (ROOT / "deploy/systemd").glob("*.service")))
        self.assertEqual(len(units), 8)
        said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60).stderr
        # The programs are installed on the machines that the units are for.
        problems = [line for line in said.splitlines() if "is not executable" not in line]
        self.assertEqual(problems, [])

    def test_units_wait_longer_than_a_service_takes_to_leave(self) -> None:
        for unit in (ROOT / "deploy/systemd").glob("*.service"):
            self.assertGreater(int(re.search(r"TimeoutStopSec=(\d+)", unit.read_text())[1]), 40, unit.name)


class TestCompose(unittest.TestCase):
    file = yaml.safe_load((ROOT / "compose.yaml").read_text())

    def test_every_container_is_hardened(self) -> None:
        for name, service in self.file["services"].items():
            if not service["image"].startswith(("splinter/", "nats:")):
                continue
            with self.subTest(service=name):
                self.assertEqual(service["user"], "65532:65532")
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertNotIn("privileged", service)
                self.assertIn("mem_limit", service)
                self.assertGreaterEqual(int(service["stop_grace_period"].removesuffix("s")), 45)

    def test_every_compose_takes_the_file_of_every_site(self) -> None:
        # `docker compose` (v2 and later, which is written in Go) comes with requirements.txt, v1 from Debian.
        for command in (Path(sys.executable).with_name("docker-compose"), shutil.which("docker-compose")):
            for options in (
                [],
                ["--env-file", "deploy/cloud.env"],
                ["--env-file", "deploy/edge.env"],
                ["--profile", "demo", "--profile", "observe"],
            ):
                with self.subTest(command=str(command), options=options):
                    if command is None or not Path(command).exists():
                        self.skipTest("it is not installed")
                    checking = [str(command), *options, "config", "--quiet"]
                    done = subprocess.run(checking, cwd=ROOT, capture_output=True, text=True, timeout=60)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_on_two_machines_no_service_sees_the_others_keys(self) -> None:
        override = yaml.safe_load((ROOT / "deploy/own-keys.yaml").read_text())["services"]
        for site in ("cloud", "edge"):
            self.assertIn("COMPOSE_FILE=compose.yaml:deploy/own-keys.yaml\n", (ROOT / f"deploy/{site}.env").read_text())
        for name, service in self.file["services"].items():
            # `keys` makes them; the demo, which has `network`, runs on one machine.
            if {"edge", "cloud"} & set(service["profiles"]) and name != "keys":
                empty, own = override[name]["volumes"]
                self.assertEqual(empty, "no-keys:/keys")
                part = own.split("}", 1)[1].split(":")
                self.assertEqual(part, [part[0], f"/keys{part[0]}", "ro"])
                self.assertIn(part[0], (f"/services/{name}.nk", f"/{name.removesuffix('-broker')}"))

    def test_every_image_of_ours_is_built_and_never_pulled(self) -> None:
        targets = set(re.findall(r"^FROM common AS (\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.M))
        for name, service in self.file["services"].items():
            if service["image"].startswith("splinter/"):
                target = service["image"].removeprefix("splinter/").split(":")[0]
                self.assertEqual(service.get("build", {}).get("target"), target, name)
                self.assertIn(target, targets)

    def test_every_port_is_on_loopback_by_default(self) -> None:
        for name, service in self.file["services"].items():
            for port in service.get("ports", []):
                address = re.sub(r"\$\{[^:}]+:-([^}]*)\}", r"\1", port)
                self.assertTrue(address.startswith("127.0.0.1:"), f"{name}: {address}")

    def test_no_secret_is_in_the_repository(self) -> None:
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=60).stdout.split("\n")
        # An nkey seed, or a private key in PEM; test fixtures of keys would be found as well.
        secret = re.compile(rb"\bS[UAONCX][A-Z2-7]{56}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")
        found = [name for name in tracked if (path := ROOT / name).is_file() and secret.search(path.read_bytes())]
        self.assertEqual(found, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
