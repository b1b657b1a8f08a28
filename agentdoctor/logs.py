"""From files to Records: a block at a time, at the speed of one search, in memory that does not grow."""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import timezone, tzinfo
from functools import lru_cache

from agentdoctor.grammars import (
    CONTINUATION_LIMIT,
    ENTRY_LIMIT,
    EVERY_LINE,
    FRAME,
    Gate,
    Grammar,
    Source,
    detect,
    epoch,
    every_entry,
)
from agentdoctor.model import Record

# Small enough to stay in the processor's cache: 256 KiB and more were a third as fast.
BLOCK = 128 * 1024
# Up to here every entry is looked at: texts of this size are pastes, torn out of their order.
PASTE = 64 * 1024

TAIL = 4096  # of a log whose end is read once more

Stream = io.RawIOBase | io.BufferedIOBase
Wanted = Callable[[], Sequence[bytes]]


class NotALog(OSError):
    """A file that cannot be a log, and why."""


class Blank(NotALog):
    """A file in which no line stands, as of a log that was rolled just now."""


def open_log(path: str, own: bool = False) -> Stream:
    """Open a log for reading; never waits for a FIFO or a device. OSError, NotALog.

    ``own``: the folder is one where anybody may write, so no link is followed and the file must be root's or ours.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_NOFOLLOW if own else 0)
    descriptor = os.open(path, flags)
    status = os.fstat(descriptor)
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "is a directory" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
    elif own and status.st_uid not in (0, os.geteuid()):
        problem = "belongs to another user than root, so its text is not trusted"
    if problem:
        os.close(descriptor)
        raise NotALog(problem)
    file = os.fdopen(descriptor, "rb", buffering=0)
    if os.pread(descriptor, 2, 0) == b"\x1f\x8b":
        packed = gzip.GzipFile(fileobj=io.BufferedReader(file))
        packed.myfileobj = file  # else closing it leaves our descriptor open
        return packed
    return file


# Local stamps without a zone repeat for an hour when summer time ends.
SEEK_SLACK = 3600.0
# The second group is there in a line of agent 2.x, whose stamps are UTC.
_STAMPED = re.compile(rb"\n\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)( {1,2}[A-Z]+ +[^\[ ])?")


def seek(stream: Stream, since: float, zone: tzinfo | None) -> int:
    """Move to a place before the first entry of ``since`` (seconds since the epoch), by halving. Returns the offset.

    A stream that cannot seek, or that has no stamps, is read from its beginning.
    """
    if not stream.seekable() or isinstance(stream, gzip.GzipFile):
        return 0
    low, high = 0, stream.seek(0, io.SEEK_END)
    while high - low > BLOCK:
        middle = (low + high) // 2
        stream.seek(middle)
        found = _STAMPED.search(stream.read(PASTE) or b"")
        at = epoch(found[1].decode(), timezone.utc if found[2] else zone) if found else None
        if at is None or at >= since - SEEK_SLACK:
            high = middle
        else:
            low = middle
    stream.seek(low)
    if low:
        skipped = (stream.read(PASTE) or b"").find(b"\n") + 1
        low += skipped
        stream.seek(low)
    return low


def read(stream: Stream, source: Source, wanted: Wanted, offset: int = 0) -> Iterator[Record]:
    """The records of a stream that may matter, in order. NotALog if it holds no text, Blank if it holds nothing.

    ``wanted`` is asked after each record for literals that have become interesting: lines that hold one are
    delivered too, although the grammar's gate passes over them.
    """
    hole, head = _head(stream)
    if is_binary(head):
        raise NotALog("is not a text file")
    if len(head) < PASTE and not head.strip():
        raise Blank("is empty")
    grammar = detect(head)
    if len(head) < PASTE:
        grammar = every_entry(grammar)
    return _Blocks(stream, _window(head), len(head) + 1, offset + hole).records(grammar, source, wanted)


def read_as(grammar: Grammar, stream: Stream, source: Source, wanted: Wanted) -> Iterator[Record]:
    """The records of a stream whose grammar is known."""
    return _Blocks(stream, _window(b""), 1, 0).records(grammar, source, wanted)


def read_piece(
    grammar: Grammar, text: bytes, end: int, source: Source, wanted: Wanted, offset: int
) -> Iterator[Record]:
    """The records of a text in memory, up to an end in it; it is not copied.

    It is a line break and then the lines, of which the first has this offset.
    """
    return _Blocks(None, text, end, offset).records(grammar, source, wanted)


# What no log holds in numbers. A NUL may: a log that was truncated under its writer has holes.
_CONTROLS = bytes(set(range(32)) - set(b"\0\t\n\r\x1b"))


def is_binary(head: bytes) -> bool:
    """Whether bytes are too strange for a text."""
    strange = len(head) - len(head.translate(None, _CONTROLS))
    return strange > len(head) // 50


def _head(stream: Stream) -> tuple[int, bytes]:
    """The length of the hole that a file begins with, then the first bytes, or all of a small text."""
    hole, head = 0, b""
    while len(head) < PASTE:
        part = stream.read(PASTE - len(head))  # a pipe may give it in pieces
        if not part:
            break
        if not head:
            text = part.lstrip(b"\0")
            hole += len(part) - len(text)
            part = text
        head += part
    return hole, head


@lru_cache(maxsize=256)
def _way_in(wanted: Sequence[bytes], gates: tuple[Gate, ...]) -> tuple[re.Pattern[bytes], tuple[bytes, ...]]:
    """The gate that leaves the fewest literals to be looked for, and these."""
    return min(((gate.pattern, _hidden(wanted, gate.hidden)) for gate in gates), key=lambda way: len(way[1]))


def _hidden(wanted: Sequence[bytes], hidden: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Those literals that may stand in a line which a gate passes over."""
    return tuple(literal for literal in wanted if any(x in literal or literal in x for x in hidden))


