"""The probes of an unpacked revision, on copied trees."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes.revision import Folder, lone, near
from agentdoctor.words import say

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
GROUP = "6c4c9f3e-1b2a-4d5e-8f90-a1b2c3d4e5f6"
REVISION = f"{ROOT}/{GROUP}/d-ABCDEF123"
ARCHIVE = f"{REVISION}/deployment-archive"

NEAR = [
    ("other extension", ["appspec.yaml"], "appspec.yaml"),
    ("capitals", ["AppSpec.yml", "app.js"], "AppSpec.yml"),
    ("capitals before the other extension", ["APPSPEC.YML", "appspec.yaml"], "APPSPEC.YML"),
    ("hidden extension", ["appspec.yml.txt"], "appspec.yml.txt"),
    ("blank at the end", ["appspec.yml "], "appspec.yml "),
    ("letter doubled", ["aapspec.yml"], "aapspec.yml"),
    ("letters swapped", ["appsepc.yml"], "appsepc.yml"),
    ("letter left out", ["apspec.yml"], "apspec.yml"),
    ("underscore", ["app_spec.yaml"], "app_spec.yaml"),
    ("no extension", ["appspec"], "appspec"),
    ("one per stage", ["appspec-production.yml"], "appspec-production.yml"),
    ("the nearest of several", ["appspec.json", "appspec.ym"], "appspec.ym"),
    ("another tool's", ["buildspec.yml", "openapi.yml", "docker-compose.yml"], ""),
    ("a test's", ["spec.yml", "app.yml", "app.yaml"], ""),
    ("nothing", [], ""),
]


@cases(NEAR)
def test_near(names: list[str], expected: str) -> None:
    assert near(names) == expected


LONE = [
    ("a zip alone", ["inner.zip"], [], "inner.zip"),
    ("a tarball alone", ["Bundle.TAR.GZ"], [], "Bundle.TAR.GZ"),
    ("with what a Mac adds", [".DS_Store", "inner.zip"], ["__MACOSX"], "inner.zip"),
    ("with other files", ["inner.zip", "app.js"], [], ""),
    ("with a folder", ["inner.zip"], ["src"], ""),
    ("two", ["a.zip", "b.zip"], [], ""),
    ("a file that is no archive", ["app.js"], [], ""),
    ("nothing", [], [], ""),
]


@cases(LONE)
def test_lone(files: list[str], folders: list[str], expected: str) -> None:
    assert lone(Folder(tuple(files), tuple(folders), len(files) + len(folders))) == expected


APPSPECS = [
    ("as it should be", {"appspec.yml": "", "app.js": ""}, {"exact": True, "near": "", "nested": "", "entries": 2}),
    ("as it should be, another below", {"appspec.yml": "", "b/appspec.yml": ""}, {"exact": True, "nested": ""}),
    ("as it should be, a backup beside it", {"appspec.yml": "", "appspec.yml.bak": ""}, {"exact": True, "near": ""}),
    ("empty", {}, {"present": True, "exact": False, "near": "", "nested": "", "entries": 0}),
    ("misnamed", {"appspec.yaml": "", "app.js": ""}, {"exact": False, "near": "appspec.yaml", "nested": ""}),
    (
        "one folder down",
        {"app/appspec.yml": "", "app/x": ""},
        {"exact": False, "near": "", "nested": "app/appspec.yml"},
    ),
    ("one folder down, other extension", {"app/appspec.yaml": ""}, {"nested": "app/appspec.yaml"}),
    ("three folders down", {"a/b/c/appspec.yml": ""}, {"nested": "a/b/c/appspec.yml"}),
    ("four folders down", {"a/b/c/d/appspec.yml": ""}, {"nested": ""}),
    ("the nearest to the root", {"a/b/appspec.yml": "", "z/appspec.yml": ""}, {"nested": "z/appspec.yml"}),
    ("only a Mac's shadow", {"__MACOSX/appspec.yml": "", "app.js": ""}, {"nested": ""}),
    ("somebody's module", {"node_modules/x/appspec.yml": "", "app.js": ""}, {"nested": ""}),
    ("packed twice", {"inner.zip": ""}, {"exact": False, "near": "", "nested": "inner.zip"}),
    ("a folder of that name", {"appspec.yml/readme": ""}, {"exact": False, "near": "", "nested": ""}),
    ("nothing like it", {"app.js": "", "spec.yml": ""}, {"exact": False, "near": "", "nested": ""}),
]


@cases(APPSPECS)
def test_appspec(tmp_path: Path, files: dict[str, str], expected: dict[str, Any]) -> None:
    host = write(tmp_path, {ARCHIVE: None, **{f"{ARCHIVE}/{name}": text for name, text in files.items()}})
    seen = value("revision.appspec", host, archive=ARCHIVE)
    assert seen["present"] is True
    assert {name: seen[name] for name in expected} == expected


def test_no_archive(tmp_path: Path) -> None:
    seen = value("revision.appspec", write(tmp_path, {REVISION: None}), archive=ARCHIVE)
    assert seen == {"present": False, "exact": False, "near": "", "nested": "", "entries": 0, "link": ""}


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    host = write(tmp_path, {ARCHIVE: None, "/outside/appspec.yml": "x"})
    (tmp_path / ARCHIVE[1:] / "appspec.yaml").symlink_to(tmp_path / "outside/appspec.yml")
    (tmp_path / ARCHIVE[1:] / "app").symlink_to(tmp_path / "outside")
    seen = value("revision.appspec", host, archive=ARCHIVE)
    assert seen == {"present": True, "exact": False, "near": "", "nested": "", "entries": 2, "link": ""}


ELSEWHERE = f"{'../' * 5}srv/web.yml"
NO_FILE = "appspec.yml is a link to {}, where no file is"
LINKS = [
    ("in the revision", "conf/web.yml", True, "appspec.yml is at the root of the revision, a link to conf/web.yml"),
    ("elsewhere on the host", ELSEWHERE, True, f"appspec.yml is at the root of the revision, a link to {ELSEWHERE}"),
    ("nothing", "gone.yml", False, NO_FILE.format("gone.yml")),
    ("a folder", "conf", False, NO_FILE.format("conf")),
    ("itself", "appspec.yml", False, NO_FILE.format("appspec.yml")),
]


@cases(LINKS)
def test_an_appspec_that_is_a_link(tmp_path: Path, target: str, exact: bool, said: str) -> None:
    """The agent follows it: File.exist? and File.read of Ruby do."""
    host = write(tmp_path, {f"{ARCHIVE}/conf/web.yml": "", "/opt/srv/web.yml": "", f"{ARCHIVE}/app.js": ""})
    (tmp_path / ARCHIVE[1:] / "appspec.yml").symlink_to(target)
    seen = value("revision.appspec", host, archive=ARCHIVE)
    assert (seen["exact"], seen["link"], seen["near"]) == (exact, target, "")
    assert say("revision.appspec", "exact", exact, seen) == said


def test_an_appspec_that_leads_out_of_a_copied_tree(tmp_path: Path) -> None:
    host = write(tmp_path, {ARCHIVE: None})
    (tmp_path / ARCHIVE[1:] / "appspec.yml").symlink_to("/etc/hostname")
    seen = ask("revision.appspec", host, archive=ARCHIVE)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "is a link out of the copied tree" in seen.reason


def test_more_than_can_be_looked_through_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentdoctor.probes.revision._ENTRIES", 20)
    files = {f"{ARCHIVE}/many/{number}": "" for number in range(30)}
    host = write(tmp_path, {**files, f"{ARCHIVE}/zebra/appspec.yml": ""})
    assert value("revision.appspec", host, archive=ARCHIVE)["nested"] is None


def test_a_name_that_is_no_text_stays_sendable(tmp_path: Path) -> None:
    host = write(tmp_path, {ARCHIVE: None})
    with open(os.path.join(os.fsencode(tmp_path), ARCHIVE[1:].encode(), b"appspec\xff.yml"), "w"):
        pass
    seen = value("revision.appspec", host, archive=ARCHIVE)
    assert json.dumps(dict(seen), ensure_ascii=False).encode()
    assert seen["near"] == "appspec?.yml"


@pytest.mark.parametrize("closed", [ARCHIVE, REVISION])
def test_an_archive_that_we_may_not_read(unprivileged: Path, closed: str) -> None:
    host = write(unprivileged, {ARCHIVE: None})
    directory = unprivileged / closed[1:]
    directory.chmod(0)
    seen = ask("revision.appspec", host, archive=ARCHIVE)
    directory.chmod(0o755)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)


REFUSED = [
    ("elsewhere", "/etc/deployment-archive"),
    ("out of the root", f"{ROOT}/g/../../../deployment-archive"),
    ("not normal", f"{ROOT}/{GROUP}//d-ABCDEF123/deployment-archive"),
    ("slash at the end", f"{ARCHIVE}/"),
    ("something in the archive", f"{ARCHIVE}/appspec.yml"),
    ("other end", f"{REVISION}/deployment-archive-temp"),
    ("the root itself", ROOT),
    ("straight below the root", f"{ROOT}/deployment-archive"),
    ("too deep", f"{REVISION}/deployment-archive/deployment-archive"),
    ("a root that only begins alike", f"{ROOT}-old/{GROUP}/d-ABCDEF123/deployment-archive"),
    ("relative", ARCHIVE[1:]),
    ("a NUL in it", f"{ROOT}/{GROUP}\0/d-ABCDEF123/deployment-archive"),
]


@cases(REFUSED)
def test_paths_that_are_no_archive(tmp_path: Path, archive: str) -> None:
    host = write(tmp_path, {f"{ARCHIVE}/appspec.yml": "", "/etc/deployment-archive/appspec.yml": ""})
    seen = ask("revision.appspec", host, archive=archive)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert "no deployment archive" in seen.reason


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("place", ["archive", "revision", "out"])
def test_a_link_on_the_way(tmp_path: Path, live: bool, place: str) -> None:
    tree = tmp_path / "tree"
    write(tree, {f"{ROOT}/{GROUP}": None, f"{ROOT}/other/d-X/deployment-archive/appspec.yml": ""})
    write(tmp_path, {"/outside/deployment-archive/appspec.yml": ""})
    revision = tree / REVISION[1:]
    if place == "archive":
        revision.mkdir()
        (revision / "deployment-archive").symlink_to(tree / ROOT[1:] / "other/d-X/deployment-archive")
    else:
        revision.symlink_to(tmp_path / "outside" if place == "out" else tree / ROOT[1:] / "other/d-X")
    seen = ask("revision.appspec", Host(root=str(tree), live=live), archive=ARCHIVE)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)


def test_a_root_that_is_a_link_or_configured_elsewhere(tmp_path: Path) -> None:
    files = {
        "/data/root/g/d-1/deployment-archive/appspec.yml": "",
        "/etc/codedeploy-agent/conf/codedeployagent.yml": ":root_dir: /srv/root\n",
        "/srv": None,
    }
    host = write(tmp_path, files)
    (tmp_path / "srv/root").symlink_to("../data/root")
    assert value("revision.appspec", host, archive="/srv/root/g/d-1/deployment-archive")["exact"] is True


def test_an_archive_the_log_does_not_name(tmp_path: Path) -> None:
    assert ask("revision.appspec", write(tmp_path, {})).outcome is Outcome.UNKNOWN
