"""A gap in the polls of agent 1.x is told where it is one, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor import logs, runs
from agentdoctor.grammars import Source
from agentdoctor.grammars.rhythm import gap
from agentdoctor.model import Finding, Rule, State

UTC = timezone.utc
BEGIN = datetime(2026, 3, 28, 12, tzinfo=UTC).timestamp()
ID = "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"
CALL = "[Aws::CodeDeployCommand::Client 200 {} 0 retries] {}({})  \n\n"
VERSION = "Version file found in /opt/codedeploy-agent/.version with agent version OFFICIAL_1.8.1-99_deb.\n"
POLL = CALL.format("45.2", "poll_host_command", f'host_identifier:"{ID}"')
LONG = CALL.format("137.2", "poll_host_command", f'host_identifier:"{ID}"')
ACK = CALL.format("0.006", "put_host_command_acknowledgement", 'host_command_identifier:"ZA=="')
DONE = CALL.format("0.005", "put_host_command_complete", 'command_status:"Succeeded",host_command_identifier:"ZA=="')
FAULT = "CommandPoller: Error polling for host commands: Seahorse::Client::NetworkingError - x\n/opt/a.rb:1:in `x'\n"


def line(at: float, text: str, pid: int = 21, level: str = "INFO ") -> str:
    """An entry of the agent's log, ``at`` seconds after the begin."""
    stamp = datetime.fromtimestamp(BEGIN + at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp} {level} [codedeploy-agent({pid})]: {text}"


def polls(*at: float, poll: str = POLL, pid: int = 21) -> str:
    """Polls at these times, each announced at once after the one before it."""
    return "".join(line(each - 1, VERSION, pid) + line(each, poll, pid) for each in at)


STEADY = (0, 61, 122, 170, 231)
IDLE = polls(*STEADY)
TOLD = {
    "nine minutes": (IDLE + polls(771), "polls came every 61 s, then none for 540 s"),
    "four of the longest beats": (IDLE + polls(475), "polls came every 61 s, then none for 244 s"),
    "answered at once": (polls(0, 1, 2, 4, 5) + polls(65), "polls came every 2 s, then none for 60 s"),
    "the next one is under way": (IDLE + polls(771) + line(772, VERSION), "polls came every 61 s, then none for 540 s"),
    "the log ends in a line": (IDLE + polls(771) + "2026-03-2", "polls came every 61 s, then none for 540 s"),
    "the log ends in the poll": ((IDLE + polls(771)).rstrip(), "polls came every 61 s, then none for 540 s"),
    "idle again after a deployment": (
        line(-90, ACK) + line(-30, DONE) + IDLE + polls(771),
        "polls came every 61 s, then none for 540 s",
    ),
}


@pytest.mark.parametrize(("text", "said"), TOLD.values(), ids=TOLD)
def test_a_gap(text: str, said: str) -> None:
    """In words of ours, at the place of the poll that was late."""
    record = gap(text.encode(), Source("x", UTC))

    assert record is not None
    assert (record.message, record.agent, record.pid) == (said, "1.x", 21)
    assert text[record.offset :].splitlines()[0].split("]: ")[1].startswith("[Aws::CodeDeployCommand::Client")


