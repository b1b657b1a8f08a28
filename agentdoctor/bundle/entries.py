"""What a bundle holds, whichever way it is packed. Nothing is ever written to a disk."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MOST = 100_000  # entries
DEEPEST = 200  # folders in each other
LONGEST_NAME = 4096  # bytes, what a path may have on Linux
ROOM = 64 << 20  # bytes that a small archive may unpack to
RATIO = 100  # what an archive may grow by when it is unpacked; texts reach 20


class Unreadable(Exception):
    """Why an archive cannot be read, or not to its end."""


class TooLarge(Unreadable):
    """It is larger than anything that is deployed: an archive bomb, or a mistake."""


@dataclass(frozen=True)
class Entry:
    """One file, directory or link. ``path`` is relative to the bundle, without . and .. in it.

    ``mode`` are the permission bits, None where the archive does not tell. ``at`` is where the content stands in an
    archive that can be read anywhere.
    """

    path: str
    kind: str  # file, directory, link, other
    size: int = 0
    mode: int | None = None
    target: str = ""  # of a link
    at: int = 0


# The first bytes of these files, at most so many of each.
Read = Callable[[Iterable[Entry], int], Iterator[tuple[Entry, bytes]]]


@dataclass(frozen=True)
class Bundle:
    """``outside``: names of entries that lead out of the bundle. ``wrong``: why not all of it could be read.

    ``moved``: names that unpacking writes with other bytes.
    """

    path: str
    kind: str  # directory, zip, tar, tgz
    entries: Mapping[str, Entry]
    read: Read
    outside: tuple[str, ...] = ()
    wrong: str = ""
    broken: bool = False  # the archive itself, so that the agent cannot unpack it either
    large: bool = False  # that is why not all of it was read
    moved: tuple[str, ...] = ()


@dataclass
class Listing:
    """The entries as they are met, and the limits that hold for all ways of packing."""

    entries: dict[str, Entry] = field(default_factory=dict)
    outside: list[str] = field(default_factory=list)
    met: int = 0

    def add(self, name: str, kind: str, size: int = 0, mode: int | None = None, target: str = "", at: int = 0) -> None:
        """Take an entry. TooLarge for one too many."""
        self.met += 1
        if self.met > MOST:
            raise TooLarge(f"it has more than {MOST} entries")
        path = inside(name)
        if path is None:
            self.outside.append(name[:200])
        elif path:
            self.entries[path] = Entry(path, kind, size, mode, target, at)
            self._above(path)

    def _above(self, path: str) -> None:
        """Directories that have no entry of their own."""
        parent = posixpath.dirname(path)
        while parent and parent not in self.entries:
            self.entries[parent] = Entry(parent, "directory")
            parent = posixpath.dirname(parent)


def inside(name: str) -> str | None:
    """A name without . and doubled slashes, "" for the bundle itself; None if it leads out or is no name."""
    if name.startswith("/") or "\0" in name or len(name) > LONGEST_NAME or name.count("/") > DEEPEST:
        return None
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)
