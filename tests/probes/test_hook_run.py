"""Whether a script ran and was the last of its event, by what the agent notes beside the output of hooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes._hook_log import Run, run_of
from agentdoctor.words import say

from .conftest import ask, cases, value, write

ROOT = "/opt/codedeploy-agent/deployment-root"
GROUP, ID = "6c4c9f3e-1b2a-4d5e-8f90-a1b2c3d4e5f6", "d-ABCDEF123"
LOG = f"{ROOT}/{GROUP}/{ID}/logs/scripts.log"
ABOUT = {"script": "scripts/before.sh", "event": "BeforeInstall", "deployment_id": ID}
S = "2026-11-22 21:01:09 "
HEADER, BEFORE, OTHER = (
    f"{S}LifecycleEvent - BeforeInstall\n",
    f"{S}Script - scripts/before.sh\n",
    f"{S}Script - b.sh\n",
)
AFTER = f"{S}LifecycleEvent - AfterInstall\n"
ERROR = f"{S}[stderr]npm: not good\n"

RUNS: list[tuple[str, str, Run]] = [
    ("it ran and failed", HEADER + BEFORE + ERROR, Run(True, "")),
    ("another one ran before it", HEADER + OTHER + BEFORE + ERROR, Run(True, "")),
    ("another one ran after it", HEADER + BEFORE + ERROR + OTHER + ERROR, Run(True, "b.sh")),
    ("it ran twice", HEADER + BEFORE + OTHER + BEFORE, Run(True, "")),
    ("glued to what was printed before", HEADER + OTHER + f"{S}[stdout]no end" + BEFORE + ERROR, Run(True, "")),
    ("with a blank at the end", HEADER + BEFORE.rstrip() + " \n", Run(True, "")),
    ("in 2.x", "".join(line.replace("09 ", "09.125] ", 1) for line in ("[" + HEADER, "[" + BEFORE)), Run(True, "")),
    ("an event after it", HEADER + BEFORE + AFTER + OTHER, Run(True, "")),
    ("the event was run again", HEADER + BEFORE + OTHER + AFTER + HEADER + BEFORE, Run(True, "")),
    ("never", HEADER + OTHER, Run(False, None)),
    ("never in that event", HEADER + OTHER + AFTER + BEFORE, Run(False, None)),
    ("its name is only a part", HEADER + f"{S}Script - scripts/before.sh.old\n", Run(False, None)),
    ("a dot is no other letter", HEADER + f"{S}Script - scripts/beforexsh\n", Run(False, None)),
    ("no such event", AFTER + OTHER, Run(None, None)),
    ("the log begins in the middle", BEFORE + ERROR, Run(None, None)),
    ("nothing", "", Run(None, None)),
    ("a hook prints a note of another", HEADER + BEFORE + f"{S}[stdout]{OTHER}", Run(True, "")),
    ("a hook prints an event", HEADER + BEFORE + f"{S}[stdout]{AFTER}" + ERROR, Run(True, "")),
]


@cases(RUNS)
def test_run_of(text: str, expected: Run) -> None:
    assert run_of(text, "BeforeInstall", "scripts/before.sh") == expected


SEEN: list[tuple[str, str, dict[str, Any]]] = [
    ("it failed", HEADER + BEFORE + ERROR, {"started": True, "followed": False, "after": "", "group_id": GROUP}),
    ("it ended well", HEADER + BEFORE + OTHER, {"started": True, "followed": True, "after": "b.sh"}),
    ("it never ran", HEADER + OTHER, {"started": False, "followed": None}),
    ("nobody knows", AFTER, {"started": None, "followed": None, "reason": f"{LOG} does not tell of that event"}),
    ("bytes that are no text", HEADER + BEFORE + "\udcff\n", {"started": True}),
]


@cases(SEEN)
def test_run(tmp_path: Path, text: str, expected: dict[str, Any]) -> None:
    host = write(tmp_path, {f"{ROOT}/{GROUP}/{ID}/logs": None})
    (tmp_path / LOG[1:]).write_bytes(text.encode("utf-8", "surrogateescape"))
    seen = value("hook.run", host, **ABOUT)
    assert {name: seen[name] for name in expected} == expected
    assert seen["log"] == LOG


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    """What stands before it is not known, and that is no proof."""
    host = write(tmp_path, {LOG: HEADER + BEFORE + ERROR * (2 << 20 >> 5)})
    assert (tmp_path / LOG[1:]).stat().st_size > 1 << 20
    assert value("hook.run", host, **ABOUT)["started"] is None


GONE: list[tuple[str, dict[str, str], str]] = [
    ("the folder", ABOUT, "the log does not say of which deployment it is"),
    ("the log", {**ABOUT, "group_id": GROUP}, "what the hooks of this deployment printed is gone"),
    ("the deployment", {**ABOUT, "deployment_id": ""}, "the log does not say which deployment_id"),
    ("the event", {**ABOUT, "event": ""}, "the log does not say which event"),
    ("a hostile id", {**ABOUT, "deployment_id": "../../etc", "group_id": GROUP}, "of which deployment it is"),
    ("a hostile group", {**ABOUT, "group_id": "../.."}, "of which deployment it is"),
]


@cases(GONE)
def test_what_is_gone(tmp_path: Path, about: dict[str, str], reason: str) -> None:
    seen = ask("hook.run", write(tmp_path, {ROOT: None, "/etc/logs/scripts.log": HEADER}), **about)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert reason in seen.reason


TOLD = {"log": "/l", "group_id": "g", "started": True, "followed": False, "after": ""}
SAID = [
    ("started", TOLD, "the agent started the script, by /l"),
    ("started", {**TOLD, "started": False}, "the agent never started the script in that event, by /l"),
    ("followed", TOLD, "the event ended with this script"),
    ("followed", {**TOLD, "followed": True, "after": "b"}, "after it the event went on with b, so it had ended well"),
    ("group_id", TOLD, "its deployment group is g"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "seen", "said"), SAID)
def test_words(field: str, seen: dict[str, Any], said: str) -> None:
    assert say("hook.run", field, seen[field], seen) == said


NPM = f"{S}[stderr]/srv/scripts/before.sh: 2: npm: not found\n"
COMMANDS: list[tuple[str, str, str]] = [
    ("dash", NPM, "npm"),
    ("bash", f"{S}[stderr]scripts/before.sh: line 7: pm2: command not found\n", "pm2"),
    ("env", f"{S}[stderr]/usr/bin/env: \u2018node\u2019: No such file or directory\n", "node"),
    ("the last of several", NPM + NPM.replace("npm", "yarn"), "yarn"),
]


@cases(COMMANDS)
def test_the_command_that_was_not_found(tmp_path: Path, words: str, command: str) -> None:
    write(tmp_path, {LOG: HEADER + BEFORE + words})
    seen = value("host.command", Host(root=str(tmp_path)), **ABOUT)
    assert (seen["command"], seen["found"]) == (command, "")


@cases(
    [
        ("no such words", HEADER + BEFORE + ERROR, "names no command"),
        ("of another script", HEADER + OTHER + NPM + BEFORE, "names no command"),
        (
            "a sentence that ends so",
            HEADER + BEFORE + f"{S}[stderr]error: the page was not found\n",
            "names no command",
        ),
    ]
)
def test_no_command_that_was_not_found(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, {LOG: text})
    seen = ask("host.command", Host(root=str(tmp_path)), **ABOUT)
    assert (seen.value, seen.outcome) == (None, Outcome.UNKNOWN)
    assert reason in seen.reason
