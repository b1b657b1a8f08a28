"""Opening what stands in the place of a log, with distrust, and holding it. Nothing is written, locked or moved."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from agentdoctor.tailing.generation import WINDOW, Generation, Inode

# What a file shows from outside: when none of it changed, nothing was written since.
Signature = tuple[int, int, int, int, int]

# O_NOCTTY and O_NONBLOCK are for what may be swapped in between the look and the opening.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_KINDS = {
    stat.S_IFDIR: "is a directory",
    stat.S_IFLNK: "is a link",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Unfit(OSError):
    """What stands there is not a log that may be read, and why."""


def reason(error: OSError) -> str:
    """In words, without the path."""
    return error.strerror or str(error)


def signature(status: os.stat_result) -> Signature:
    """See Signature."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def glance(place: str | int) -> Signature | int:
    """What the kernel says of a path or a descriptor, links not followed: its signature, or the number of the error."""
    try:
        return signature(os.fstat(place) if isinstance(place, int) else os.lstat(place))
    except OSError as error:
        return error.errno or -1


def distrust(status: os.stat_result, public: bool) -> str:
    """Why a file is not read, by what it is; empty if it may be."""
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return f"{_KINDS.get(kind, 'is not a regular file')}, not a regular file"
    if not public:
        return ""
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to user {status.st_uid} in a directory where anybody may write, so its text is not trusted"
    if status.st_nlink > 1:
        return "has another name, in a directory where anybody may write: it may be a file from elsewhere"
    if status.st_mode & _OTHERS_WRITE:
        return f"may be written by others (mode {stat.S_IMODE(status.st_mode):04o}), so its text is not trusted"
    return ""


def distrust_directory(path: str) -> str:
    """Why names in a public directory prove nothing; empty if its owner alone can move what is not one's own."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        return "is not a directory"
    if status.st_uid not in (0, os.geteuid()):
        return f"belongs to user {status.st_uid}, who can exchange every file in it"
    if status.st_mode & _OTHERS_WRITE and not status.st_mode & stat.S_ISVTX:
        return "lets anybody exchange files in it: it has no sticky bit"
    return ""


def look(path: str, public: bool) -> os.stat_result:
    """What stands at a path, links not followed. Unfit, OSError."""
    status = os.lstat(path)
    doubt = distrust(status, public)
    if doubt:
        raise Unfit(doubt)
    return status


@dataclass(eq=False, slots=True)
class File:
    """A regular file that is open, and what we know of it.

    ``grown_at``: monotonic seconds of the look that saw it changed last, or deleted. ``pending``: something may have
    to be offered although it does not change. ``backlog``: its size when it was found rolled away: up to
    there it comes before newer files. ``copying``: the generation of
    which it holds the beginning, up to less than was read. ``was_live``: so it is a copy of nothing.
    ``blank``: up to there NULs follow what was read.
    """

    descriptor: int
    name: str
    status: os.stat_result
    grown_at: float
    live: bool = False
    generation: Generation | None = None
    pending: bool = True
    backlog: int = 0
    copying: Generation | None = None
    deleted: bool = False
    was_live: bool = False
    blank: int = 0

    @property
    def inode(self) -> Inode:
        """Which file it is, as long as it is open."""
        return self.status.st_dev, self.status.st_ino

    def renew(self, status: os.stat_result, now: float) -> None:
        """Note what it shows now."""
        if signature(status) != signature(self.status):
            self.pending = True
            if status.st_size != self.status.st_size:
                self.grown_at = now
        if not status.st_nlink and not self.deleted:
            self.deleted, self.grown_at = True, now
        if status.st_size < self.blank:
            self.blank = 0
        self.status = status

    def is_still(self) -> bool:
        """Whether it has the size that it had when we looked. While it has, nobody has finished copying to it."""
        return os.fstat(self.descriptor).st_size == self.status.st_size

    def following(self, length: int, offset: int) -> bytes:
        """Bytes from an offset on, up to where the file ended when we looked. Unfit.

        What came since may make it another file: a copy of one that was read meanwhile.
        """
        return self.read(min(length, max(0, self.status.st_size - offset)), offset)

    def read(self, length: int, offset: int) -> bytes:
        """Some bytes. Unfit."""
        try:
            return os.pread(self.descriptor, length, offset)
        except OSError as error:
            raise Unfit(reason(error)) from error

    def before(self, position: int) -> bytes:
        """The bytes before a position, at most WINDOW."""
        start = max(0, position - WINDOW)
        return self.read(position - start, start)

    def windows(self) -> Callable[[int], bytes]:
        """The same, each read once: for one look, in which many generations are compared."""
        return lru_cache(maxsize=None)(self.before)

    def holds(self, generation: Generation, fresh: bytes = b"") -> bool:
        """Whether the file begins and goes on as this generation did. ``fresh``: what was just read at its offset."""
        if generation.offset < WINDOW:
            head = (generation.head + fresh)[:WINDOW]
            return self.read(len(head), 0) == head
        last = bytes(generation.tail[-WINDOW:])  # a view would be compared byte by byte
        return self.before(WINDOW) == generation.head and self.before(generation.offset) == last

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


def open_file(path: str, name: str, public: bool, now: float) -> File:
    """Open a log. Never waits, never follows a link. Unfit, OSError."""
    seen = look(path, public)  # before opening, since to open a device or a FIFO can be noticed on the other side
    descriptor = os.open(path, _FLAGS)
    status = os.fstat(descriptor)
    doubt = distrust(status, public)
    if public and seen.st_ino != status.st_ino:
        # a second name may have been there when it was opened, and gone when we counted names
        doubt = doubt or "was exchanged while it was opened"
    if doubt:
        os.close(descriptor)
        raise Unfit(doubt)
    return File(descriptor, name, status, now)
