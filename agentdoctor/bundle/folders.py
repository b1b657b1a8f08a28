"""A directory as a bundle. Links are not followed, pipes and devices are not opened."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

from agentdoctor.bundle.entries import Bundle, Entry, Listing, TooLarge

_REPOSITORY = ".git"  # no build puts it into a bundle, and it holds more files than the rest


def folder(path: str) -> Bundle:
    """The entries below a directory. OSError if it cannot be read at all."""
    os.listdir(path)
    listing, wrong, large = Listing(), "", False
    try:
        for relative, found in _walk(path):
            mode = stat.S_IMODE(found.st_mode)
            listing.add(relative, _kind(found.st_mode), found.st_size, mode, _target(path, relative, found.st_mode))
    except TooLarge as error:
        wrong, large = str(error), True
    except OSError as error:
        wrong = f"{error.filename}: {error.strerror}"

    def read(wanted: Iterable[Entry], limit: int) -> Iterator[tuple[Entry, bytes]]:
        for entry in wanted:
            with contextlib.suppress(OSError):
                yield entry, _content(os.path.join(path, entry.path), limit)

    return Bundle(path, "directory", listing.entries, read, tuple(listing.outside), wrong, large=large)


def _walk(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Paths relative to the top, each folder before what is in it."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(top, below)) as found:
            for one in sorted(found, key=lambda one: one.name):
                relative = f"{below}/{one.name}" if below else one.name
                if relative == _REPOSITORY:
                    continue
                yield relative, one.stat(follow_symlinks=False)
                if one.is_dir(follow_symlinks=False):
                    waiting.append(relative)


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "other"


def _target(top: str, relative: str, mode: int) -> str:
    return os.readlink(os.path.join(top, relative)) if stat.S_ISLNK(mode) else ""


def _content(path: str, limit: int) -> bytes:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
