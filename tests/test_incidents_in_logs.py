"""Whole logs in a few lines: when a failure is one, when it is over, and by what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agentdoctor.model import Finding, State
from conftest import records

Scan = Callable[..., dict[str, Finding]]

SPAN = "deployment{{deployment_id={id} command={command} app={app}}}: "
EXISTS = (
    "Install failed for group 1: The deployment failed because a specified file already exists at this location: /a"
)


def at(minute: int, text: str, level: str = " INFO") -> str:
    """A line of agent 2.x."""
    return f"2026-09-10 08:{minute:02}:02 {level} {text}\n"


def failed(minute: int, app: str, error: str, command: str = "Install") -> str:
    """What 2.x logs of an event that failed: in the span of the command, and once more without."""
    span = SPAN.format(id=f"d-{app.upper():A<9}", command=command, app=app)
    twice = (f"{span}Command failed elapsed_ms=21 error={error}", f"Command processing failed: {error}")
    return "".join(at(minute, text, "ERROR") for text in twice)


def succeeded(minute: int, app: str, command: str = "Install") -> str:
    """The same for one that went well."""
    return at(minute, SPAN.format(id="d-ZZZZZZZZZ", command=command, app=app) + "Command succeeded elapsed_ms=9")


POLL = at(0, "Error polling for host commands: CodeDeploy command service error: Throttled: slow down", "ERROR")
IO = "Failed to start deployment tracking: IO error: No space left on device (os error 28)"
SPANLESS = at(0, f"Command processing failed: {IO}", "ERROR")
STORIES = {
    "an event of the same application": (failed(0, "bill", EXISTS) + succeeded(9, "bill"), "file-already-exists", True),
    "of another application": (failed(0, "bill", EXISTS) + succeeded(9, "shop"), "file-already-exists", False),
    "another event": (failed(0, "bill", EXISTS) + succeeded(9, "bill", "AfterInstall"), "file-already-exists", False),
    "an event that nobody named, and its end": (SPANLESS + succeeded(9, "bill", "ValidateService"), "disk-full", True),
    "such an event, and another's end": (SPANLESS + succeeded(9, "bill", "DownloadBundle"), "disk-full", False),
    "bad polls, and long after them a sign of life": (
        POLL + at(4, "Refreshing credentials mode=InstanceProfile"),
        "endpoint-throttled",
        True,
    ),
    "soon after them": (POLL + at(2, "Refreshing credentials mode=InstanceProfile"), "endpoint-throttled", False),
    "long after them a new worker": (POLL + at(9, "Worker 12 starting"), "endpoint-throttled", False),
    "long after them another error": (POLL + at(9, "Something else broke", "ERROR"), "endpoint-throttled", False),
}


@pytest.mark.parametrize(("log", "id_", "over"), STORIES.values(), ids=STORIES)
def test_stories_of_agent_2x(log: str, id_: str, over: bool, scan: Scan) -> None:
    """What ends a failure, and what only looks like it."""
    finding = scan(log)[id_]

    assert finding.state is (State.RECOVERED if over else State.ACTIVE)
    assert finding.count == 1


def test_interleaved_deployments_keep_what_is_theirs(scan: Scan) -> None:
    """The line without a span that follows belongs to the failure, whatever stands between."""
    first, again = failed(0, "bill", EXISTS).splitlines(keepends=True)
    finding = scan(first + succeeded(0, "shop") + again)["file-already-exists"]

    assert (finding.state, finding.deployment.id, finding.count) == (State.ACTIVE, "d-BILLAAAAA", 1)


PERFORM = "2026-11-22T21:00:38 ERROR [codedeploy-agent(26)]: CommandPoller: Error during perform: "
FRAME = " - /opt/codedeploy-agent/lib/x.rb:1:in `x'\n"
UNKNOWN = {
    "an error that no rule knows": (
        f"{PERFORM}ArgumentError - string contains null byte{FRAME}",
        {"deployment-failed"},
    ),
    "of an old agent's poll": (f"{PERFORM}Seahorse::Client::NetworkingError - something new{FRAME}", set[str]()),
    "of an old agent's connection": (f"{PERFORM}Errno::ECONNRESET - something new{FRAME}", set[str]()),
    "of 2.x in its span and without": (failed(0, "bill", "something new"), {"deployment-failed"}),
    "of 2.x before there is a span": (
        at(0, "Command processing failed: something new", "ERROR"),
        {"deployment-failed"},
    ),
}


@pytest.mark.parametrize(("log", "ids"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_failure_that_no_rule_knows(log: str, ids: set[str], scan: Scan) -> None:
    """It is told as a failed event, once; errors of polls are not events."""
    found = scan(log)

    assert set(found) == ids
    assert all(finding.count == 1 for finding in found.values())


def test_a_wire_log_is_an_agent_log() -> None:
    """Ruby's own logger writes the same calls in the form of the installer's log."""
    call = '[Aws::CodeDeployCommand::Client 400 0.2 0 retries] poll_host_command(host_identifier:"x") Aws::E expired'
    (record,) = records(f"I, [2026-07-26T07:15:57.958765 #25534]  INFO -- : {call}\n")

    assert (record.log, record.message) == ("agent", call)
