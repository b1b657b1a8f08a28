"""What a tailer is told, what it offers and what it says: the nouns of following logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple


class Family(NamedTuple):
    """One log with the files that it is rolled into, all in one directory.

    ``archives``: regular expression of the names of rolled files. ``public``: anybody may write in the directory, so
    only a file counts that is root's or ours, has one name, and that nobody else may write.
    """

    kind: str
    directory: str
    live: str
    archives: str = r"(?!)"
    public: bool = False

    @property
    def path(self) -> str:
        """Where the live log lies."""
        return f"{self.directory}/{self.live}"


class Piece(NamedTuple):
    """Whole lines of a file, as bytes; ``offset`` is where they begin in it.

    ``text`` is as it was read, since a copy is a fiftieth of a burst: a line break, so that each line has one
    before it, then ``size`` bytes of lines, and maybe the beginning of another. ``data`` is the lines alone. They end
    with a line break, except for the beginning of a line that is longer than a piece: the rest of such a line is never
    offered. ``settled``: its last entry is whole, since the file is rolled, has not grown for a second, or that entry
    alone fills a piece. ``more``: the file goes on behind it, and the next piece comes at once.
    """

    kind: str
    path: str
    offset: int
    text: bytes
    size: int
    settled: bool
    more: bool = False

    @property
    def data(self) -> bytes:
        """The lines, copied."""
        return self.text[1 : self.size + 1]


# Returns how many bytes of the lines it took: up to the border of an entry; all of them if the piece is settled.
# What it did not take is offered again.
Consume = Callable[[Piece], int]

# Where a log begins that was there before the first look at its family.
Start = Literal["beginning", "end"]


class Gap(NamedTuple):
    """Part of a log is gone and was not read: at least so many bytes, which may be 0 when nobody can know."""

    path: str
    at_least_bytes: int
    why: str


class Refused(NamedTuple):
    """A file that is not read, and why. It is tried again at each look."""

    path: str
    reason: str


Notice = Gap | Refused


class Lag(NamedTuple):
    """How far a file is read. ``identity``: digest of its first bytes, empty before a line of it was taken."""

    identity: str
    size: int
    offset: int
    behind: int  # bytes, an unfinished last line and holes among them
