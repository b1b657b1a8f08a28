"""Whether the agent's log lives: real files of real ages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.host import Host
from agentdoctor.model import Outcome
from agentdoctor.probes.log import TAIL
from agentdoctor.words import say, tell

from .conftest import ask, cases, value, write

FOLDER = "/var/log/aws/codedeploy-agent"
LOG, ROLLED = f"{FOLDER}/codedeploy-agent.log", f"{FOLDER}/codedeploy-agent.20261122.log"
CONFIG = "/etc/codedeploy-agent/conf/codedeployagent.yml"
ROOT = "/opt/codedeploy-agent/deployment-root"
NOW = 1_795_381_200.0  # 2026-11-22T21:00:00 UTC
HOUR = 3600.0
POLL = (
    "2026-11-22T20:%s INFO  [codedeploy-agent(21)]: [Aws::CodeDeployCommand::Client 200 60.1 0 retries] "
    'poll_host_command(host_identifier:"arn:aws:ec2:us-east-1:1:instance/i-0")  \n\n'
)
ERROR = "2026-11-22T20:%s ERROR [codedeploy-agent(21)]: CommandPoller: Missing credentials\n/opt/a.rb:1:in `x'\n"
RUST = "2026-09-10 08:15:02  INFO Starting host command poll loop\n"
SHIPPED = ":wait_between_runs: 1\n"


def files(root: Path, *given: tuple[str, float, str | None]) -> None:
    """Write files of these ages, oldest first; None makes a folder."""
    write(root, {CONFIG: SHIPPED})
    for path, age, text in given:
        write(root, {path: text})
        os.utime(f"{root}{path}", (NOW - age, NOW - age))


def activity(root: Path, **host: Any) -> dict[str, Any]:
    """What log.activity says at NOW."""
    return dict(value("log.activity", Host(str(root), **{"taken_at": NOW, **host})))


# What lies on the disk, with its age -> the time without a line, as a live host says it.
QUIET: list[tuple[str, list[tuple[str, float, str | None]], float | None]] = [
    ("a poll a minute ago", [(LOG, 60, POLL % "59:00")], 59.0),
    ("nothing for an hour", [(LOG, HOUR, POLL % "00:00")], 3599.0),
    ("just rotated by copy and truncate", [(ROLLED, 2, POLL % "59:58"), (LOG, 2, "")], 1.0),
    ("just rotated by renaming", [(f"{LOG}.1", 50, POLL % "59:10"), (LOG, 2, "")], 1.0),
    ("renamed, and the agent still writes to the old one", [(f"{LOG}.1", 10, POLL % "59:50"), (LOG, HOUR, "")], 9.0),
    ("renamed, and no new one yet", [(f"{LOG}.1", 10, POLL % "59:50")], 9.0),
    ("rolled at midnight, and silent since", [(ROLLED, 9 * HOUR, "x"), (LOG, 8 * HOUR, "x")], 28799.0),
    ("another log is young", [(LOG, HOUR, "x"), (f"{FOLDER}/codedeploy-agent.aws_wire.log", 1, "x")], 3599.0),
    ("a log from the future", [(LOG, -HOUR, POLL % "59:00")], 0.0),
    ("a fresh installation", [], None),
    ("a folder and no log", [(FOLDER, HOUR, None)], None),
]  # fmt: skip


@cases(QUIET)
def test_quiet(tmp_path: Path, given: list[tuple[str, float, str | None]], quiet: float | None) -> None:
    files(tmp_path, *given)
    assert activity(tmp_path)["quiet_seconds"] == quiet


PAUSES = [
    ("as shipped", SHIPPED, 599.0),
    ("ten minutes", ":wait_between_runs: 600\n", 0.0),
    ("not said", ":verbose: false\n", 570.0),
    ("no number", ":wait_between_runs: often\n", 570.0),
]


@cases(PAUSES)
def test_the_agents_own_pause_is_not_silence(tmp_path: Path, text: str, quiet: float) -> None:
    files(tmp_path, (LOG, 600, POLL % "50:00"))
    write(tmp_path, {CONFIG: text})
    seen = activity(tmp_path)
    assert (seen["age_seconds"], seen["quiet_seconds"]) == (600.0, quiet)


def test_a_host_that_woke_up_is_not_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It slept for eight hours; of its log's age only what is left counts."""
    clocks = {time.CLOCK_BOOTTIME: 8 * HOUR + 100.0, time.CLOCK_MONOTONIC: 100.0}
    monkeypatch.setattr("agentdoctor.probes.log.time.clock_gettime", clocks.__getitem__)
    files(tmp_path, (LOG, 8 * HOUR + 40, POLL % "59:00"))
    assert activity(tmp_path)["quiet_seconds"] == 39.0


