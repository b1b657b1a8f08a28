"""From the new bytes of a log to records, at once, and each entry whole.

The last entry of what was read may go on: a trace comes in parts. It is told at once all the same, and left where it
is, so that it is offered again when it is whole. What has not changed then is not told twice; what has grown is told
again, as the same occurrence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import tzinfo

from agentdoctor.grammars import ENTRY_LIMIT, Grammar, Source, agent, deployment, detect, scripts, update
from agentdoctor.logs import Wanted, read_piece
from agentdoctor.model import Record
from agentdoctor.tailing import Piece

_HEAD = 4096  # bytes, which tell what kind of log it is
_LINES = 100  # of one entry at most: a trace of 1.x runs to ninety
_GRAMMARS = {
    "agent": agent.GRAMMAR._replace(last=None),  # whether polls come too late, the host itself shows better
    "deployment": deployment.GRAMMAR,
    "scripts": scripts.GRAMMAR,
    "update": update.GRAMMAR,
}


class Follower:
    """Observes the records of pieces. ``pieces`` counts them, ``strange`` by path the lines of no known form."""

    def __init__(self, observe: Callable[[Record], None], wanted: Wanted, zone: tzinfo | None = None) -> None:
        self._observe, self._wanted, self._zone = observe, wanted, zone
        self._told: dict[str, tuple[int, bytes]] = {}  # by path: offset and text of an entry that was told early
        self.pieces = 0
        self.strange: Counter[str] = Counter()
        self.last_at: dict[str, float] = {}  # by path: the stamp of the last record that mattered

    def take(self, piece: Piece) -> int:
        """Observe what is new in a piece; returns how many of its bytes are done with."""
        self.pieces += 1
        grammar = self._grammar(piece)
        text, size = piece.text, piece.size
        begin = size if piece.settled else _last_entry(text, size, grammar)
        told = self._told.pop(piece.path, None)
        known = told is not None and told == (piece.offset, text[1 : _first_entry(text, size, grammar) + 1])
        source = Source(piece.path, self._zone)
        end = begin if piece.more else size  # what is cut by a block comes whole at once
        at = None
        for record in read_piece(grammar, text, end + 1, source, self._wanted, piece.offset):
            if known and record.offset == piece.offset:
                continue
            self._observe(record)
            at = record.at or at
        if at is not None:
            self.last_at[piece.path] = at
        if begin < end:
            self._told[piece.path] = (piece.offset + begin, text[begin + 1 : size + 1])
        return begin

    def _grammar(self, piece: Piece) -> Grammar:
        """That of the kind, unless the text speaks another known one: logs are renamed and sent elsewhere."""
        expected = _GRAMMARS[piece.kind]
        if expected.start.search(piece.text, 0, _HEAD):
            return expected
        found = detect(piece.text[1:_HEAD])
        if found.log == "text":
            self.strange[piece.path] += piece.text.count(b"\n", 1)
            return expected
        return found


def _last_entry(text: bytes, size: int, grammar: Grammar) -> int:
    """Bytes of the lines before the last entry; all of them where its beginning is too far back to be awaited.

    Here and below ``text`` is that of a piece: before the ``size`` bytes of lines stands a line break.
    """
    at = size
    for _ in range(_LINES):
        at = text.rfind(b"\n", 0, at)
        if grammar.start.match(text, at):
            return at
        if at <= 0:
            return 0 if size <= ENTRY_LIMIT else size
    return size


def _first_entry(text: bytes, size: int, grammar: Grammar) -> int:
    """How long the first entry is."""
    found = grammar.start.search(text, 2)
    return found.start() if found else size


def last_words(text: bytes, path: str, zone: tzinfo | None) -> Record | None:
    """What a hook printed last, of the end of a scripts.log; it counts where nobody told how the hook ended."""
    assert scripts.GRAMMAR.last is not None
    return scripts.GRAMMAR.last(text, Source(path, zone))


def kinds() -> Sequence[str]:
    """The kinds of logs that can be followed."""
    return tuple(_GRAMMARS)
