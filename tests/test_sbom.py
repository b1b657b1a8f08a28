"""The bill of materials, and what SECURITY.md promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agentdoctor import __version__, secrets
from conftest import TOP

LOCK = TOP / "requirements.lock"
_HASH = {"type": "object", "required": ["alg", "content"], "additionalProperties": False, "properties": {
    "alg": {"const": "SHA-256"}, "content": {"type": "string", "pattern": "^[a-fA-F0-9]{64}$"},
}}  # fmt: skip
_PURL = {"type": "string", "pattern": r"^pkg:pypi/[a-z0-9][a-z0-9.-]*@[A-Za-z0-9.+!]+$"}
# What CycloneDX 1.5 asks of the parts that we write, and no part that we do not write.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"],
    "properties": {
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.5"},
        "serialNumber": {"pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
        "version": {"const": 1},
        "metadata": {
            "type": "object",
            "required": ["timestamp", "lifecycles", "component"],
            "properties": {
                "timestamp": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "component": {"type": "object", "required": ["type", "name", "version", "purl", "bom-ref", "licenses"]},
            },
        },
        "components": {
            "type": "array",
            "uniqueItems": True,
            "minItems": 5,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["type", "bom-ref", "name", "version", "scope", "purl", "externalReferences"],
                "properties": {
                    "type": {"const": "library"},
                    "bom-ref": _PURL,
                    "purl": _PURL,
                    "name": {"type": "string"},
                    "version": {"type": "string"},
                    "scope": {"enum": ["required", "optional"]},
                    "properties": {"type": "array"},
                    "externalReferences": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["type", "url", "hashes"],
                            "properties": {
                                "type": {"const": "distribution"},
                                "url": {"pattern": "^https://"},
                                "hashes": {"type": "array", "minItems": 1, "items": _HASH},
                            },
                        },
                    },
                },
            },
        },
        "dependencies": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["ref", "dependsOn"],
                "properties": {"ref": _PURL, "dependsOn": {"type": "array", "uniqueItems": True, "items": _PURL}},
            },
        },
    },
}


def bill(directory: Path, epoch: str = "1764115200") -> str:
    """The text that make sbom writes."""
    path = directory / "sbom.cdx.json"
    subprocess.run(
        [sys.executable, TOP / "packaging/sbom.py", LOCK, path],
        env={**os.environ, "PYTHONPATH": str(TOP), "SOURCE_DATE_EPOCH": epoch},
        check=True,
    )
    return path.read_text()


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return dict(json.loads(bill(tmp_path_factory.mktemp("sbom"))))


def test_schema(document: dict[str, Any]) -> None:
    """The parts of CycloneDX that are in it are as they must be."""
    jsonschema.validate(document, SCHEMA)


JUDGE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read())
sys.exit(str(problem.data) if problem else 0)
"""
CYCLONEDX = TOP / ".venv-cyclonedx/bin/python"


@pytest.mark.skipif(not CYCLONEDX.exists(), reason="make .venv-cyclonedx/.made installs CycloneDX's own schema")
@pytest.mark.parametrize(("change", "good"), [({}, True), ({"serialNumber": "7"}, False)], ids=["ours", "a broken one"])
def test_schema_of_cyclonedx(change: dict[str, Any], good: bool, document: dict[str, Any]) -> None:
    """The same by the project's own schema."""
    text = json.dumps({**document, **change})
    done = subprocess.run([CYCLONEDX, "-c", JUDGE], input=text, capture_output=True, text=True, check=False)

    assert (done.returncode == 0) is good, done.stderr


def test_every_pin_is_in_it(document: dict[str, Any]) -> None:
    """With each checksum; and nothing that is not pinned."""
    lock = LOCK.read_text()
    pins = set(re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE))
    hashes = [h["content"] for part in document["components"] for h in part["externalReferences"][0]["hashes"]]

    assert {(part["name"], part["version"]) for part in document["components"]} == pins
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", lock))


def test_dependencies(document: dict[str, Any]) -> None:
    """Each part once, all that is named exists, and all is needed by something."""
    refs = [part["bom-ref"] for part in document["components"]]
    own = document["metadata"]["component"]["bom-ref"]
    needs = {row["ref"]: set(row["dependsOn"]) for row in document["dependencies"]}

    assert own == f"pkg:pypi/agentdoctor@{__version__}"
    assert set(needs) == {own, *refs}
    assert set().union(*needs.values()) == set(refs)
    assert {ref.split("@")[0] for ref in needs[own]} >= {"pkg:pypi/boto3", "pkg:pypi/psutil", "pkg:pypi/pyyaml"}
    assert {part["name"] for part in document["components"] if part["scope"] == "optional"} == {"systemd-python"}


def test_a_pin_for_some_pythons(document: dict[str, Any]) -> None:
    """A marker stands with its part: of two versions of watchdog only one is installed."""
    markers = {p["version"]: p["properties"][0]["value"] for p in document["components"] if p["name"] == "watchdog"}

    assert len(markers) == LOCK.read_text().count("\nwatchdog==")
    assert all(marker.startswith("python_full_version ") for marker in markers.values())


def test_builds_are_reproducible(tmp_path: Path) -> None:
    """The same lock and the same date: the same file."""
    assert bill(tmp_path) == bill(tmp_path)
    assert bill(tmp_path, "1764115201") != bill(tmp_path)


def test_every_kind_of_secret_is_named() -> None:
    """SECURITY.md lists what is removed: the kinds as they are shown."""
    (listed,) = re.findall(r"them: (access-key, .*?)\.", (TOP / "SECURITY.md").read_text(), re.DOTALL)

    assert set(re.split(r",\s+", listed)) == {form.kind for form in secrets._FORMS} | {"private-key"}