SILENT = {
    "nothing": "",
    "a steady agent": polls(*STEADY, 292),
    "less than four beats": IDLE + polls(474),
    "a gap of some seconds": polls(0, 1, 2, 3, 4) + polls(33),
    "polls came again": IDLE + polls(771, 832),
    "too few before it": polls(*STEADY[:4]) + polls(771),
    "no rhythm before it": polls(0, 61, 122, 300, 361) + polls(1200),
    "a deployment that took long": IDLE + line(231, ACK) + line(760, DONE) + polls(771),
    "one at its begin": IDLE + line(231, ACK) + polls(771),
    "one at its end": IDLE + line(770, DONE) + polls(771),
    "one after it": IDLE + polls(771) + line(771, ACK),
    "errors, and their back-off": IDLE + line(300, FAULT, level="ERROR") + polls(771),
    "an agent that was started again": IDLE + polls(771, pid=99),
    "a note of the master": IDLE + line(400, "master 20: Received CHLD\n", pid=20) + polls(771),
    "a poll that took long tells by itself": IDLE + polls(771, poll=LONG),
    "lines were cut out": IDLE + "...\n" + polls(771),
    "only the polls were picked out": "".join(line(at, POLL) for at in (*STEADY, 771)),
    "the clock was set forward in spring": IDLE + polls(231 + 3600 + 58),
    "half an hour, as on Lord Howe": IDLE + polls(231 + 1800 + 61),
    "the clock was set back": polls(0, 61, 122, 50, 111) + polls(771),
    "agent 2.x": "".join(f"2026-03-28 12:0{n}:00 INFO Command succeeded elapsed_ms=1\n" for n in range(7)),
    "a date that does not exist": (IDLE + polls(771)).replace("2026-03-28T12:12", "2026-02-30T12:12"),
    "hook output that looks like it": (IDLE + polls(771)).replace("2026-", "[stdout]2026-"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_no_gap(text: str) -> None:
    """A false alarm would be worse than a gap that is not told."""
    assert gap(text.encode(), Source("x", UTC)) is None


STEP = st.tuples(st.sampled_from(("idle", "idle", "idle", "deployment", "error", "start")), st.floats(45, 61))
Steps = list[tuple[str, float]]


@given(st.lists(STEP, max_size=40), st.floats(0, 3600))
def test_whatever_a_healthy_agent_does(steps: Steps, length: float) -> None:
    """Polls in their beat, deployments of any length, errors and starts: no gap, wherever the log is cut."""
    text, at, pid = "", 0.0, 21
    for kind, beat in steps:
        if kind == "deployment":
            text += line(at, ACK, pid) + line(at + length, DONE, pid)
            at += length
        elif kind == "error":
            text += line(at + length / 10, FAULT, pid, "ERROR")
            at += length / 10
        elif kind == "start":
            at, pid = at + length, pid + 1
        at += beat
        text += polls(at, pid=pid)
        assert gap(text.encode()[-logs.TAIL :], Source("x", UTC)) is None


Scan = Callable[..., dict[str, Finding]]


def test_it_is_found_at_the_end_of_many_blocks(scan: Scan) -> None:
    """Through the gate, which passes over all of these lines; the place is that in the file."""
    steady = polls(*range(0, 60 * 2000, 60))
    text = steady + polls(60 * 2000 + 600)
    assert len(steady) > 4 * logs.BLOCK

    assert "agent-stalled" not in scan(steady)
    (symptom,) = scan(text)["agent-stalled"].evidence
    assert symptom.text == "polls came every 60 s, then none for 660 s"
    assert text.encode()[symptom.offset :].decode() == line(60 * 2000 + 600, POLL)


def _states(rules: Sequence[Rule], *texts: str, folder: Path) -> dict[str, State]:
    paths = []
    for number, text in enumerate(texts):
        paths.append(str(folder / f"{number}.log"))
        Path(paths[-1]).write_text(text)
    return {finding.rule.id: finding.state for finding in runs.scan(rules, paths).findings}


def test_polls_end_it(rules: tuple[Rule, ...], tmp_path: Path) -> None:
    """In a file that was begun at midnight, too."""
    late = polls(771)

    assert _states(rules, IDLE + late, folder=tmp_path) == {"agent-stalled": State.ACTIVE}
    assert _states(rules, IDLE + late, polls(832, 893), folder=tmp_path) == {"agent-stalled": State.RECOVERED}


def test_one_incident_is_one(scan: Scan) -> None:
    """A late poll that took long itself is told by its own length."""
    assert scan(IDLE + polls(771, poll=LONG))["agent-stalled"].count == 1
