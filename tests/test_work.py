"""No time beyond linear, counted and not timed: what a scan hands to regular expressions grows as the text does."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from counting import Work, counted
from hostile import MUTATIONS, RULES, real_logs, scan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdoctor.logs import BLOCK, PASTE
from agentdoctor.patterns import MESSAGE_LIMIT, facts

STAMP = b"2026-11-22T20:%02d:%02d "
ERROR = STAMP + b"ERROR [codedeploy-agent(1)]: "
REPORT = STAMP + (
    b"INFO  [codedeploy-agent(1)]: [Aws::CodeDeployCommand::Client 200 0.1 0 retries] put_host_command_complete("
    b'command_status:"%b",diagnostics:{format:"JSON",payload:"{\\"error_code\\":4,\\"script_name\\":\\"a.sh\\",'
    b'\\"message\\":\\"Script at specified location: a.sh failed with exit code %d\\",\\"log\\":\\"\\"}"},'
    b'host_command_identifier:"%b")\n\n'
)
# Whatever a pattern must hold: a line of them makes the index try as many as it can.
NEEDLES = b" ".join(sorted({facts(pattern)[1].encode() for rule in RULES for pattern in rule.patterns}))


def _clock(number: int) -> tuple[int, int]:
    return number // 60 % 60, number % 60


def _report(number: int, status: bytes, event: bytes) -> bytes:
    return REPORT % (*_clock(number), status, number, base64.b64encode(b"d-AAAAAAAAA/" + event))


def _needles(number: int) -> bytes:
    begin = number * 97 % len(NEEDLES)
    return ERROR % _clock(number) + b"%d " % number + NEEDLES[begin : begin + 200] + b"\n"


def _open_failure(number: int) -> bytes:
    return _report(number, b"Succeeded", b"BeforeInstall") if number else _report(0, b"Failed", b"Install")


# The n-th piece of a log, no two alike (what is said again is remembered), and the work allowed per byte.
SHAPES: dict[str, tuple[Callable[[int], bytes], float]] = {
    "errors that no rule knows": (lambda n: ERROR % _clock(n) + b"strange thing %d\n" % n, 2),
    "one long line": (lambda n: b" %d" % n if n else ERROR % (0, 0), 2),
    "what patterns look for": (_needles, 8),
    "all that patterns look for": (lambda n: ERROR % _clock(n) + b"%d " % n + NEEDLES + b"\n", 40),
    "failed reports": (lambda n: _report(n, b"Failed", b"Install"), 4),
    "a frame": (lambda n: b"/opt/frame.rb:%d:in `x'\n" % n, 4),
    "nearly a frame": (lambda n: b"/opt/frame.rb:%d:1:1:1:1:1\n" % n, 4),
    "lines of one entry": (lambda n: b"line %d\n" % n if n % 60 else ERROR % _clock(n) + b"x\n", 4),
    "half reports": (lambda n: ERROR % _clock(n) + b"put_host_command_complete(" * 20 + b"%d\n" % n, 4),
    "output of hooks": (lambda n: STAMP % _clock(n) + b"[stderr]line %d\n" % n, 4),
    # Each of them is looked at while something waits for a good report, and each looks over the rest of the window.
    "good reports that end nothing": (_open_failure, 200),
}


def _log(piece: Callable[[int], bytes], size: int) -> bytes:
    parts = bytearray()
    number = 0
    while len(parts) < size:
        parts += piece(number)
        number += 1
    return bytes(parts)


def _work(raw: bytes) -> Work:
    with counted() as work:
        scan(raw)
    return work


SIZES = {"a paste": PASTE // 4, "a log of several blocks": 5 * BLOCK // 2}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("piece", "allowed"), SHAPES.values(), ids=SHAPES)
def test_work_is_linear(piece: Callable[[int], bytes], allowed: float, size: int) -> None:
    """So much per byte at most, and twice the text is twice the work, give or take what begins and ends it."""
    log, twice = _log(piece, size), _log(piece, 2 * size)
    work, more = _work(log), _work(twice)

    assert work.total <= allowed * len(log)
    assert more.total <= allowed * len(twice)
    assert more.total <= 2.3 * work.total + size / 4


@pytest.mark.parametrize("before", [b"", ERROR % (0, 0) + b"x\n"], ids=["alone", "behind an entry"])
def test_lines_of_blanks_are_linear(before: bytes) -> None:
    """A line of blanks is looked at as often as any other line."""
    work, more = _work(before + b" \n" * 1000), _work(before + b" \n" * 2000)

    assert more.total <= 2.3 * work.total + 1000


def test_no_pattern_sees_more_than_a_message() -> None:
    """The cut is what bounds a pattern whose attempts are linear each."""
    assert _work(ERROR % (0, 0) + NEEDLES + b"\n").longest <= MESSAGE_LIMIT


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_patterns_are_tried_in_proportion(data: st.DataObject) -> None:
    """On real logs, however broken: a few looks at each byte, not one per rule."""
    log = data.draw(st.sampled_from(real_logs()))
    name, place = data.draw(st.sampled_from(sorted(MUTATIONS))), data.draw(st.integers(0, len(log) - 1))
    raw = MUTATIONS[name](log, place, data.draw(st.integers(0, 3000)))
    work = _work(raw)

    assert work.searched <= 8 * len(raw) + MESSAGE_LIMIT
    assert work.searches <= len(raw) / 64 + 32
