"""Hostile logs: whatever stands in a file, it is read to its end, and every record is one."""

from __future__ import annotations

import pytest
from hostile import MUTATIONS, real_logs, scan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdoctor.grammars import Grammar, agent, deployment, every_entry, journal, plain, scripts, update

GRAMMARS: dict[str, Grammar] = {
    module.GRAMMAR.log: module.GRAMMAR for module in (agent, deployment, scripts, update, journal, plain)
}
FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

# How a line of each log begins: bytes behind it get past the headers.
BEGINNINGS = (
    b"",
    b"2026-11-22T20:09:09 ERROR [codedeploy-agent(12)]: ",
    b"2026-11-22 20:09:09 INFO  [codedeploy-agent(12)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries] ",
    b"2026-11-22 20:09:09  WARN deployment{deployment_id=d-AAAAAAAAA command=Install app=x}: ",
    b"[2026-11-22 20:09:09.123] [d-AAAAAAAAA][stderr]",
    b"[2026-11-22 20:09:09.123] Install/BeforeInstall failed: ",
    b"2026-11-22 20:09:09 LifecycleEvent - ",
    b"2026-11-22 20:09:09 [stderr]",
    b"E, [2026-11-22T20:09:09.123456 #12] ERROR -- : ",
    b"[2026-11-22T20:09:09Z] ",
    b"Nov 22 20:09:09 host codedeploy-agent[12]: ",
    b"2026-11-22T20:09:09+01:00 host systemd[1]: ",
    b"from /opt/frame.rb:1:in ",
)
POLL = (
    b"2026-11-22T20:09:09 INFO  [codedeploy-agent(1)]: [Aws::CodeDeployCommand::Client 200 60.1 0 retries] "
    b'poll_host_command(host_identifier:"x")\n'
)
_ANY = st.lists(st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=200)), max_size=12).map(
    lambda lines: b"\n".join(begin + rest for begin, rest in lines)
)


@FUZZ
@given(_ANY)
def test_any_bytes(raw: bytes) -> None:
    """Bytes of any kind, behind nothing or behind what a log's line begins with."""
    scan(raw)


@pytest.mark.parametrize("grammar", GRAMMARS.values(), ids=GRAMMARS)
@settings(FUZZ, max_examples=60)
@given(_ANY, st.booleans())
def test_any_bytes_by_each_grammar(grammar: Grammar, raw: bytes, gate: bool) -> None:
    """A grammar reads what another log says, with its gate and without."""
    scan(raw, grammar if gate else every_entry(grammar))


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    """A piece of a real log after some mutations."""
    log = draw(st.sampled_from(real_logs()))
    begin = draw(st.integers(0, len(log) - 1))
    raw = log[begin : begin + draw(st.integers(1, 6000))]
    steps = st.tuples(st.sampled_from(sorted(MUTATIONS)), st.integers(0, 2**16), st.integers(0, 3000))
    for name, place, number in draw(st.lists(steps, min_size=1, max_size=4)):
        raw = MUTATIONS[name](raw, place % (len(raw) + 1), number)
    return raw


@FUZZ
@given(_broken())
def test_broken_logs(raw: bytes) -> None:
    """What copies, terminals, full disks and editors do to real logs."""
    scan(raw)


@settings(FUZZ, max_examples=40)
@given(st.lists(_broken(), min_size=1, max_size=4))
def test_broken_pieces_in_a_large_log(pieces: list[bytes]) -> None:
    """The same behind so much healthy text that the gate is in use."""
    scan(POLL * 500 + b"\n".join(pieces))


_DIGITS = b"1" * 5000
TOO_MANY_DIGITS = {
    "agent": b"2026-11-22T20:09:09 ERROR [codedeploy-agent(%b)]: x\n",
    "update": b"E, [2026-11-22T20:09:09.123456 #%b] ERROR -- : x\n",
    "journal": b"Nov 22 20:09:09 host codedeploy-agent[%b]: x\n",
}


@pytest.mark.parametrize("line", TOO_MANY_DIGITS.values(), ids=TOO_MANY_DIGITS)
def test_a_pid_of_5000_digits(line: bytes) -> None:
    """No process has it, and the line is still one."""
    records, _ = scan(line % _DIGITS)

    assert len(records) == 1


ODD_REPORTS = {
    "a code of 5,000 digits": b'{\\"error_code\\":%b,\\"message\\":\\"m\\"}' % _DIGITS,
    "15,000 open brackets": b"[" * 15_000,
    "half a surrogate": b'{\\"error_code\\":4,\\"message\\":\\"\\\\ud800\\"}',
    "no number": b'{\\"error_code\\":NaN,\\"message\\":[1]}',
    "many escapes": b"\\\\" * 7000,
    "an escape at the end": b"\\",
    "a code point beyond the last": b"\\u{fffffffff}",
}


@pytest.mark.parametrize("payload", ODD_REPORTS.values(), ids=ODD_REPORTS)
def test_odd_reports(payload: bytes) -> None:
    """Whatever the payload, the failed event is reported."""
    line = (
        b"2026-11-22T20:09:09 INFO  [codedeploy-agent(1)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries] "
        b'put_host_command_complete(command_status:"Failed",diagnostics:{format:"JSON",payload:"%b"},'
        b'host_command_identifier:"aWQ=")\n'
    )
    (record,), _ = scan(line % payload)

    assert record.report
    assert not record.report.succeeded
