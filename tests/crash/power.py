"""What a disk holds after the power went: all that was synced, and of what was written since any part.

Harsher than a file system is: each write that was not synced may be there or not, whatever came after it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CALLS = ("openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "unlink")
OPTIONS = ("-y", "-xx", "-s", "1000000", "-e", f"trace={','.join(CALLS)}")  # of strace, for ``calls``
_CALL = re.compile(r'^(?:\d+ +)?(\w+)\((?:[\w-]+<([^>]*)>(?:, )?)?(?:"([^"]*)")?(?:, )?(.*)\) = \d', re.MULTILINE)


class Call(NamedTuple):
    """A system call that went well. ``number``: its offset, or the length of what is truncated."""

    name: str
    path: str
    data: bytes = b""
    number: int = 0


def calls(trace: str) -> Iterator[Call]:
    """The calls of a trace that change files or sync them."""
    for name, place, text, rest in _CALL.findall(trace):
        if name in ("openat", "unlink"):
            if name == "unlink" or "O_CREAT" in rest:
                yield Call(name, _bytes(text).decode())
        else:
            numbers = re.findall(r"\d+", rest)
            yield Call(name, _bytes(place).decode(), _bytes(text), int(numbers[-1]) if numbers else 0)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


class Disk:
    """Files as they surely are, and calls whose effect nothing has made sure of yet."""

    def __init__(self) -> None:
        self._sure: dict[str, bytes] = {}
        self._loose: list[Call] = []

    def do(self, call: Call) -> None:
        """Take a call. A sync makes sure of what was done to its file, or to the names in its directory."""
        if call.name not in ("fsync", "fdatasync"):
            self._loose.append(call)
            return
        for each in [each for each in self._loose if call.path in (each.path, _parent(each))]:
            self._loose.remove(each)
            _apply(self._sure, each)

    def lost(self, chance: random.Random) -> dict[str, bytes]:
        """What is found when the power is back."""
        found = dict(self._sure)
        share = chance.choice((0.0, 0.5, 0.9, 1.0))
        for call in self._loose:
            if chance.random() < share:
                _apply(found, call)
        return found


def _parent(call: Call) -> str:
    """The directory that must be synced; "" for what is not about names."""
    return str(Path(call.path).parent) if call.name in ("openat", "unlink") else ""


def _apply(files: dict[str, bytes], call: Call) -> None:
    before = files.get(call.path, b"")
    if call.name == "unlink":
        files.pop(call.path, None)
    elif call.name == "openat":
        files[call.path] = before
    elif call.name == "ftruncate":
        files[call.path] = before[: call.number].ljust(call.number, b"\0")
    else:
        end = call.number + len(call.data)
        files[call.path] = before[: call.number].ljust(call.number, b"\0") + call.data + before[end:]
