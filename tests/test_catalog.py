"""The journal's catalog: what journalctl -x says of each finding, asked of the real one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sinks import FINDING, letter

from agentdoctor import rules as catalogue
from agentdoctor.sinks.journal import fields, message_id
from conftest import TOP

REMOTE = Path("/lib/systemd/systemd-journal-remote")
RULES = catalogue.load().rules
JOURNALCTL = pytest.mark.skipif(not shutil.which("journalctl"), reason="journalctl is not here")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the catalog where a package puts it, made as a build makes it."""
    root = tmp_path_factory.mktemp("root")
    for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
        (root / folder).mkdir(parents=True)
    subprocess.run(
        [sys.executable, TOP / "packaging/docs", "catalog", root / "usr/lib/systemd/catalog"],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        check=True,
    )
    return root


def journalctl(*arguments: object) -> str:
    done = subprocess.run(["journalctl", *map(str, arguments)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def entries(root: Path) -> dict[str, str]:
    """The text below the head of each entry, by MESSAGE_ID."""
    text = (root / "usr/lib/systemd/catalog/agentdoctor.catalog").read_text()
    found = re.findall(r"^-- ([0-9a-f]{32})\n(?:[\w-]+: [^\n]*\n)+\n(.*?)(?=^-- |\Z)", text, re.MULTILINE | re.DOTALL)
    assert len({id_ for id_, _ in found}) == len(found)
    return dict(found)


@JOURNALCTL
def test_systemd_takes_every_entry(root: Path) -> None:
    """Compiled without a complaint; each rule is listed by its title."""
    journalctl(f"--root={root}", "--update-catalog")
    listed = journalctl(f"--root={root}", "--list-catalog")

    assert set(listed.splitlines()) == {f"{message_id(rule.id)} agentdoctor: {rule.title}" for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_cause_and_fix_are_there(rule: Any, root: Path) -> None:
    """As the rule has them, or, where it has names in braces, as the entry has them."""
    text = entries(root)[message_id(rule.id)]
    words = " ".join(text.split())

    assert rule.cause in words or ("{" in rule.cause and "@AGENTDOCTOR_CAUSE@" in words)
    rows = [row for step in rule.remediation for row in step.command.strip().splitlines()]
    steps = all(step.text in words for step in rule.remediation) and all(row in text for row in rows)
    assert steps or "@AGENTDOCTOR_FIX@" in words
    assert f"agentdoctor verify {rule.id}" in words


def test_only_fields_that_every_entry_has(root: Path) -> None:
    """Another would be shown by its name. systemd takes @CAPITALS@ for a field wherever they stand."""
    used = {name for text in entries(root).values() for name in re.findall(r"@([A-Z0-9_]+)@", text)}
    plain = letter({**FINDING, "subject": None, "deployment": None}, deployment_group="")

    assert {"AGENTDOCTOR_CAUSE", "AGENTDOCTOR_FIX"} < used <= set(fields(plain))


def test_systemd_leaves_out_no_line(root: Path) -> None:
    """It passes over lines that begin with # or ;."""
    assert not [row for text in entries(root).values() for row in text.splitlines() if row[:1] in ("#", ";")]


SAID = {
    "a rule of plain words": (
        {"rule": "agent-already-running"},
        ["The second start gave up and the first agent works on", "sudo systemctl restart codedeploy-agent"],
    ),
    "a rule of names": (
        {"rule": "file-already-exists"},
        [
            "The agent asked the metadata service for credentials and got none.",
            "1. Attach a profile [operator, risk: low]",
            "     aws ec2 associate --x y",
        ],
    ),
    "what is over": (
        {"rule": "disk-full", "event": "recovered"},
        ["disk-full recovered, critical, on i-0123456789abcdef0."],
    ),
}


@JOURNALCTL
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root for a catalog of its own")
@pytest.mark.skipif(not REMOTE.exists(), reason="the package systemd-journal-remote writes the journal for this test")
@pytest.mark.parametrize(("changes", "shown"), SAID.values(), ids=SAID)
def test_journalctl_shows_cause_and_fix(changes: dict[str, Any], shown: list[str], root: Path, tmp_path: Path) -> None:
    """With the values of this host, where the rule has names for them."""
    journalctl(f"--root={root}", "--update-catalog")
    written = b"__REALTIME_TIMESTAMP=1795000000000000\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=" + b"a" * 32 + b"\n"
    for name, value in fields(letter(**changes)).items():
        raw = value.encode()
        written += name.encode() + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n"
    subprocess.run(
        [REMOTE, f"--output={tmp_path}/x.journal", "-"], input=written + b"\n", check=True, capture_output=True
    )

    asked = 'mount --bind "$0" /var/lib/systemd/catalog && journalctl -x --no-pager --file "$1"'
    command = ["unshare", "--mount", "sh", "-c", asked, root / "var/lib/systemd/catalog", tmp_path / "x.journal"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    for words in shown:
        assert words in said
    assert "AGENTDOCTOR_" not in said
