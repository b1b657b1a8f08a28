"""The gate of the agent's log has two forms, one of them for Python 3.10: they pass over the same lines."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor.grammars import agent

STAMP, TAG = "2026-11-22T20:00:01", "[codedeploy-agent(21)]:"
CALLED = f"\n{STAMP} INFO  {TAG} [Aws::CodeDeployCommand::Client %s 0 retries] %s"
LINES = {
    "a poll": (CALLED % ("200 60.1", "poll_host_command(x)"), False),
    "a version": (f"\n{STAMP} INFO  {TAG} Version file found in /x", False),
    "an event that went well": (CALLED % ("200 0.1", 'put_host_command_complete(command_status:"Succeeded"'), False),
    "2.x is verbose": (f"\n{STAMP} DEBUG it looks", False),
    "1.x is verbose": (f"\n{STAMP}  TRACE it looks", False),
    "an event that failed": (CALLED % ("200 0.1", 'put_host_command_complete(command_status:"Failed"'), True),
    "a call of 100 s": (CALLED % ("200 100.1", "poll_host_command(x)"), True),
    "a refusal": (CALLED % ("400 0.1", "poll_host_command(x)"), True),
    "a bracket in the name": (CALLED % ("200 0.1 a]b", "poll_host_command(x)"), True),
    "no blank after the tag": (f"\n{STAMP} INFO  {TAG}Version file found in /x", True),
    "an error": (f"\n{STAMP} ERROR {TAG} Version file found in /x", True),
}
JOINTS = [" ", "]", "\n", "200 ", "1", "[Aws::", "poll_host", "Version file found"]


def forms() -> list[re.Pattern[bytes]]:
    """The gate as it is, and as Python 3.10 has it."""
    return [agent.GATE, re.compile(agent.giving_back(agent.PASSED))]


@pytest.mark.parametrize(("line", "passes"), LINES.values(), ids=LINES)
def test_what_passes_the_gate(line: str, passes: bool) -> None:
    assert [bool(form.match(line.encode())) for form in forms()] == [passes, passes]


def test_python_3_10_has_a_form_of_its_own() -> None:
    """A newer one never has to give back."""
    assert (b"*+" in agent.GATE.pattern) == (sys.version_info >= (3, 11))


@given(st.lists(st.sampled_from([*(line for line, _ in LINES.values()), *JOINTS]), max_size=12))
def test_both_forms_pass_over_the_same(parts: list[str]) -> None:
    """Whatever the parts of lines are joined to."""
    text = "".join(parts).encode()
    one, other = ([match.span() for match in form.finditer(text)] for form in forms())

    assert one == other