def _window(head: bytes) -> bytearray:
    """Room for a block, which begins with these bytes."""
    window = bytearray(BLOCK)
    window[0 : len(head) + 1] = b"\n" + head
    return window


class _Blocks:
    """A window that moves over a stream; it begins with the line break before an entry.

    Without a stream the window has all that there is.
    """

    def __init__(self, stream: Stream | None, buffer: bytearray | bytes, filled: int, offset: int) -> None:
        self.stream = stream
        self.buffer = buffer
        self.filled = filled
        self.first, self.offset = offset, offset - 1  # in the file, of the first byte and of buffer[0]
        self.at_end = stream is None
        self.tail = b""
        self.gate_at = self.wanted_at = -1  # where the next line stands that passes the gate, or is wanted
        self.wanted: Sequence[bytes] | None = None  # not asked yet; the gate depends on it
        self.gate = EVERY_LINE.pattern
        self.literals: Sequence[bytes] = ()  # of them those that are looked for
        self.literal_at: dict[bytes, int] = {}  # where each stands next

    def records(self, grammar: Grammar, source: Source, wanted: Wanted) -> Iterator[Record]:
        self._fill()
        while True:
            end = self.filled if self.at_end else self.buffer.rfind(b"\n", 0, self.filled)
            if end <= 0:  # one line longer than the window: its beginning is read, the rest is payload
                end = self.filled
            position = max(0, self.buffer.find(b"\n", 0, end))  # what is before it is payload
            while (found := self._next(grammar, position, end, wanted)) >= 0:
                entry = self._entry(grammar, found, end)
                if entry is None:  # its last lines are not here yet
                    break
                first, rest, position = entry
                record = grammar.parse(first, rest, source, self.offset + found + 1)
                if record is not None:
                    yield record
            done = found if found >= 0 else end
            if grammar.last:
                self.tail = (self.tail + self.buffer[max(0, done - TAIL) : done])[-TAIL:]
            if self.at_end:
                break
            self._move(done)
        last = grammar.last(self.tail, source) if grammar.last else None
        if last is not None:
            begin = self.offset + done - len(self.tail)  # before the first byte stands a line break of ours
            yield last._replace(offset=max(self.first, begin + last.offset))

    def _next(self, grammar: Grammar, position: int, end: int, wanted: Wanted) -> int:
        """Where the next entry that matters begins (its line break), -1 if there is none before ``end``."""
        literals = wanted()
        if literals is not self.wanted:
            gate, self.literals = _way_in(literals, grammar.gates)
            if gate is not self.gate:
                self.gate, self.gate_at = gate, -1
            self.wanted, self.wanted_at = literals, -1
        if self.gate_at < position:  # else the gate's next place is known from before
            passes = self.gate.search(self.buffer, position, end)
            self.gate_at = passes.start() if passes else end
        if self.wanted_at < position:
            self.wanted_at = self._line_with_literal(position, end) if self.literals else end
        found = min(self.wanted_at, self.gate_at)
        return found if found < end else -1

    def _line_with_literal(self, position: int, end: int) -> int:
        """The line break before the next line that is wanted, ``end`` if there is none; each literal is found once."""
        nearest = end
        for literal in self.literals:
            hit = self.literal_at.get(literal, -1)
            if hit < position:
                hit = self.buffer.find(literal, position, end)
                self.literal_at[literal] = hit = hit if hit >= 0 else end
            nearest = min(nearest, hit)
        begin = self.buffer.rfind(b"\n", position, nearest) if nearest < end else -1
        return begin if begin >= 0 else end

    def _entry(self, grammar: Grammar, found: int, end: int) -> tuple[bytes, list[bytes], int] | None:
        """First line, continuation lines and where they end; None if the window ends before they do."""
        begin = found + 1
        stop = self._line_end(begin, end)
        first = bytes(self.buffer[begin : min(stop, begin + ENTRY_LIMIT)])
        rest: list[bytes] = []
        size = len(first)
        while stop < end and len(rest) < CONTINUATION_LIMIT and size < ENTRY_LIMIT:
            if grammar.start.match(self.buffer, stop, end) or FRAME.match(self.buffer, stop + 1, end):
                return first, rest, stop
            line_end = self._line_end(stop + 1, end)
            rest.append(bytes(self.buffer[stop + 1 : min(line_end, stop + 1 + ENTRY_LIMIT)]))
            size += line_end - stop
            stop = line_end
        if stop >= end and not self.at_end and found > 0:
            return None
        return first, rest, stop

    def _line_end(self, position: int, end: int) -> int:
        found = self.buffer.find(b"\n", position, end)
        return found if found >= 0 else end

    def _move(self, begin: int) -> None:
        """Let go of what was read; ``begin`` becomes the start of the window."""
        assert isinstance(self.buffer, bytearray)
        kept = self.buffer[begin : self.filled]
        self.buffer[0 : len(kept)] = kept
        self.offset += begin
        self.gate_at = self.wanted_at = -1
        self.literal_at.clear()
        self.filled = len(kept)
        self._fill()

    def _fill(self) -> None:
        """Fill the window. Ends with at_end set, or with a line break somewhere in it."""
        if self.stream is None:
            return
        view = memoryview(self.buffer)
        while self.filled < len(self.buffer):
            count = self.stream.readinto(view[self.filled :])
            if not count:
                self.at_end = True
                return
            self.filled += count
