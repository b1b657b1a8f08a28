"""The probe of the next ApplicationStop, in deployment roots as the agent leaves them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.model import Outcome
from agentdoctor.words import say

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
INSTRUCTIONS = f"{ROOT}/deployment-instructions"
VERSION = "/opt/codedeploy-agent/.version"
HOOKS = "version: 0.0\nos: linux\nhooks:\n  ApplicationStop:\n    - location: scripts/stop.sh\n      timeout: 30\n"
Files = dict[str, str | None]


def group(name: str, files: Files | None, id_: str = "d-ABCDEF123") -> Files:
    """A group whose pointer leads to a revision with these files, or to one that is gone (None)."""
    archive = f"{ROOT}/{name}/{id_}/deployment-archive"
    there: Files = (
        {} if files is None else {archive: None, **{f"{archive}/{file}": text for file, text in files.items()}}
    )
    return {f"{INSTRUCTIONS}/{name}_last_successful_install": f"{ROOT}/{name}/{id_}", **there}


WELL: Files = {"appspec.yml": HOOKS, "scripts/stop.sh": "#!/bin/sh\n"}
FINE: list[tuple[str, Files]] = [
    ("no deployment yet", {}),
    ("a first deployment that failed before Install", {f"{ROOT}/g/d-ABCDEF123/deployment-archive/appspec.yml": HOOKS}),
    ("a good one", group("g", WELL)),
    ("no ApplicationStop", group("g", {"appspec.yml": "version: 0.0\nos: linux\n"})),
    ("an empty ApplicationStop", group("g", {"appspec.yml": "hooks:\n  ApplicationStop:\n"})),
    ("other hooks miss theirs", group("g", {"appspec.yml": HOOKS.replace("ApplicationStop", "AfterInstall")})),
    ("a location with a slash", group("g", {**WELL, "appspec.yml": HOOKS.replace("scripts/", "/scripts/")})),
    ("an AppSpec that is no YAML", group("g", {"appspec.yml": "\t- ["})),
    ("hooks of an odd shape", group("g", {"appspec.yml": "hooks:\n  ApplicationStop: {location: x}\n"})),
    ("an AppSpec of another name", group("g", {"deploy.yaml": HOOKS})),
    ("only the other extension", group("g", {"appspec.yaml": HOOKS})),
    ("a pointer torn by a full disk", {f"{INSTRUCTIONS}/g_last_successful_install": ""}),
    ("a pointer of zeros", {f"{INSTRUCTIONS}/g_last_successful_install": "\0" * 9}),
    ("a pointer to where the root was", {f"{INSTRUCTIONS}/g_last_successful_install": "/old/root/g/d-ABCDEF123"}),
    ("gone, with an agent that skips it then", {**group("g", None), VERSION: "agent_version: 2.1.0\n"}),
    ("the other pointer", {f"{INSTRUCTIONS}/g_most_recent_install": f"{ROOT}/g/d-ABCDEF123"}),
]


@cases(FINE)
def test_what_is_fine(tmp_path: Path, files: Files) -> None:
    seen = value("stop.next", write(tmp_path, files))
    assert (seen["missing"], seen["appspec_missing"], seen["scripts_missing"]) == ([], [], [])
    assert (seen["archive"], seen["group_id"], seen["script"]) == ("", "", "")


BROKEN: list[tuple[str, Files, dict[str, Any]]] = [
    (
        "the revision is gone",
        {**group("g", None), VERSION: "agent_version: OFFICIAL_1.8.1-99_deb\n"},
        {"missing": ["g"], "group_id": "g", "archive": f"{ROOT}/g/d-ABCDEF123/deployment-archive"},
    ),
    ("and nobody knows which agent it is", group("g", None), {"missing": ["g"]}),
    (
        "of one of two groups",
        {**group("a", WELL), **group("b", None)},
        {"groups": 2, "missing": ["b"], "group_id": "b"},
    ),
    ("nothing is left in it", group("g", {}), {"missing": [], "appspec_missing": ["g"], "group_id": "g"}),
    ("the AppSpec is not", group("g", {"index.html": ""}), {"appspec_missing": ["g"]}),
    ("the script is not", group("g", {"appspec.yml": HOOKS}), {"scripts_missing": ["scripts/stop.sh"], "archive": ""}),
    (
        "the script in capitals",
        group("g", {"appspec.yml": HOOKS, "scripts/Stop.sh": ""}),
        {"script": "scripts/stop.sh"},
    ),
    (
        "nor with an agent that skips what is gone",
        {**group("g", {"appspec.yml": HOOKS}), VERSION: "agent_version: 2.1.0\n"},
        {"script": "scripts/stop.sh"},
    ),
]


@cases(BROKEN)
def test_what_will_fail(tmp_path: Path, files: Files, expected: dict[str, Any]) -> None:
    seen = value("stop.next", write(tmp_path, files))
    assert {name: seen[name] for name in expected} == expected


NAMED = [
    ("gone, and pointed to", None, "d-ABCDEF123", ["g"]),
    ("gone, and another is pointed to", WELL, "d-ZZZZZZZZZ", []),
    ("there again", WELL, "d-ABCDEF123", []),
]


@cases(NAMED)
def test_the_revision_of_a_log(tmp_path: Path, files: Files | None, id_: str, missing: list[str]) -> None:
    """Only its group counts, of any age and with any agent: it has failed."""
    tree = {**group("g", files, id_), **group("other", None), VERSION: "agent_version: 2.1.0\n"}
    seen = value("stop.next", write(tmp_path, tree), archive=f"{ROOT}/g/d-ABCDEF123/deployment-archive")
    assert (seen["groups"], seen["missing"]) == (1, missing)


def test_no_pointer_any_more(tmp_path: Path) -> None:
    """Somebody moved it aside, which is one of the cures."""
    host = write(tmp_path, {INSTRUCTIONS: None, f"{ROOT}/g": None})
    assert value("stop.next", host, archive=f"{ROOT}/g/d-ABCDEF123/deployment-archive")["missing"] == []


@pytest.mark.parametrize("archive", ["/etc", f"{ROOT}/../x/d-1/deployment-archive"])
def test_what_is_no_archive(tmp_path: Path, archive: str) -> None:
    assert ask("stop.next", write(tmp_path, {}), archive=archive).outcome is Outcome.UNKNOWN


def test_a_group_that_has_left_this_host(tmp_path: Path) -> None:
    """Its pointer is much older than that of the group that is deployed to now."""
    host = write(tmp_path, {**group("old", None), **group("new", WELL)})
    pointers = tmp_path / INSTRUCTIONS[1:]
    os.utime(pointers / "new_last_successful_install", (100 * 86400, 100 * 86400))
    os.utime(pointers / "old_last_successful_install", (9 * 86400, 9 * 86400))
    assert value("stop.next", host)["missing"] == []
    os.utime(pointers / "old_last_successful_install", (11 * 86400, 11 * 86400))
    assert value("stop.next", host)["missing"] == ["old"]


LINKS = [
    ("to what is there", "../appspec.yml", ""),
    ("to nothing", "nowhere", "scripts/stop.sh"),
    ("out of it", "/gone", ""),
]


@cases(LINKS)
def test_a_script_that_is_a_link(tmp_path: Path, target: str, script: str) -> None:
    host = write(tmp_path, group("g", {"appspec.yml": HOOKS, "scripts/x": ""}))
    (tmp_path / f"{ROOT}/g/d-ABCDEF123/deployment-archive/scripts/stop.sh"[1:]).symlink_to(target)
    assert value("stop.next", host)["script"] == script


def test_a_root_that_we_may_not_read(unprivileged: Path) -> None:
    host = write(unprivileged, group("g", WELL))
    closed = unprivileged / INSTRUCTIONS[1:]
    closed.chmod(0)
    seen = ask("stop.next", host)
    closed.chmod(0o755)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)


SAID = [
    ("archive", {"archive": "/a", "group_id": "g", "missing": ["g"]}, "/a is gone"),
    ("archive", {"archive": "/a", "group_id": "g", "appspec_missing": ["g"]}, "no AppSpec is left in /a"),
    ("archive", {"archive": "", "group_id": ""}, "the revision that the next ApplicationStop runs is there"),
    ("group_id", {"group_id": "g"}, "deployment group g runs its next ApplicationStop from there"),
    ("script", {"script": "", "scripts_missing": []}, "the scripts of the next ApplicationStop are there"),
    (
        "script",
        {"script": "stop.sh", "scripts_missing": ["stop.sh"]},
        "the next ApplicationStop runs stop.sh, and the last successful revision does not hold that",
    ),
]


@pytest.mark.parametrize(("field", "seen", "said"), SAID)
def test_words(field: str, seen: dict[str, Any], said: str) -> None:
    assert say("stop.next", field, seen[field], seen) == said
