"""Grammars: from the bytes of a log to Records. One file per log; ``detect`` tells them apart by their text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from agentdoctor.model import Record

# Bytes of an entry that are looked at. Beyond them a line is payload: the agent cuts its own at 1,000 characters.
ENTRY_LIMIT = 16 * 1024
# Lines after the first that can belong to a message (a Ruby code excerpt, an HTML body, wrapped text).
CONTINUATION_LIMIT = 40


class Source(NamedTuple):
    """Where an entry comes from, and how to read its stamps."""

    path: str = ""
    zone: tzinfo | None = None  # of stamps without one; None: the zone of this process


class Gate(NamedTuple):
    """Finds the line break before each entry that may matter, and passes over what a healthy agent writes all the time.

    ``hidden`` holds a literal of each kind of line that it passes over; a line without any of them need not be looked
    for.
    """

    pattern: re.Pattern[bytes]
    hidden: tuple[bytes, ...] = ()


class Grammar(NamedTuple):
    """How one kind of log is cut into entries and read.

    Of its ``gates`` the first passes over most; a later one is for when some of that is wanted. ``start`` recognises
    any entry's first line, so that continuation lines end there. ``parse`` gets the first line, the others, the source
    and the offset. ``last`` gets the last bytes of the log and reads what only the end tells; the offset of its record
    counts from the first of them.
    """

    log: str
    gates: tuple[Gate, ...]
    start: re.Pattern[bytes]
    parse: Callable[[bytes, Sequence[bytes], Source, int], Record | None]
    last: Callable[[bytes, Source], Record | None] | None = None


# A line of a Ruby backtrace (base.rb joins frames with newlines, so they stand bare), or of a Rust one.
FRAME = re.compile(rb"[ \t]*(?:from )?(?:/|<internal:|\./)[^\n]*:\d+:in |[ \t]*\d+: from |[ \t]+at /")

EVERY_LINE = Gate(re.compile(rb"\n[^\n]"))


def every_entry(grammar: Grammar) -> Grammar:
    """The same grammar without its short cut: for small texts, where a paste may have torn entries apart."""
    return grammar._replace(gates=(EVERY_LINE,))


def continued(first: str, rest: Sequence[bytes]) -> str:
    """A message with its continuation lines, without the empty line that the SDK's formatter adds."""
    if not any(rest):
        return first.rstrip()
    return "\n".join([first, *(text(line) for line in rest)]).rstrip()


def text(raw: bytes) -> str:
    """Log bytes as text: scripts print what they like, so bytes that are not UTF-8 are shown as such."""
    return raw.decode("utf-8", "backslashreplace").rstrip("\r\n")


def epoch(stamp: str, zone: tzinfo | None) -> float | None:
    """Seconds since the epoch of YYYY-MM-DD[T ]HH:MM:SS[.mmm]; None for a date that does not exist."""
    try:
        hour = _hour(stamp[:13], zone)
        return None if hour is None else hour + int(stamp[14:16]) * 60 + float(stamp[17:])
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _hour(stamp: str, zone: tzinfo | None) -> float | None:
    """The begin of an hour. Clocks change between hours, so that all stamps of one have the same offset."""
    try:
        begin = datetime.fromisoformat(f"{stamp}:00:00")
        return begin.replace(tzinfo=zone).timestamp() if zone else begin.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def detect(head: bytes) -> Grammar:
    """The grammar that most lines of the beginning of a file speak; plain text when none does."""
    from agentdoctor.grammars import agent, deployment, journal, plain, scripts, update

    lines = b"\n" + head
    candidates = (agent.GRAMMAR, deployment.GRAMMAR, scripts.GRAMMAR, update.GRAMMAR, journal.GRAMMAR)
    counts = [(len(grammar.start.findall(lines)), grammar) for grammar in candidates]
    best, grammar = max(counts, key=lambda pair: pair[0])
    return grammar if best else plain.GRAMMAR
