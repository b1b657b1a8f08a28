"""What identifies a log and how far it is read: its content. Names and inodes are only hints.

A *generation* is one run of content from a beginning: it lives on under another name after a rename, and in a copy
after the log was copied and truncated. It is known by digests of the bytes that it begins with, and of those before
the place where reading stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentdoctor.digests import blake2b

WINDOW = 1024  # bytes that a digest covers
RECENT = 64 * 1024  # bytes that are remembered of a log while it is followed

Inode = tuple[int, int]  # device and number
Before = Callable[[int], bytes]  # the bytes of a file before a position, at most WINDOW


def digest(data: bytes | memoryview) -> str:
    """Of bytes that are compared later. The state holds digests alone: what logs say stays in logs."""
    return str(blake2b(data, digest_size=8).hexdigest())


@dataclass(eq=False, slots=True)
class Generation:
    """``offset``: how far it is read. ``skipping``: that is within a line whose beginning was offered already.

    ``first``: digest of the first bytes. ``finished``: it was rolled away and read to its end, so nobody misses it when
    it is gone. ``inode``: where it was the live log. ``size``: of its file when it was read last. ``head``, ``tail``:
    the first bytes and the last that were read, known while a file that holds them is open. ``stored_last``: ``last``
    as it was stored, for as long as they are not known. ``missed``: looks at all files that did not find it.
    """

    number: int
    offset: int = 0
    first: str = ""
    stored_last: str = ""
    skipping: bool = False
    finished: bool = False
    inode: Inode | None = None
    size: int = 0
    head: bytes = b""
    tail: bytes | memoryview = b""
    missed: int = 0

    @property
    def last(self) -> str:
        """Digest of the bytes before the offset."""
        return digest(self.tail[-WINDOW:]) if self.tail else self.stored_last

    def same(self, before: Before, size: int) -> bool:
        """Whether a file of that size holds all that was read, and maybe more."""
        return 0 < self.offset <= size and digest(before(self.offset)) == self.last and self._begins(before)

    def _begins(self, before: Before) -> bool:
        return digest(before(min(self.offset, WINDOW))) == self.first

    def covers(self, file: Before, size: int) -> bool:
        """Whether a file ends within what was read lately.

        Such a file is a copy that was made before the last lines were read and the log was truncated. Nothing but
        these lines tells it from another log with the same header, so it is known only as long as we remember them.
        """
        behind = self.offset - size
        if not 0 < behind < len(self.tail):
            return False
        known = self.tail[-behind - WINDOW : -behind]
        return file(size).endswith(known) and file(min(size, WINDOW)) == self.head[:size]

    def adopt(self, before: Before) -> None:
        """Take the bytes to compare with from a file that holds this generation."""
        self.head, self.tail = before(min(self.offset, WINDOW)), before(self.offset)

    def start_at(self, before: Before, offset: int) -> None:
        """Count the bytes before an offset of a file as read."""
        self.offset = offset
        self.adopt(before)
        self.first = digest(self.head)

    def finish(self) -> None:
        """It was rolled away and read to its end."""
        self.finished, self.tail = True, bytes(self.tail[-WINDOW:])

    def advance(self, data: bytes | memoryview) -> None:
        """These bytes, which stay as they are, were read. The file they came from may be another one by now."""
        self._move(len(data), data)

    def advance_nuls(self, count: int) -> None:
        """So many NULs were passed over."""
        self._move(count, bytes(min(count, RECENT)))

    def _move(self, count: int, data: bytes | memoryview) -> None:
        if len(self.head) < WINDOW:
            self.head += data[: WINDOW - len(self.head)]
            self.first = digest(self.head)
        self.tail = data[-RECENT:] if len(data) >= RECENT else (bytes(self.tail) + data)[-RECENT:]
        self.offset += count

    @property
    def identity(self) -> str:
        """In a word, for people; empty before anything was read."""
        return self.first

    def text(self) -> str:
        """For the state, as JSON."""
        return json.dumps({name: getattr(self, name) for name in _STORED}, separators=(",", ":"))


_STORED = ("offset", "first", "last", "skipping", "finished", "inode", "size")


def load(number: int, text: str) -> Generation | None:
    """A generation from the state; None if the text is not one."""
    try:
        stored: dict[str, Any] = json.loads(text)
        inode = stored["inode"]
        return Generation(
            number,
            offset=int(stored["offset"]),
            first=str(stored["first"]),
            stored_last=str(stored["last"]),
            skipping=bool(stored["skipping"]),
            finished=bool(stored["finished"]),
            inode=None if inode is None else (int(inode[0]), int(inode[1])),
            size=int(stored["size"]),
        )
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return None
