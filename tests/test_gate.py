"""The gates of the agent's log. Each has two forms, one for Python 3.10: they pass over the same lines."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.grammars import Gate, agent

STAMP, TAG = "2026-11-22T20:00:01", "[codedeploy-agent(21)]:"
CALLED = f"\n{STAMP} INFO  {TAG} [Aws::CodeDeployCommand::Client %s 0 retries] %s"
NEVER, WHERE_ENDS_ARE_WANTED, ALWAYS = [False, False], [False, True], [True, True]
END = 'put_host_command_complete(command_status:"%s"'
LINES = {
    "a poll": (CALLED % ("200 60.1", "poll_host_command(x)"), NEVER),
    "a version": (f"\n{STAMP} INFO  {TAG} Version file found in /x", NEVER),
    "a command that is taken": (CALLED % ("200 0.1", "put_host_command_acknowledgement(x)"), NEVER),
    "a deployment that is read": (CALLED % ("200 0.1", "get_deployment_specification(x)"), NEVER),
    "an event that went well": (CALLED % ("200 0.1", END % "Succeeded"), WHERE_ENDS_ARE_WANTED),
    "2.x is verbose": (f"\n{STAMP} DEBUG it looks", NEVER),
    "1.x is verbose": (f"\n{STAMP}  TRACE it looks", NEVER),
    "an event that failed": (CALLED % ("200 0.1", END % "Failed"), ALWAYS),
    "a call of 100 s": (CALLED % ("200 100.1", "poll_host_command(x)"), ALWAYS),
    "a refusal": (CALLED % ("400 0.1", "poll_host_command(x)"), ALWAYS),
    "a poll of an agent that was named": (
        f"\n{STAMP} INFO  [deploy-eu(7)]: [Aws::CodeDeployCommand::Client 200 60.1 0 retries] poll_host_command(x)",
        NEVER,
    ),
    "a name too short to be jumped over": (f"\n{STAMP} INFO  [cda(21)]: Version file found in /x", ALWAYS),
    "another client": (f"\n{STAMP} INFO  {TAG} [Aws::S3::Client 200 0.1 0 retries] poll_host_command(x)", ALWAYS),
    "a call of whole seconds": (CALLED % ("200 60", "poll_host_command(x)"), ALWAYS),
    "a bracket in the name": (CALLED % ("200 0.123456789 a]b", "poll_host_command(x)"), ALWAYS),
    "a poll of very short numbers": (CALLED % ("200 9.5", "poll_host_command(x)"), NEVER),
    "no blank after the tag": (f"\n{STAMP} INFO  {TAG}Version file found in /x", ALWAYS),
    "another word of versions": (f"\n{STAMP} INFO  {TAG} Version tracking file either does not exist", ALWAYS),
    "another call": (CALLED % ("200 0.1", "put_host_command_other(x)"), ALWAYS),
    "an error": (f"\n{STAMP} ERROR {TAG} Version file found in /x", ALWAYS),
}
JOINTS = [" ", "]", "\n", "200 ", "1", "[Aws::", "poll_host", "Version file found"]


def forms(gate: Gate) -> list[re.Pattern[bytes]]:
    """A gate as it is, and as Python 3.10 has it."""
    return [gate.pattern, re.compile(agent.giving_back(gate.pattern.pattern))]


@pytest.mark.parametrize(("line", "passes"), LINES.values(), ids=LINES)
def test_what_passes_each_gate(line: str, passes: list[bool]) -> None:
    for gate, passed in zip(agent.GATES, passes, strict=True):
        assert [bool(form.match(line.encode())) for form in forms(gate)] == [passed, passed]


def test_what_does_not_pass_is_named() -> None:
    """Else nobody would look for it when it is wanted."""
    for number, gate in enumerate(agent.GATES):
        kept = [line for line, passes in LINES.values() if not passes[number] and "INFO" in line]
        version = "Version file found in /opt/codedeploy-agent/.version with agent version "
        for line in [line.replace("Version file found in /x", version) for line in kept]:
            assert any(literal in line.encode() for literal in gate.hidden), line


def test_python_3_10_has_a_form_of_its_own() -> None:
    """A newer one never has to give back."""
    for gate in agent.GATES:
        assert (b"*+" in gate.pattern.pattern) == (sys.version_info >= (3, 11))


@pytest.mark.parametrize("gate", agent.GATES, ids=["all", "without ends"])
@given(st.lists(st.sampled_from([*(line for line, _ in LINES.values()), *JOINTS]), max_size=12))
def test_both_forms_pass_over_the_same(gate: Gate, parts: list[str]) -> None:
    """Whatever the parts of lines are joined to."""
    text = "".join(parts).encode()
    one, other = ([match.span() for match in form.finditer(text)] for form in forms(gate))

    assert one == other
