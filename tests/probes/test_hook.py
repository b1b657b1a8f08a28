"""The probe of a hook's script, in revisions as the agent unpacks them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.words import say, tell

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
GROUP = "6c4c9f3e-1b2a-4d5e-8f90-a1b2c3d4e5f6"
ARCHIVE = f"{ROOT}/{GROUP}/d-ABCDEF123/deployment-archive"
LAST = f"{ROOT}/{GROUP}/d-LAST00000/deployment-archive"
POINTER = f"{ROOT}/deployment-instructions/{GROUP}_last_successful_install"
OURS = {"script": "scripts/start.sh", "deployment_id": "d-ABCDEF123", "event": "AfterInstall"}


def tree(root: Path, text: bytes = b"#!/bin/sh\nexit 0\n", name: str = "scripts/start.sh", mode: int = 0o755) -> Host:
    """A copied tree with one script, and the shell that it names."""
    host = write(root, {"/bin/sh": "", f"{ARCHIVE}/{name}": ""})
    file = root / f"{ARCHIVE}/{name}"[1:]
    file.write_bytes(text)
    file.chmod(mode)
    return host


SCRIPTS = [
    (
        "as it should be",
        b"#!/bin/sh\nexit 0\n",
        {"exists": True, "crlf": False, "crlf_first": False, "bom": False, "shebang": "/bin/sh", "size": 17}
        | {"interpreter_exists": True, "kind": "script", "executable": True, "has_space": False},
    ),
    ("CR LF throughout", b"#!/bin/sh\r\nexit 0\r\n", {"crlf": True, "crlf_first": True, "shebang": "/bin/sh"}),
    ("CR LF later on", b"#!/bin/sh\nexit 0\r\n", {"crlf": True, "crlf_first": False}),
    ("a CR that ends no line", b"#!/bin/sh\nprintf 'a\rb'\n", {"crlf": False, "crlf_first": False}),
    ("an option", b"#! /bin/sh -e\n", {"shebang": "/bin/sh -e", "interpreter_exists": True}),
    ("through env", b"#!/usr/bin/env sh\n", {"shebang": "/usr/bin/env sh", "interpreter_exists": True}),
    ("a relative interpreter", b"#!sh\n", {"shebang": "sh", "interpreter_exists": None}),
    ("an interpreter that the copy lacks", b"#!/bin/bash\n", {"interpreter_exists": None}),
    ("no first line", b"exit 0\n", {"shebang": "", "interpreter_exists": None, "kind": "text"}),
    ("a blank line before it", b"\n#!/bin/sh\n", {"shebang": "", "kind": "text"}),
    ("a byte order mark before it", b"\xef\xbb\xbf#!/bin/sh\n", {"bom": True, "shebang": "", "kind": "text"}),
    ("a program", b"\x7fELF\x02\x01", {"kind": "elf", "shebang": ""}),
    ("empty", b"", {"kind": "text", "size": 0, "crlf": False}),
    ("a CR LF beyond what is read", b"#!/bin/sh\n" + b"x" * 70_000 + b"\r\n", {"crlf": False, "size": 70_012}),
]


@cases(SCRIPTS)
def test_script(tmp_path: Path, text: bytes, expected: dict[str, Any]) -> None:
    seen = value("hook.script", tree(tmp_path, text), **OURS)
    assert {name: seen[name] for name in expected} == expected


def test_an_interpreter_that_a_living_host_lacks(tmp_path: Path) -> None:
    tree(tmp_path, b"#!/bin/bash\n")
    assert value("hook.script", Host(root=str(tmp_path)), **OURS)["interpreter_exists"] is False


def test_no_execute_bit(tmp_path: Path) -> None:
    assert value("hook.script", tree(tmp_path, mode=0o644), **OURS)["executable"] is False


PRINTED = [
    ("all in order", b"#!/bin/sh\n", {"crlf": None, "interpreter_exists": None, "kind": None, "executable": None}),
    ("CR LF", b"#!/bin/sh\r\n", {"crlf": True, "crlf_first": True}),
    ("a program", b"\x7fELF", {"kind": "elf"}),
]


@cases(PRINTED)
def test_what_the_running_hook_printed_may_be_of_another_file(
    tmp_path: Path, text: bytes, expected: dict[str, Any]
) -> None:
    seen = value("hook.script", tree(tmp_path, text), **OURS, printed="bad interpreter")
    assert {name: seen[name] for name in expected} == expected


PLACES = [
    ("its deployment", OURS),
    ("its deployment and group", {**OURS, "group_id": GROUP}),
    ("a location that begins with a slash", {**OURS, "script": "/scripts/start.sh"}),
    ("a location with dots", {**OURS, "script": "./scripts/../scripts/start.sh"}),
    ("the path alone", {"path": f"{ARCHIVE}/scripts/start.sh"}),
    ("the path as the script", {"script": f"{ARCHIVE}/scripts/start.sh", "path": f"{ARCHIVE}/scripts/start.sh"}),
    ("the path as the script alone", {"script": f"{ARCHIVE}/scripts/start.sh", "deployment_id": "d-X"}),
    ("the path of another deployment's", {**OURS, "deployment_id": "d-X", "path": f"{ARCHIVE}/scripts/start.sh"}),
    ("a path that was cut at a blank", {**OURS, "path": f"{ARCHIVE}/scripts/st"}),
]


@cases(PLACES)
def test_where_it_is_looked_for(tmp_path: Path, about: dict[str, str]) -> None:
    seen = value("hook.script", tree(tmp_path), **about)
    assert (seen["archive_found"], seen["exists"]) == (True, True)


REFUSED = [
    ("nothing is known", {}),
    ("no deployment", {"script": "scripts/start.sh"}),
    ("a deployment that is not here", {**OURS, "deployment_id": "d-XXXXXXXXX"}),
    ("an id that is no id", {**OURS, "deployment_id": "../d-ABCDEF123", "group_id": GROUP}),
    ("no script", {"deployment_id": "d-ABCDEF123"}),
    ("a way up", {**OURS, "script": "../../x"}),
    ("a NUL", {**OURS, "script": "scripts/\0"}),
    ("a path elsewhere", {"path": "/etc/deployment-archive/passwd"}),
    ("a path without an archive", {"path": "/usr/local/scripts/start.sh"}),
]


@cases(REFUSED)
def test_what_is_no_script_of_a_revision(tmp_path: Path, about: dict[str, str]) -> None:
    seen = ask("hook.script", tree(tmp_path), **about)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)


NEAR = [
    ("capitals", "scripts/Start.sh", "scripts/Start.sh"),
    ("another folder", "bin/start.sh", "bin/start.sh"),
    ("another mark", "scripts/start-sh", "scripts/start-sh"),
    ("another script beside it", "scripts/stop.sh", ""),
    ("another script", "scripts/before_install.py", ""),
]


@cases(NEAR)
def test_near(tmp_path: Path, name: str, expected: str) -> None:
    seen = value("hook.script", tree(tmp_path, name=name), **OURS)
    assert (seen["exists"], seen["near"], seen["crlf"]) == (False, expected, None)


def test_an_archive_that_is_gone(tmp_path: Path) -> None:
    host = write(tmp_path, {f"{ROOT}/{GROUP}/d-ABCDEF123": None})
    seen = value("hook.script", host, **OURS)
    assert (seen["archive_found"], seen["exists"], seen["executable"]) == (False, None, None)


STOPPING = {"script": "stop.sh", "deployment_id": "d-ABCDEF123", "event": "ApplicationStop", "group_id": GROUP}
POINTERS = [
    ("the last successful one", LAST.removesuffix("/deployment-archive"), True),
    ("this very deployment by now", ARCHIVE.removesuffix("/deployment-archive"), None),
    ("no pointer", None, None),
    ("torn by a full disk", "", None),
    ("zeros after a crash", "\0" * 9, None),
    ("somewhere else", "/etc", None),
]


@cases(POINTERS)
def test_a_hook_of_the_last_revision(tmp_path: Path, pointer: str | None, exists: bool | None) -> None:
    """It runs from there, whatever the deployment at work brings."""
    tree(tmp_path, name="stop.sh")
    files = {f"{LAST}/stop.sh": "#!/bin/sh\n", **({} if pointer is None else {POINTER: pointer})}
    seen = ask("hook.script", write(tmp_path, files), **STOPPING)
    assert (seen.value and seen.value["exists"]) == exists


LINKS = [
    ("within the revision", "common.sh", True),
    ("to nowhere", "nowhere.sh", False),
    ("out of it", "../../../../../../../bin/sh", None),
    ("to a folder", "..", None),
]


@cases(LINKS)
def test_links(tmp_path: Path, target: str, exists: bool | None) -> None:
    host = tree(tmp_path, name="scripts/common.sh")
    (tmp_path / f"{ARCHIVE}/scripts/start.sh"[1:]).symlink_to(target)
    seen = ask("hook.script", host, **OURS)
    assert (seen.value and seen.value["exists"]) == exists


def test_a_pipe_does_not_hold_us_up(tmp_path: Path) -> None:
    host = tree(tmp_path, name="other")
    os.makedirs(tmp_path / f"{ARCHIVE}/scripts"[1:])
    os.mkfifo(tmp_path / f"{ARCHIVE}/scripts/start.sh"[1:])
    assert ask("hook.script", host, **OURS).outcome is Outcome.UNKNOWN


def test_a_script_that_we_may_not_read(unprivileged: Path) -> None:
    host = tree(unprivileged, mode=0)
    assert ask("hook.script", host, **OURS).outcome is Outcome.UNKNOWN


SAID = [
    (
        "exists",
        {"exists": False, "near": "scripts/Start.sh"},
        "the revision does not hold the script, but scripts/Start.sh",
    ),
    ("exists", {"exists": True}, "the script is in the revision"),
    ("crlf", {"crlf": True, "crlf_first": True}, "the first line of the script ends in CR LF"),
    ("crlf", {"crlf": True, "crlf_first": False}, "lines of the script end in CR LF"),
    ("interpreter_exists", {"interpreter_exists": False, "shebang": "/bin/x"}, "the interpreter /bin/x does not exist"),
    ("kind", {"kind": "text", "bom": True}, "the script begins with a byte order mark"),
]


@pytest.mark.parametrize(("field", "seen", "said"), SAID)
def test_words(field: str, seen: dict[str, Any], said: str) -> None:
    assert say("hook.script", field, seen.get(field), seen) == said


def test_words_of_all() -> None:
    seen = {"executable": True, "kind": "script", "shebang": "/bin/sh"}
    assert tell("hook.script", seen) == "the script has an execute bit, and the first line of the script is #!/bin/sh"
    assert tell("hook.script", {"executable": None}) == ""
