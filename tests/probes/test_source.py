"""The probes of what the files section takes from a revision."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import say

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
GROUP = "6c4c9f3e-1b2a-4d5e-8f90-a1b2c3d4e5f6"
ARCHIVE = f"{ROOT}/{GROUP}/d-ABCDEF123/deployment-archive"
TREE = {f"{ARCHIVE}/dist/index.html": "", f"{ARCHIVE}/dist/app.js": "", f"{ARCHIVE}/Build/x": ""}

SOURCES = [
    ("there", "dist/index.html", True, ""),
    ("a folder", "dist", True, ""),
    ("a folder with a slash", "dist/", True, ""),
    ("with a slash before it", "/dist/index.html", True, ""),
    ("capitals", "build", False, "Build"),
    ("a letter", "dist/index.htm", False, "dist/index.html"),
    ("the folder on the way", "dits/index.html", False, "dist"),
    ("nothing like it", "target/app.war", False, ""),
    ("below a file", "dist/app.js/x", False, "dist/app.js"),
    ("a wildcard", "dist/*", False, ""),
]


@cases(SOURCES)
def test_file(tmp_path: Path, source: str, exists: bool, near: str) -> None:
    seen = value("source.file", write(tmp_path, TREE), archive=ARCHIVE, source=source)
    assert seen == {"archive_present": True, "exists": exists, "near": near}


def test_no_archive(tmp_path: Path) -> None:
    host = write(tmp_path, {ROOT: None})
    assert value("source.file", host, archive=ARCHIVE, source="x")["exists"] is None
    assert value("source.names", host, path=f"{ARCHIVE}/x")["bad"] is None


REFUSED = [("a way up", ARCHIVE, "../../x"), ("elsewhere", "/etc", "passwd"), ("a NUL", ARCHIVE, "a\0b")]


@cases(REFUSED)
def test_what_is_no_source(tmp_path: Path, archive: str, source: str) -> None:
    host = write(tmp_path, TREE)
    assert ask("source.file", host, archive=archive, source=source).outcome is Outcome.UNKNOWN


def test_links_are_not_followed(tmp_path: Path) -> None:
    host = write(tmp_path, {**TREE, "/etc/shadow-like": ""})
    (tmp_path / f"{ARCHIVE}/out"[1:]).symlink_to(tmp_path / "etc")
    assert value("source.file", host, archive=ARCHIVE, source="out/shadow-lik")["near"] == ""


LINKS = [
    ("to what is there", "dist", True, True),
    ("to nothing", "nowhere", False, False),
    ("out of the revision, to what is there", "/etc", True, None),
    ("out of the revision, to nothing", "/nowhere-here", False, None),
]


@cases(LINKS)
def test_a_source_that_is_a_link(tmp_path: Path, target: str, living: bool, copied: bool | None) -> None:
    """The agent opens what it leads to."""
    host = write(tmp_path, TREE)
    (tmp_path / f"{ARCHIVE}/link"[1:]).symlink_to(target)
    assert value("source.file", host, archive=ARCHIVE, source="link")["exists"] is copied
    assert value("source.file", Host(root=str(tmp_path)), archive=ARCHIVE, source="link")["exists"] is living


NAMES: list[tuple[str, list[bytes], dict[str, Any]]] = [
    ("ASCII", [], {"bad": 0, "example": "", "entries": 5}),
    ("UTF-8", ["dist/gr\u00fc\u00dfe.html".encode()], {"bad": 0, "entries": 6}),
    ("Latin-1", ["dist/gr\u00fc\u00dfe.html".encode("latin-1")], {"bad": 1, "example": "dist/gr??e.html"}),
    ("a folder", [b"b\xff/x"], {"bad": 1, "example": "b?", "entries": 7}),
    ("two", [b"z\xff", b"a\xff"], {"bad": 2, "example": "a?"}),
]


def add(root: Path, names: list[bytes]) -> None:
    for name in names:
        path = os.path.join(os.fsencode(root), ARCHIVE[1:].encode(), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w"):
            pass


@cases(NAMES)
def test_names(tmp_path: Path, names: list[bytes], expected: dict[str, Any]) -> None:
    host = write(tmp_path, TREE)
    add(tmp_path, names)
    seen = value("source.names", host, deployment_id="d-ABCDEF123", event="Install")
    assert {name: seen[name] for name in expected} == expected


def test_too_many_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To have found none in a part proves nothing; to have found one does."""
    monkeypatch.setattr("agentdoctor.probes.source._ENTRIES", 1)
    host = write(tmp_path, TREE)
    assert value("source.names", host, deployment_id="d-ABCDEF123")["bad"] is None
    add(tmp_path, [b"\xff"])
    assert value("source.names", host, deployment_id="d-ABCDEF123")["bad"] == 1


def test_words() -> None:
    seen = {"exists": False, "near": "Build"}
    assert say("source.file", "exists", False, seen) == "the revision does not hold the source, but Build"
    seen = {"bad": 1, "entries": 9, "example": "a?"}
    assert say("source.names", "bad", 1, seen) == "1 of 9 names in the revision are not UTF-8, as a?"
