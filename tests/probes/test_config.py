"""The agent's configuration file, judged by what the agent refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, Values, find
from agentdoctor.words import say

from .conftest import ask, cases, value, write

FILE = "/etc/codedeploy-agent/conf/codedeployagent.yml"
FILES = [
    ("as shipped", ":log_dir: '/var/log/aws/codedeploy-agent/'\n:max_revisions: 5\n", True, ""),
    ("keys without the colon", "max_revisions: 1\nchildren: 1\n", True, ""),
    ("torn", ":log_dir: '/var/log\n", False, "unexpected end of stream"),
    ("no map", "- a\n", False, "not a map"),
    ("no revisions kept", ":max_revisions: 0\n", False, "max_revisions is 0"),
    ("revisions in words", ":max_revisions: five\n", False, "max_revisions is 'five'"),
    ("two children", ":children: 2\n", False, "children is 2"),
    ("a file for a folder", f":log_dir: {FILE}\n", False, "is a file"),
]


@cases(FILES)
def test_file(tmp_path: Path, text: str, valid: bool, problem: str) -> None:
    seen = value("config.agent", write(tmp_path, {FILE: text}))
    assert seen["valid"] is valid
    assert problem in seen["problem"]


# Of agent 2.x: the text, whether it runs by it, and what is said.
TYPED: list[tuple[str, str, bool | None, bool | None, str]] = [
    ("as shipped", ":wait_between_runs: 30\n:max_revisions: 0\n:verbose: false\n", False, True, ""),
    ("a word for a number", ":wait_between_runs: fast\n", None, False, "wait_between_runs is 'fast'"),
    ("a number in quotes", ":max_revisions: '5'\n", None, False, "max_revisions is '5'"),
    ("below zero", ":http_read_timeout: -1\n", None, False, "http_read_timeout is -1"),
    ("a word for a flag", ":verbose: 'no'\n", None, False, "verbose is 'no'"),
    ("a key twice", ":verbose: true\nverbose: true\n", None, False, "verbose stands there twice"),
    ("retired keys are passed over", ":children: 2\n:user: x\n", False, True, ""),
    ("not started with it", ":verbose: true\n", True, None, ""),
    ("nothing runs", ":verbose: true\n", None, None, ""),
]


@cases(TYPED)
def test_file_of_2x(tmp_path: Path, text: str, newer: bool | None, valid: bool | None, problem: str) -> None:
    write(tmp_path, {FILE: text})
    answers = {"package.version": {"generation": "2.x"}, "config.age": {"newer_than_process": newer}}
    known = {**answers, "config.age": answers["config.age"] if newer is not None else None}
    look = Look(Host(root=str(tmp_path)), {}, lambda name: Evidence(name, "disk", known[name]))
    seen = find("config.agent").look(look)
    assert seen["valid"] is valid
    assert problem in seen["problem"]


def test_a_copied_tree_of_2x_is_judged_by_its_file(tmp_path: Path) -> None:
    """Nobody knows of its processes, which is no reason to doubt the file."""
    host = write(tmp_path, {FILE: ":verbose: true\n", "/opt/codedeploy-agent/.version": "agent_version: 2.1.0\n"})
    assert value("config.agent", host)["valid"] is True


def test_no_file_is_not_judged(tmp_path: Path) -> None:
    assert ask("config.agent", write(tmp_path, {})).outcome is Outcome.SKIP


def age(root: Path, agent: dict[str, Any]) -> Values:
    """What config.age says at 9000 of a tree whose agent is this."""
    host = Host(root=str(root), taken_at=9000.0)
    return find("config.age").look(Look(host, {}, lambda name: Evidence(name, "process", agent)))


OLD = {"running": True, "generation": "1.x", "master_started": 5000.0, "worker_started": 5001.0}
RUST = {**OLD, "generation": "2.x"}
AGES: list[tuple[str, float, dict[str, Any], bool | None]] = [
    ("read as it is", 4000.0, OLD, False),
    ("changed later", 5600.0, OLD, True),
    ("a respawned worker of 1.x has its master's settings", 5600.0, {**OLD, "worker_started": 8000.0}, True),
    ("a respawned worker of 2.x read it anew", 5600.0, {**RUST, "worker_started": 8000.0}, False),
    ("changed after the worker of 2.x", 8600.0, {**RUST, "worker_started": 8000.0}, True),
    ("2.x between two workers", 5600.0, {**RUST, "worker_started": None}, True),
    ("written in the second of the start", 5001.5, OLD, False),
    ("from the future", 9500.0, OLD, None),
]


@cases(AGES)
def test_age(tmp_path: Path, changed: float, agent: dict[str, Any], newer: bool | None) -> None:
    write(tmp_path, {FILE: ":verbose: false\n"})
    os.utime(tmp_path / FILE.lstrip("/"), (changed, changed))
    seen = age(tmp_path, agent)
    assert (seen["path"], seen["changed_at"], seen["newer_than_process"]) == (FILE, changed, newer)


def test_age_in_words() -> None:
    seen = {"path": FILE, "changed_at": 5600.0, "started_at": 5000.0, "newer_than_process": True}
    said = say("config.age", "newer_than_process", True, seen)
    assert said == f"{FILE} was changed 10 minutes after the agent's start"


STOPPED = {"running": False, "generation": "", "master_started": None, "worker_started": None}
UNREAD: list[tuple[str, dict[str, str | None], dict[str, Any]]] = [
    ("nothing runs", {FILE: ""}, STOPPED),
    ("no file", {}, OLD),
]


@cases(UNREAD)
def test_nobody_has_read_it(tmp_path: Path, files: dict[str, str | None], agent: dict[str, Any]) -> None:
    write(tmp_path, files)
    with pytest.raises(CannotLook) as caught:
        age(tmp_path, agent)
    assert caught.value.outcome is Outcome.SKIP


LOG = "/var/log/aws/codedeploy-agent/codedeploy-agent"
ON, OFF = ":log_aws_wire: true\n", ":log_aws_wire: false\n"
WIRES: list[tuple[str, dict[str, str | None], dict[str, Any]]] = [
    ("off", {FILE: OFF}, {"enabled": False, "exists": False, "size": 0, "path": f"{LOG}.aws_wire.log"}),
    ("on, nothing written yet", {FILE: ON}, {"enabled": True, "exists": False}),
    ("on", {FILE: ON, f"{LOG}.aws_wire.log": "GET"}, {"enabled": True, "exists": True, "size": 3}),
    ("left behind", {FILE: OFF, f"{LOG}.wire.log": "GET"}, {"enabled": False, "path": f"{LOG}.wire.log", "size": 3}),
    ("a key without its colon", {FILE: "log_aws_wire: true\n"}, {"enabled": True}),
    ("a text is on to Ruby", {FILE: ":log_aws_wire: 'false'\n"}, {"enabled": True}),
    ("nothing said", {FILE: ":log_aws_wire:\n"}, {"enabled": False}),
    ("only in a comment", {FILE: "# :log_aws_wire: true\n:verbose: false\n"}, {"enabled": False}),
    ("not YAML", {FILE: ":a: [\n"}, {"enabled": None}),
    ("no configuration", {}, {"enabled": False, "exists": False}),
    ("another place", {FILE: f"{ON}:log_dir: /srv/log/\n", "/srv/log/codedeploy-agent.aws_wire.log": ""}, {"size": 0}),
    ("a folder of that name", {f"{LOG}.aws_wire.log": None}, {"exists": False}),
]


@cases(WIRES)
def test_wire_log(tmp_path: Path, files: dict[str, str | None], expected: dict[str, Any]) -> None:
    seen = value("config.wire_log", write(tmp_path, files))
    assert {name: seen[name] for name in expected} == expected


MODES = [("its own mode", 0o640, False), ("everybody's", 0o644, True)]


@cases(MODES)
def test_who_may_read_the_wire_log(tmp_path: Path, mode: int, others: bool) -> None:
    host = write(tmp_path, {f"{LOG}.aws_wire.log": "x"})
    (tmp_path / f"{LOG}.aws_wire.log".lstrip("/")).chmod(mode)
    assert value("config.wire_log", host)["readable_by_others"] is others
