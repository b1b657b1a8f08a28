"""The package probes: a dpkg-query of our own on PATH, files in a copied tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes.package import PROGRAM, VERSION_FILE, generation, supports

from .conftest import Command, ask, cases, value, write

GENERATIONS = [
    ("1.x package file", "OFFICIAL_1.8.1-99_deb", "1.x"),
    ("1.x rpm", "OFFICIAL_1.7.0-92_rpm", "1.x"),
    ("1.x of old", "OFFICIAL_1.0-1.1597_deb", "1.x"),
    ("1.x dpkg", "1.8.1-99", "1.x"),
    ("1.x from git", "COMMIT_2a1b2c3d", "1.x"),
    ("2.x file", "2.1.0", "2.x"),
    ("2.x dpkg", "2.0.1-1", "2.x"),
    ("2.x with a first number of two digits behind", "2.10.0", "2.x"),
    ("a later one", "3.0.0", ""),
    ("twelve is not one", "12.0.0", ""),
    ("nothing", "", ""),
    ("no version", "unknown", ""),
]


@cases(GENERATIONS)
def test_generation(version: str, expected: str) -> None:
    assert generation(version) == expected


FILE_1X = "agent_version: OFFICIAL_1.8.1-99_deb\n"
FILE_2X = "agent_version: 2.1.0"
KNOWN = "printf 'installed 1.8.1-99 all'"
UNKNOWN = "echo 'dpkg-query: no packages found matching codedeploy-agent' >&2; exit 1"
NOTHING = {"installed": False, "status": "", "version": "", "file_version": "", "generation": ""}
PACKAGES: list[tuple[str, str, dict[str, str | None], dict[str, Any]]] = [
    (
        "installed",
        KNOWN,
        {VERSION_FILE: FILE_1X, PROGRAM: "#!/usr/bin/env ruby\n"},
        {
            "installed": True,
            "status": "installed",
            "version": "1.8.1-99",
            "file_version": "OFFICIAL_1.8.1-99_deb",
            "generation": "1.x",
        },
    ),
    ("upgraded, not restarted", "printf 'installed 2.1.0-1 amd64'", {VERSION_FILE: FILE_1X}, {"generation": "2.x"}),
    (
        "removed, its configuration left",
        "printf 'config-files 1.8.1-99 all'",
        {},
        {"installed": False, "status": "config-files", "version": "1.8.1-99"},
    ),
    (
        "half-configured, program there",
        "printf 'half-configured 1.8.1-99 all'",
        {PROGRAM: "#!"},
        {"installed": True, "status": "half-configured"},
    ),
    ("never installed", UNKNOWN, {}, NOTHING),
    ("an empty folder is no agent", UNKNOWN, {"/opt/codedeploy-agent/bin": None}, NOTHING),
    ("installed without dpkg", UNKNOWN, {PROGRAM: "\x7fELF"}, {"installed": True, "status": "", "generation": "2.x"}),
    ("a Ruby program", UNKNOWN, {PROGRAM: "#!/usr/bin/env ruby"}, {"installed": True, "generation": "1.x"}),
    ("some other program", UNKNOWN, {PROGRAM: "MZ"}, {"installed": True, "generation": ""}),
    ("version file only", UNKNOWN, {VERSION_FILE: FILE_2X}, {"installed": False, "file_version": "2.1.0"}),
    (
        "dpkg fails",
        "echo 'dpkg-query: error: parsing file' >&2; exit 2",
        {},
        {"installed": None, "status": None, "version": None},
    ),
    ("dpkg fails, program there", "exit 2", {PROGRAM: "#!"}, {"installed": True, "status": None, "generation": "1.x"}),
    ("dpkg hangs", "exec sleep 30", {}, {"installed": None, "status": None}),
]


@cases(PACKAGES)
def test_agent(
    tmp_path: Path,
    command: Command,
    script: str,
    files: dict[str, str | None],
    expected: dict[str, Any],
) -> None:
    command("dpkg-query", script)
    write(tmp_path / "root", {"/opt": None, **files})
    seen = value("package.agent", Host(root=str(tmp_path / "root")))
    assert {name: seen[name] for name in expected} == expected


def test_no_dpkg_on_this_host(no_commands: None, tmp_path: Path) -> None:
    assert value("package.agent", Host(root=str(tmp_path))) == NOTHING


VERSIONS = [
    ("1.x", FILE_1X, {"file_version": "OFFICIAL_1.8.1-99_deb", "generation": "1.x"}),
    ("2.x", FILE_2X, {"file_version": "2.1.0", "generation": "2.x"}),
    ("more than one colon", "a: b: COMMIT_1f", {"file_version": "COMMIT_1f", "generation": "1.x"}),
    ("empty", "", {"file_version": "", "generation": ""}),
]


@cases(VERSIONS)
def test_version(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    assert value("package.version", write(tmp_path, {VERSION_FILE: text})) == expected


def test_no_version_file_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert ask("package.version", write(tmp_path, {})).outcome is Outcome.SKIP


SUPPORT: list[tuple[str, str, str, str, bool | None, str]] = [
    ("1.8 on 22.04", "OFFICIAL_1.8.1-99_deb", "ubuntu", "22.04", True, ""),
    ("the oldest on the oldest", "OFFICIAL_1.8.0-12_deb", "ubuntu", "16.04", True, ""),
    ("2.x on 22.04", "2.1.0", "ubuntu", "22.04", True, ""),
    ("2.x on 24.04", "2.0.0", "ubuntu", "24.04", True, ""),
    ("1.8 on 24.04", "OFFICIAL_1.8.1-99_deb", "ubuntu", "24.04", False, "2.0 and newer"),
    ("1.8 of dpkg on 26.04", "1.8.1-99", "ubuntu", "26.04", False, "2.0 and newer"),
    ("1.7", "OFFICIAL_1.7.1-4_deb", "ubuntu", "22.04", False, "1.8 and newer"),
    ("1.0 of many numbers", "OFFICIAL_1.0-1.1597_deb", "ubuntu", "18.04", False, "1.8 and newer"),
    ("1.7 where nothing is known", "OFFICIAL_1.7.0-92_rpm", "rhel", "9", False, "1.8 and newer"),
    ("1.7 without os-release", "1.7.1-4", "", "", False, "1.8 and newer"),
    ("1.10 is newer than 1.8", "1.10.0-1", "ubuntu", "22.04", True, ""),
    ("dropped", "OFFICIAL_1.8.1-99_deb", "ubuntu", "14.04", False, "any more"),
    ("an Ubuntu between", "2.1.0", "ubuntu", "24.10", None, "ubuntu 24.10"),
    ("a later Ubuntu", "2.1.0", "ubuntu", "28.04", None, "ubuntu 28.04"),
    ("another system", "OFFICIAL_1.8.1-99_deb", "debian", "12", None, "debian 12"),
    ("another system of the same number", "OFFICIAL_1.8.1-99_deb", "mint", "22.04", None, "mint 22.04"),
    ("a build from git", "COMMIT_1.2a3", "ubuntu", "22.04", None, "no version that AWS names"),
    ("no version", "x", "ubuntu", "22.04", None, "no version that AWS names"),
]


@cases(SUPPORT)
def test_supports(version: str, os_id: str, os_version: str, expected: bool | None, reason: str) -> None:
    supported, said = supports(version, os_id, os_version)
    assert supported is expected
    assert reason in said
    assert bool(said) is (expected is not True)


JAMMY = 'NAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n'
SYSTEMS: list[tuple[str, dict[str, str | None], dict[str, Any]]] = [
    ("Ubuntu", {"/etc/os-release": JAMMY}, {"os_id": "ubuntu", "os_version": "22.04", "supported": True}),
    ("too old, and no os-release", {VERSION_FILE: "v: OFFICIAL_1.5.0-1_deb"}, {"os_id": "", "supported": False}),
]


@cases(SYSTEMS)
def test_support(tmp_path: Path, files: dict[str, str | None], expected: dict[str, Any]) -> None:
    seen = value("package.support", write(tmp_path, {VERSION_FILE: FILE_1X, **files}))
    assert {name: seen[name] for name in expected} == expected


def test_support_asks_dpkg_where_the_version_file_is_gone(tmp_path: Path, command: Command) -> None:
    command("dpkg-query", KNOWN)
    write(tmp_path / "root", {"/etc/os-release": JAMMY})
    assert value("package.support", Host(root=str(tmp_path / "root")))["version"] == "1.8.1-99"


NOTHING_TO_JUDGE: list[tuple[str, dict[str, str | None]]] = [
    ("no agent", {"/etc/os-release": JAMMY}),
    ("a copied tree without os-release", {VERSION_FILE: FILE_1X}),
    ("a system that AWS does not name", {VERSION_FILE: FILE_1X, "/etc/os-release": "ID=debian\n"}),
]


@cases(NOTHING_TO_JUDGE)
def test_support_is_skipped(tmp_path: Path, files: dict[str, str | None]) -> None:
    assert ask("package.support", write(tmp_path, files)).outcome is Outcome.SKIP