ENDS: list[tuple[str, str, dict[str, Any]]] = [
    ("polls", POLL % "57:00" + POLL % "58:00", {"last_stamp_age": 120.0, "last_poll_age": 10.0, "torn_end": False}),
    ("errors since", POLL % "48:00" + ERROR % "59:00", {"last_stamp_age": 60.0, "last_poll_age": 670.0}),
    ("never polled", ERROR % "59:00", {"last_stamp_age": 60.0, "last_poll_age": None}),
    ("2.x", RUST, {"last_poll_age": None, "torn_end": False}),
    ("half a line", POLL % "57:00" + "2026-11-22T20:5", {"torn_end": True, "last_poll_age": 10.0}),
    ("empty", "", {"exists": True, "size": 0, "torn_end": None, "last_stamp_age": None, "last_poll_age": None}),
    ("a date that does not exist", "2026-13-45T20:00:00 INFO  [x(1)]: y\n", {"last_stamp_age": None}),
    ("a poll before the tail", POLL % "01:00" + ERROR % "59:00" * TAIL, {"last_poll_age": None}),
]  # fmt: skip


@cases(ENDS)
def test_the_end_of_the_log(tmp_path: Path, zone: Callable[[str], None], text: str, expected: dict[str, Any]) -> None:
    """The age of a poll is counted from the age of the file, not in a zone that may be another's."""
    zone("UTC")
    files(tmp_path, (LOG, 10, text))
    seen = activity(tmp_path)
    assert {name: seen[name] for name in expected} == expected


def test_a_zone_of_the_agent_does_not_make_a_poll_old(tmp_path: Path, zone: Callable[[str], None]) -> None:
    zone("Asia/Seoul")
    files(tmp_path, (LOG, 10, POLL % "57:00"))
    assert activity(tmp_path)["last_poll_age"] == 10.0


COPIES: list[tuple[str, dict[str, Any], float | None, float | None]] = [
    ("of a known time", {"taken_at": NOW}, 180.0, 180.0),
    ("of an unknown time", {"taken_at": None}, None, None),
    ("of another zone", {"taken_at": NOW, "utc_offset": -60.0}, 120.0, 120.0),
]


@cases(COPIES)
def test_a_copied_tree(tmp_path: Path, host: dict[str, Any], age: float | None, poll: float | None) -> None:
    """Copies lose their times, so the stamps count, and only where it is known when the copy was made."""
    files(tmp_path, (LOG, 5 * HOUR, POLL % "57:00"))
    seen = activity(tmp_path, live=False, **host)
    assert (seen["age_seconds"], seen["last_poll_age"], seen["deployments_after"]) == (age, poll, None)


DEPLOYMENTS: list[tuple[str, list[tuple[str, float, str | None]], int]] = [
    ("none", [], 0),
    ("before the last line", [(f"{ROOT}/g/d-AAAAAAAAA", 7200, None)], 0),
    ("with the last line", [(f"{ROOT}/g/d-AAAAAAAAA", 3500, None)], 0),
    ("long after it", [(f"{ROOT}/g/d-AAAAAAAAA", 600, None), (f"{ROOT}/h/d-BBBBBBBBB", 60, None)], 2),
    ("by codedeploy-local", [(f"{ROOT}/default-local-deployment-group/d-AAAAAAAAA-local", 60, None)], 0),
    ("other folders", [(f"{ROOT}/deployment-instructions", 60, None), (f"{ROOT}/g/notes", 60, None)], 0),
]


@cases(DEPLOYMENTS)
def test_deployments_after(tmp_path: Path, folders: list[tuple[str, float, str | None]], later: int) -> None:
    files(tmp_path, (LOG, HOUR, POLL % "00:00"), *folders)
    assert activity(tmp_path)["deployments_after"] == later


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


ODD: list[tuple[str, Callable[[Path], None]]] = [("a pipe", fifo), ("a folder", folder)]


@cases(ODD)
def test_no_log_at_all(tmp_path: Path, make: Callable[[Path], None]) -> None:
    host = write(tmp_path, {FOLDER: None})
    make(Path(f"{tmp_path}{LOG}"))
    seen = ask("log.activity", host)
    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, f"{LOG} is not a regular file")


def test_a_log_that_we_may_not_read(unprivileged: Path) -> None:
    host = write(unprivileged, {LOG: "x"})
    Path(f"{unprivileged}{LOG}").chmod(0)
    assert ask("log.activity", host).outcome is Outcome.UNKNOWN


def test_words() -> None:
    seen = {"path": LOG, "age_seconds": 7300.0, "deployments_after": 1, "torn_end": True}
    assert say("log.activity", "quiet_seconds", 7299.0, seen) == f"{LOG} was written last 2 hours ago"
    assert say("log.activity", "deployments_after", 1, seen).startswith("1 deployment came")
    assert tell("log.activity", seen) == "the log's last line has no end"
    assert tell("log.activity", {"torn_end": False}) == ""
