"""The probe of a place where Install wanted to put a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import tell

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
INSTRUCTIONS = f"{ROOT}/deployment-instructions"
LAST = (
    '{"instructions":[{"type":"mkdir","directory":"/srv/app"},'
    '{"type":"copy","source":"/a/index.html","destination":"/srv/app/index.html"},'
    '{"type":"copy","source":"/a/gone.html","destination":"/srv/app/gone.html"},'
    '{"type":"chmod","mode":"644","file":"/srv/app/index"}]}'
)
TREE = {
    "/srv/app/index.html": "x",
    "/srv/app/index": "x",
    f"{ROOT}/group-1/d-AAAAAAAAA/deployment-archive": None,
    f"{INSTRUCTIONS}/group-1-install.json": LAST,
    f"{INSTRUCTIONS}/group-2-cleanup": "/srv/two\nsemanage\0/srv/two/other\n/srv/two/last-line-without-end",
}
OURS = {"group_id": "group-1"}

OWNERS = [
    ("this group's", "/srv/app/index.html", OURS, {"exists": True, "kind": "file", "owner": "this group"}),
    ("the deployment names the group", "/srv/app/index.html", {"deployment_id": "d-AAAAAAAAA"}, {"group": "group-1"}),
    ("another group's", "/srv/two", OURS, {"exists": False, "owner": "another group", "group": "group-2"}),
    ("the last line of a list", "/srv/two/last-line-without-end", OURS, {"owner": "another group"}),
    ("of an unknown group", "/srv/two", {}, {"owner": "a group", "group": "group-2", "gone": None}),
    ("of an unknown deployment", "/srv/two", {"deployment_id": "d-XXXXXXXXX"}, {"owner": "a group"}),
    ("an id that is no id", "/srv/two", {"group_id": "../../etc"}, {"owner": "a group"}),
    ("nobody's", "/srv/app/index", OURS, {"exists": True, "owner": "nobody", "group": ""}),
    ("part of a line", "/two", OURS, {"exists": False, "owner": "nobody"}),
    ("a directory", "/srv/app", OURS, {"exists": True, "kind": "directory", "owner": "this group"}),
    ("below a file", "/srv/app/index/none", OURS, {"exists": False, "kind": "", "since": None}),
    ("a link", "/srv/link", OURS, {"exists": True, "kind": "link"}),
    ("a dangling link", "/srv/dangling", OURS, {"exists": True, "kind": "link"}),
    ("a pipe", "/srv/pipe", OURS, {"exists": True, "kind": "other"}),
    ("the damage", "/srv/app/index", OURS, {"gone": 1, "listed_total": 3}),
    ("a group without a list", "/srv/app/index", {"group_id": "group-9"}, {"gone": 0, "listed_total": 0}),
]


@cases(OWNERS)
def test_owner(tmp_path: Path, path: str, about: dict[str, str], expected: dict[str, Any]) -> None:
    write(tmp_path, TREE)
    (tmp_path / "srv/link").symlink_to("app")
    (tmp_path / "srv/dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "srv/pipe")
    seen = value("install.owner", Host(root=str(tmp_path)), path=path, **about)
    assert {name: seen[name] for name in expected} == expected


COPIED = [
    ("in the copy", "/srv/app/index.html", True),
    ("not in the copy, which need not hold all", "/srv/two", None),
]


@cases(COPIED)
def test_a_copied_tree(tmp_path: Path, path: str, exists: bool | None) -> None:
    seen = value("install.owner", write(tmp_path, TREE), path=path, group_id="group-1")
    assert (seen["exists"], seen["gone"]) == (exists, None)


def test_no_instructions_yet(tmp_path: Path) -> None:
    seen = value("install.owner", Host(root=str(tmp_path)), path="/srv/app", group_id="group-1")
    assert (seen["exists"], seen["owner"], seen["gone"]) == (False, "nobody", 0)


@pytest.mark.parametrize("path", ["srv/app", "/srv/../etc/shadow", "/srv//app", "/srv/app/", "/srv/./app", "/srv/a\0b"])
def test_a_path_that_is_not_plain(tmp_path: Path, path: str) -> None:
    assert ask("install.owner", Host(root=str(tmp_path)), path=path).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("text", ["{", "[]", '{"instructions": 1}', "[" * 100_000, LAST[:-9]])
def test_instructions_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    write(tmp_path, {**TREE, f"{INSTRUCTIONS}/group-1-install.json": text})
    host = Host(root=str(tmp_path))
    seen = value("install.owner", host, path="/srv/app/index", group_id="group-1")
    assert (seen["exists"], seen["owner"], seen["gone"]) == (True, None, None)
    assert value("install.owner", host, path="/srv/two", group_id="group-1")["owner"] == "another group"


def test_steps_of_an_odd_shape(tmp_path: Path) -> None:
    text = '{"instructions":[1,null,{"type":"copy"},{"destination":["/a"]},{"destination":"/srv/app/index"}]}'
    write(tmp_path, {**TREE, f"{INSTRUCTIONS}/group-1-install.json": text})
    seen = value("install.owner", Host(root=str(tmp_path)), path="/srv/app/index", group_id="group-1")
    assert (seen["owner"], seen["listed_total"]) == ("this group", 1)


def test_a_list_too_long_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentdoctor.probes.install._LIST_LIMIT", 20)
    write(tmp_path, TREE)
    host = Host(root=str(tmp_path))
    assert value("install.owner", host, path="/srv/app/index")["owner"] is None
    assert value("install.owner", host, path="/srv/two")["owner"] == "a group"


def test_a_list_that_we_may_not_read(unprivileged: Path) -> None:
    write(unprivileged, TREE)
    (unprivileged / f"{INSTRUCTIONS}/group-2-cleanup"[1:]).chmod(0)
    seen = ask("install.owner", Host(root=str(unprivileged)), path="/srv/app/index")
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)


SAID = [
    ("nobody's", {"owner": "nobody", "gone": 0, "listed_total": 3}, "no deployment group here has installed it"),
    (
        "another group's, with the damage",
        {"owner": "another group", "group": "g-2", "gone": 2, "listed_total": 3},
        "deployment group g-2 installed it; 2 of the 3 paths of this group's last Install are gone already",
    ),
    ("not known", {"owner": None, "gone": None, "listed_total": 0}, ""),
]


@cases(SAID)
def test_words(seen: dict[str, Any], said: str) -> None:
    assert tell("install.owner", seen) == said
