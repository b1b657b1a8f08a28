"""The probe of what an AppSpec holds, and the agent's own verdict on the collected ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import say
from conftest import SHARED, shared

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
GROUP = "6c4c9f3e-1b2a-4d5e-8f90-a1b2c3d4e5f6"
ARCHIVE = f"{ROOT}/{GROUP}/d-ABCDEF123/deployment-archive"


def revision(root: Path, raw: bytes, name: str = "appspec.yml") -> Host:
    """A copied tree with one AppSpec."""
    host = write(root, {ARCHIVE: None})
    (root / f"{ARCHIVE}/{name}"[1:]).write_bytes(raw)
    return host


GOOD = b"version: 0.0\nos: linux\n"
APPSPECS = [
    (
        "as it should be",
        GOOD,
        {"present": True, "yaml_ok": True, "empty": False, "bom": False, "problem": "", "line": None}
        | {"version": "0.0", "version_ok": True, "os": "linux", "os_ok": True},
    ),
    ("empty", b"", {"yaml_ok": True, "empty": True, "version": "", "version_ok": False, "os_ok": False}),
    ("comments alone", b"# version: 0.0\n\n", {"empty": True}),
    ("null", b"~\n", {"empty": True}),
    ("a tab", b"version: 0.0\nos: linux\nfiles:\n\t- a\n", {"yaml_ok": False, "line": 4, "column": 1, "os": None}),
    ("a quote left open", b'os: "linux\n', {"yaml_ok": False, "empty": None}),
    ("no UTF-8", b"os: \xff\xfe\n", {"yaml_ok": False, "line": 1, "column": 5}),
    ("very deep", b"[" * 100_000 + b"]" * 100_000, {"yaml_ok": False}),
    ("very deep maps", b"{a: " * 60_000, {"yaml_ok": False}),
    ("as deep as anybody writes", b"a: " + b"[" * 90 + b"]" * 90, {"yaml_ok": True}),
    ("another version", b"version: 1.0\nos: linux\n", {"version": "1.0", "version_ok": False}),
    ("a version in quotes", b"version: '0.0'\n", {"version": "0.0", "version_ok": False}),
    ("a version with a capital", b"Version: 0.0\n", {"version": "", "version_ok": False}),
    ("a version that is a list", b"version: [0.0]\n", {"version": "", "version_ok": False}),
    ("zero", b"version: 0\n", {"version_ok": True}),
    ("less than zero", b"version: -0.0\n", {"version_ok": True}),
    ("hexadecimal zero", b"version: 0x0\n", {"version_ok": True}),
    ("hexadecimal one", b"version: 0x1\n", {"version_ok": False}),
    ("a number for one language only", b"version: 0.0_0\n", {"version_ok": False}),
    ("the last of two", b"version: 1\nversion: 0.0\n", {"version": "0.0", "version_ok": True}),
    ("Linux", b"version: 0.0\nos: Linux\n", {"os": "Linux", "os_ok": False}),
    ("windows", b"version: 0.0\nos: windows\n", {"os": "windows", "os_ok": False}),
    ("no os", b"version: 0.0\n", {"os": "", "os_ok": False}),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, {"bom": True, "yaml_ok": True, "os": "", "os_ok": False}),
    ("a list", b"- a\n", {"yaml_ok": True, "empty": False, "version": "", "os": ""}),
    ("what follows the first document", GOOD + b"---\n\t: [\n", {"yaml_ok": True, "os_ok": True}),
    ("a value that goes on for ever", b"os: " + b"x" * 999, {"os": "x" * 80}),
]


@cases(APPSPECS)
def test_parsed(tmp_path: Path, raw: bytes, expected: dict[str, Any]) -> None:
    seen = value("appspec.parsed", revision(tmp_path, raw), archive=ARCHIVE)
    assert {name: seen[name] for name in expected} == expected


PLACES = [
    ("its deployment", {"deployment_id": "d-ABCDEF123", "event": "Install"}, True),
    ("the archive", {"archive": ARCHIVE}, True),
    ("a path in it", {"path": f"{ARCHIVE}/scripts/x"}, True),
    ("another deployment", {"deployment_id": "d-XXXXXXXXX"}, None),
    ("nothing", {}, None),
    ("elsewhere", {"archive": "/etc"}, None),
]


@cases(PLACES)
def test_where_it_is_looked_for(tmp_path: Path, about: dict[str, str], present: bool | None) -> None:
    seen = ask("appspec.parsed", revision(tmp_path, GOOD), **about)
    assert (seen.value and seen.value["present"]) == present


def test_the_other_name(tmp_path: Path) -> None:
    assert value("appspec.parsed", revision(tmp_path, GOOD, "appspec.yaml"), archive=ARCHIVE)["os_ok"] is True


def test_none(tmp_path: Path) -> None:
    """The service may have named another file, so nothing is known of it."""
    seen = value("appspec.parsed", revision(tmp_path, GOOD, "appspec-prod.yml"), archive=ARCHIVE)
    assert (seen["present"], seen["yaml_ok"], seen["os_ok"], seen["empty"]) == (False, None, None, None)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    host = revision(tmp_path, GOOD, "other")
    make(tmp_path / f"{ARCHIVE}/appspec.yml"[1:])
    assert value("appspec.parsed", host, archive=ARCHIVE)["present"] is False


@pytest.mark.parametrize(
    ("target", "present"), [("other", True), ("gone", False), ("appspec.yml", False), (".", False)]
)
def test_a_link_is_followed_as_the_agent_does(tmp_path: Path, target: str, present: bool) -> None:
    """To nothing, to itself and to a folder it is no file to the agent either."""
    host = revision(tmp_path, GOOD, "other")
    (tmp_path / f"{ARCHIVE}/appspec.yml"[1:]).symlink_to(target)
    seen = value("appspec.parsed", host, archive=ARCHIVE)
    assert (seen["present"], seen["os_ok"]) == (present, True if present else None)


@pytest.mark.parametrize("target", ["/etc/hostname", "../secret.yml", "way/secret.yml"])
@pytest.mark.parametrize("live", [True, False])
def test_a_link_out_of_the_revision(tmp_path: Path, target: str, live: bool) -> None:
    """It is said what it is, and what asks of every revision passes over it."""
    revision(tmp_path, GOOD, "other")
    archive = tmp_path / ARCHIVE[1:]
    (archive.parent / "secret.yml").write_text("version: canary\n")
    (archive / "way").symlink_to("..")
    (archive / "appspec.yml").symlink_to(target)
    for pointer in ("_most_recent_install", "_last_successful_install"):
        write(tmp_path, {f"{ROOT}/deployment-instructions/{GROUP}{pointer}": os.path.dirname(ARCHIVE)})
    host = Host(root=str(tmp_path), live=live)
    seen = ask("appspec.parsed", host, archive=ARCHIVE)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert seen.reason.startswith(f"appspec.yml is a link to {target}, out of the revision")
    assert ask("appspec.ignored", host).outcome is Outcome.SKIP
    assert value("stop.next", host)["script"] == ""


def test_an_appspec_that_is_too_large(tmp_path: Path) -> None:
    assert (
        ask("appspec.parsed", revision(tmp_path, GOOD + b"#" * (256 << 10)), archive=ARCHIVE).outcome is Outcome.UNKNOWN
    )
    assert value("appspec.parsed", revision(tmp_path, GOOD + b"#" * (200 << 10)), archive=ARCHIVE)["os_ok"] is True


CONFORMANCE = "appspec-conformance.jsonl"
SAYS = {
    "yaml_ok": ("(<unknown>): ", False),
    "empty": ("was empty", True),
    "version_ok": ("invalid version value", False),
    "os_ok": ("unsupported operating system", False),
}


@pytest.mark.skipif(not (SHARED / CONFORMANCE).exists(), reason="the collected AppSpecs are not here")
def test_the_agents_own_verdict(tmp_path: Path) -> None:
    """What the agent refuses for one of these reasons we see; of what it takes we see none."""
    rows = [json.loads(line) for line in shared(CONFORMANCE).read_text(encoding="utf-8").splitlines()]
    wrong = [row["id"] for row in rows if not _agrees(tmp_path, row)]
    assert len(rows) > 100
    assert wrong == []


def _agrees(root: Path, row: dict[str, Any]) -> bool:
    seen = value("appspec.parsed", revision(root, row["yaml"].encode("utf-8", "surrogateescape")), archive=ARCHIVE)
    told = [row[ruby] for ruby in ("ruby_le_3_0", "ruby_ge_3_1")]
    for field, (words, bad) in SAYS.items():
        if any(words in str(verdict.get("message")) for verdict in told):
            return bool(seen[field] is bad)
        if any(verdict["outcome"] == "ok" for verdict in told) and seen[field] is bad:
            return False
    return True


SAID = [
    (
        "yaml_ok",
        {"yaml_ok": False, "line": 4, "column": 1, "problem": "a tab"},
        "the AppSpec is not YAML at line 4, column 1: a tab",
    ),
    ("version_ok", {"version_ok": False, "version": "1.0"}, "version is '1.0'"),
    ("version_ok", {"version_ok": False, "version": ""}, "the AppSpec has no version"),
    ("os_ok", {"os_ok": False, "os": "linux", "bom": True}, "the AppSpec begins with a byte order mark"),
]


@pytest.mark.parametrize(("field", "seen", "said"), SAID)
def test_words(field: str, seen: dict[str, Any], said: str) -> None:
    assert say("appspec.parsed", field, seen[field], seen) == said
