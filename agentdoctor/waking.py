"""Waking up when a log changes, by file events. Nothing may depend on it: events get lost, limits are reached.

Whoever waits for them must look by itself every second or so; an event only makes that earlier. Whether events still
arrive is proved with a canary: a file of our own that is written each minute.

Of watchdog only its calls of inotify(7) are used. Its observers have threads of their own, each of which must be woken
before ours is: that took longer than all the rest of the way from a line's write to its reading.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable
from typing import Any

EVERY = 60.0  # seconds from one canary to the next
LIMIT = 5.0  # seconds in which its event must arrive
CANARY = "canary"
# Our own reading makes events too (IN_OPEN, IN_ACCESS, IN_CLOSE): to wake up for those would never end.
_CHANGES = ("IN_MODIFY", "IN_ATTRIB", "IN_CREATE", "IN_MOVE", "IN_DELETE", "IN_ONLYDIR")
_EVENT = struct.Struct("iIII")  # number of the watch, what happened, cookie, length of the name that follows
_ROOM = 1 << 16  # bytes of events that are taken at once
_LIMITS = {errno.ENOSPC: "inotify watch limit reached", errno.EMFILE: "inotify instance limit reached"}

_Identity = tuple[int, int]


class Waking:
    """``fileno`` can be read from when something changed in one of the directories, if the host lets us know.

    Directories may be missing and appear later. Those where anybody may write are left out: anybody could keep us
    awake. ``own_directory`` is where the canary lives. ``state`` says in words how it stands.
    """

    def __init__(self, directories: Iterable[str], own_directory: str) -> None:
        self._directories = tuple(directories)
        self._own = own_directory
        self._begin: Any = None  # of a watch
        self._end: Any = None
        self._mask = 0
        self._descriptor = -1
        self._watches: dict[_Identity, int] = {}
        self._failed: dict[_Identity, str] = {}
        self._sent: float | None = None
        self._next = float("-inf")
        self._heard = self._proved = self._again = False
        self._why = "not started"

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if self._descriptor < 0:
            return f"polling only: {self._why}"
        wanted = [each for each in map(_identity, self._directories) if each is not None]
        told = len(set(wanted) & set(self._watches))
        proof = "" if self._proved else ", not proved yet"
        reasons = "".join(f"; {why}" for why in sorted(set(self._failed.values())))
        return f"file events from {told} of {len(set(self._directories))} directories{proof}{reasons}"

    def fileno(self) -> int:
        """To wait for; negative while there are no events."""
        return self._descriptor

    def start(self) -> None:
        """Begin to watch."""
        try:
            from watchdog.observers import inotify_c

            self._begin, self._end = inotify_c.inotify_add_watch, inotify_c.inotify_rm_watch
            self._mask = sum(getattr(inotify_c.InotifyConstants, name) for name in _CHANGES)
            self._descriptor = inotify_c.inotify_init()
        except Exception as error:  # noqa: BLE001 - a broken or another package must not take the service with it
            self._stop(f"watchdog cannot be loaded ({error})")
            return
        if self._descriptor < 0:
            self._stop(f"inotify does not start ({_reason()})")
            return
        os.set_blocking(self._descriptor, False)
        os.set_inheritable(self._descriptor, False)
        self._cover()

    def hear(self) -> None:
        """Take what was told. To be called before the logs are read: what changes later then wakes again."""
        if self._descriptor < 0:
            return
        try:
            told = os.read(self._descriptor, _ROOM)
        except BlockingIOError:
            return
        except OSError as error:
            self._restart(f"events cannot be read ({error.strerror})")
            return
        if self._sent is not None and not self._heard:  # else nobody asks whose events they are
            own = _identity(self._own)
            self._heard = own is not None and self._watches.get(own, 0) in _numbers(told)

    def tick(self, now: float) -> None:
        """Follow what became of the directories, and prove that events arrive. ``now`` in monotonic seconds."""
        if self._descriptor >= 0:
            self._cover()
            self._prove(now)

    def watch(self, directories: Iterable[str]) -> None:
        """Watch these from now on."""
        self._directories = tuple(directories)
        if self._descriptor >= 0:
            self._cover()

    def stop(self) -> None:
        """Watch nothing any more."""
        self._stop("stopped")

    def _stop(self, why: str) -> None:
        descriptor, self._descriptor, self._why = self._descriptor, -1, why
        self._watches.clear()
        self._failed.clear()
        self._proved, self._sent = False, None
        if descriptor >= 0:
            os.close(descriptor)

    def _restart(self, why: str) -> None:
        """Try once more; who fails twice without a proof in between is left alone."""
        self._stop(why)
        if not self._again:
            self._again, self._next = True, float("-inf")
            self.start()

    def _cover(self) -> None:
        """Watch what is there now: a directory that was made anew is another one."""
        wanted = {}
        for directory in (*self._directories, self._own):
            identity = _identity(directory)
            if identity is not None:
                wanted[identity] = directory
        for identity in self._watches.keys() - wanted.keys():
            self._end(self._descriptor, self._watches.pop(identity))
        self._failed = {}
        for identity, directory in wanted.items():
            self._add(identity, directory)

    def _add(self, identity: _Identity, directory: str) -> None:
        """Watch it. What is watched already stays as it is, but the number may be that of one that was deleted."""
        number = self._begin(self._descriptor, os.fsencode(directory), self._mask)
        if number < 0:
            self._watches.pop(identity, None)
            self._failed[identity] = f"{directory}: {_reason()}"
        else:
            self._watches[identity] = number

    def _prove(self, now: float) -> None:
        """Write the canary, and expect to hear of it."""
        if self._sent is None:
            if now >= self._next:
                self._heard = False
                self._sent = now if self._write() else None
                self._next = now + EVERY
        elif self._heard:
            self._sent, self._proved, self._again = None, True, False
        elif now - self._sent >= LIMIT:
            self._restart("a change in our own directory was not told")

    def _write(self) -> bool:
        try:
            with open(os.path.join(self._own, CANARY), "wb") as file:
                file.write(b"\n")
        except OSError:
            return False  # a full disk, or no directory: nothing is proved and nothing disproved
        return _identity(self._own) in self._watches


def _reason() -> str:
    """Why the last call of inotify failed."""
    import ctypes  # which watchdog has loaded

    number = ctypes.get_errno()
    return _LIMITS.get(number, os.strerror(number))


def _numbers(told: bytes) -> set[int]:
    """Of the watches that events are of."""
    found, at = set(), 0
    while at < len(told):
        number, _, _, length = _EVENT.unpack_from(told, at)
        found.add(number)
        at += _EVENT.size + length
    return found


def _identity(directory: str) -> _Identity | None:
    """Which directory it is; None if it cannot be watched."""
    try:
        status = os.stat(directory)
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode) or status.st_mode & stat.S_IWOTH or not os.access(directory, os.R_OK):
        return None
    return status.st_dev, status.st_ino
