"""The rhythm of agent 1.x: a poll at the end of its log that came far later than those before it.

An idle agent writes two entries for each poll, and all of them in one beat: the poll's own length, 45 to 61 s, and the
agent's pause. Whatever else it does it writes down, so only the entries behind the last of that count, and a deployment
that keeps it from polling is no gap. Nothing is measured against a clock of ours. 2.x does not log its good polls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from agentdoctor.grammars import Source, epoch
from agentdoctor.model import Record

BEATS = 4  # between polls in the same rhythm; fewer are none
_FACTOR = 4  # that a gap is longer than the longest of them: three polls at least did not come
_LEAST = 30.0  # seconds, for an agent that is answered at once
_SHIFTS = (1800.0, 3600.0)  # seconds by which clocks are set forward in spring
# A poll of a hundred seconds and more tells by itself, so it is none of these.
_IDLE = re.compile(
    rb"(?P<stamp>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d) INFO +\[[^\]()]*\((?P<pid>\d{1,10})\)\]: "
    rb"(?:(?P<before>Version file found\b)|\[Aws::CodeDeployCommand::Client 200 \d{1,2}\b[^\]]*\] poll_host_command\()"
)


class _Poll(NamedTuple):
    at: float
    pid: int
    offset: int


def gap(tail: bytes, source: Source) -> Record | None:
    """The last poll of a log, if it came far too late; in words of ours."""
    polls = _polls(tail, source)[-BEATS * 3 :]
    beats = [late.at - early.at for early, late in pairwise(polls)]
    usual = max(beats[:-1], default=0.0)
    if len(beats) <= BEATS or not _regular(beats[:-1]) or not _late(beats[-1], usual):
        return None
    last = polls[-1]
    return Record(
        log="agent",
        message=f"polls came every {usual:.0f} s, then none for {beats[-1]:.0f} s",
        path=source.path,
        offset=last.offset,
        at=last.at,
        agent="1.x",
        level="INFO",
        pid=last.pid,
    )


def _regular(beats: Sequence[float]) -> bool:
    """Whether none is twice as long as another; stamps are whole seconds."""
    return min(beats) >= 0 and max(beats) <= 2 * min(beats) + 2


def _late(beat: float, usual: float) -> bool:
    shifted = any(abs(beat - usual - shift) <= usual + 1 for shift in _SHIFTS)
    return beat >= max(_FACTOR * usual, _LEAST) and not shifted


def _polls(tail: bytes, source: Source) -> list[_Poll]:
    """The polls since the agent did anything else. One that it did not announce stands in a log with lines cut out."""
    polls: list[_Poll] = []
    announced = False
    for begin, line in _lines(tail):
        idle = _IDLE.match(line)
        at = epoch(idle["stamp"].decode(), source.zone) if idle else None
        if idle is None or at is None or (polls and polls[-1].pid != int(idle["pid"])):
            polls, announced = [], False
        elif idle["before"]:
            announced = True
        else:
            polls = [*polls, _Poll(at, int(idle["pid"]), begin)] if announced else []
            announced = False
    return polls


def _lines(tail: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines and where they begin, without empty ones: behind each call of the SDK stands one.

    The last one may be half written, so it counts only where enough of it is there.
    """
    begin = 0
    *lines, last = tail.split(b"\n")
    for line in [*lines, last if _IDLE.match(last) else b""]:
        if line.strip():
            yield begin, line
        begin += len(line) + 1
