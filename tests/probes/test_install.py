"""The probe of a place where Install wanted to put a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome

from .conftest import ask, cases, value, write

INSTRUCTIONS = "/opt/codedeploy-agent/deployment-root/deployment-instructions"
TREE = {
    "/srv/app/index.html": "x",
    "/srv/app/index": "x",
    f"{INSTRUCTIONS}/group-1-cleanup": "/srv/app\nsemanage\0/srv/app/other\n/srv/app/index.html\n",
    f"{INSTRUCTIONS}/group-2-cleanup": "/srv/old/last-line-without-end",
    f"{INSTRUCTIONS}/group-1-install.json": '{"instructions":["/srv/app/index"]}',
}

TARGETS = [
    ("a file of the agent's", "/srv/app/index.html", {"exists": True, "kind": "file", "listed": True, "lists": 2}),
    ("a file of somebody else's", "/srv/app/index", {"exists": True, "kind": "file", "listed": False, "lists": 2}),
    ("a directory", "/srv/app", {"exists": True, "kind": "directory", "listed": True}),
    ("nothing there", "/srv/app/none", {"exists": False, "kind": "", "listed": False}),
    ("nothing there, once installed", "/srv/old/last-line-without-end", {"exists": False, "listed": True}),
    ("below a file", "/srv/app/index/none", {"exists": False, "kind": ""}),
    ("a link", "/srv/link", {"exists": True, "kind": "link"}),
    ("a dangling link", "/srv/dangling", {"exists": True, "kind": "link"}),
    ("a pipe", "/srv/pipe", {"exists": True, "kind": "other"}),
    ("part of a line", "/app/index.html", {"exists": False, "listed": False}),
]


@cases(TARGETS)
def test_target(tmp_path: Path, path: str, expected: dict[str, Any]) -> None:
    write(tmp_path, TREE)
    (tmp_path / "srv/link").symlink_to("app")
    (tmp_path / "srv/dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "srv/pipe")
    seen = value("install.target", Host(root=str(tmp_path)), path=path)
    assert {name: seen[name] for name in expected} == expected


def test_no_instructions_yet(tmp_path: Path) -> None:
    seen = value("install.target", Host(root=str(tmp_path)), path="/srv/app")
    assert seen == {"exists": False, "kind": "", "listed": False, "lists": 0}


@pytest.mark.parametrize("path", ["srv/app", "/srv/../etc/shadow", "/srv//app", "/srv/app/", "/srv/./app", "/srv/a\0b"])
def test_a_path_that_is_not_plain(tmp_path: Path, path: str) -> None:
    assert ask("install.target", Host(root=str(tmp_path)), path=path).outcome is Outcome.UNKNOWN


def test_a_list_too_long_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentdoctor.probes.install._LIST_LIMIT", 20)
    write(tmp_path, TREE)
    host = Host(root=str(tmp_path))
    assert value("install.target", host, path="/srv/app/index.html")["listed"] is None
    assert value("install.target", host, path="/srv/app")["listed"] is True
