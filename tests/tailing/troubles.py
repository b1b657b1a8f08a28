"""What can be wrong with file events, each made on a host with one log."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from watchdog.observers import inotify_c

from agentdoctor.waking import EVERY, LIMIT, Waking

from .world import Reading, family

ALL, NONE = "file events from 1 of 1 directories", "file events from 0 of 1 directories"


class Host:
    """A log, its reader, and what wakes the reader."""

    def __init__(self, top: Path) -> None:
        self.top, self.directory, self.own, self.now, self.count = top, top / "log", top / "own", 0.0, 0
        for directory in (self.directory, self.own):
            directory.mkdir()
        self.waking = Waking([str(self.directory)], str(self.own))
        self.reading = Reading(family(self.directory))

    def turn(self, later: float = 1.0) -> None:
        """What the service does each second."""
        self.now += later
        self.waking.hear()
        self.reading.poll(later)
        self.waking.tick(self.now)

    def write(self) -> bytes:
        """A line to the log."""
        self.count += 1
        line = b"line %d\n" % self.count
        with (self.directory / "app.log").open("ab") as file:
            file.write(line)
        return line

    def is_woken(self) -> bool:
        """Whether somebody who waits would go on. The kernel tells of a change before the call that makes it ends."""
        return self.waking.fileno() >= 0 and bool(select.select([self.waking.fileno()], [], [], 0)[0])

    def hear_all(self) -> None:
        """All that was told until now."""
        while self.is_woken():
            self.waking.hear()

    def wakes(self) -> bool:
        """Whether a line that is written wakes who waits."""
        self.hear_all()
        self.write()
        return self.is_woken()

    def prove(self) -> None:
        """Let a canary be heard."""
        self.turn(EVERY + LIMIT)
        self.turn()


Trouble = Callable[[Host, pytest.MonkeyPatch], None]


def nothing(host: Host, patch: pytest.MonkeyPatch) -> None:
    host.waking.start()


def no_watchdog(host: Host, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "watchdog.observers", None)
    host.waking.start()


def another_watchdog(host: Host, patch: pytest.MonkeyPatch) -> None:
    """Its calls of inotify have moved, which they may: no page promises them."""
    from watchdog.observers import inotify_c

    patch.delattr(inotify_c, "inotify_init")
    host.waking.start()


def more_events_than_the_kernel_keeps(host: Host, patch: pytest.MonkeyPatch) -> None:
    host.waking.start()
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with (host.directory / "a").open("wb", buffering=0) as one, (host.directory / "b").open("wb", buffering=0) as other:
        for _ in range(limit // 2 + 100):  # in turns: equal events one after the other are one
            one.write(b"x")
            other.write(b"x")


def descriptor_spoiled(host: Host, patch: pytest.MonkeyPatch) -> None:
    """Nothing can be read from it any more."""
    host.waking.start()
    other = os.open(os.devnull, os.O_WRONLY)
    os.dup2(other, host.waking.fileno())
    os.close(other)
    host.turn()


def directory_made_anew(host: Host, patch: pytest.MonkeyPatch) -> None:
    host.waking.start()
    host.turn()
    host.directory.rmdir()
    host.turn()
    host.directory.mkdir()
    host.turn()


def directory_made_anew_between_turns(host: Host, patch: pytest.MonkeyPatch) -> None:
    """The file system may give it the number of the old one."""
    host.waking.start()
    host.directory.rmdir()
    host.directory.mkdir()
    host.turn()


def directory_replaced(host: Host, patch: pytest.MonkeyPatch) -> None:
    host.waking.start()
    host.turn()
    host.directory.rename(host.top / "away")
    host.directory.mkdir()
    host.turn()


def directory_comes_late(host: Host, patch: pytest.MonkeyPatch) -> None:
    host.directory.rmdir()
    host.waking.start()
    host.turn()
    host.directory.mkdir()
    host.turn()


def directory_is_a_link(host: Host, patch: pytest.MonkeyPatch) -> None:
    host.directory.rename(host.top / "data")
    host.directory.symlink_to("data")
    host.waking.start()


def directory_readable_later(host: Host, patch: pytest.MonkeyPatch) -> None:
    """Until then nothing is tried."""
    with pytest.MonkeyPatch.context() as closed:
        closed.setattr(os, "access", lambda *_: False)
        host.waking.start()
        assert host.waking.state.startswith("file events from 0 of 1 directories")
    host.turn()


def anybody_writes_there(host: Host, patch: pytest.MonkeyPatch) -> None:
    """Anybody could keep us awake."""
    host.directory.chmod(0o1777)
    host.waking.start()


def _full(*_: object) -> int:
    ctypes.set_errno(errno.ENOSPC)
    return -1


def no_room_for_a_watch(host: Host, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inotify_c, "inotify_add_watch", _full)
    host.waking.start()


def room_for_a_watch_later(host: Host, patch: pytest.MonkeyPatch) -> None:
    """Somebody else ended, who held them."""
    held, real = [True], inotify_c.inotify_add_watch
    patch.setattr(inotify_c, "inotify_add_watch", lambda *told: _full(*told) if held else real(*told))
    host.waking.start()
    assert host.waking.state.startswith(f"{NONE}, not proved yet; {host.directory}: inotify watch limit reached")
    held.clear()
    host.turn()


def _elsewhere(host: Host) -> Callable[[int, bytes, int], int]:
    """Watches what nobody changes, as where a file system tells nothing of its changes."""
    real = inotify_c.inotify_add_watch
    (host.top / "elsewhere").mkdir()
    return lambda descriptor, _, mask: real(descriptor, os.fsencode(host.top / "elsewhere"), mask)


def deaf(host: Host, patch: pytest.MonkeyPatch) -> None:
    """All is watched and nothing is told: only the canary knows."""
    patch.setattr(inotify_c, "inotify_add_watch", _elsewhere(host))
    host.waking.start()
    for _ in range(4):
        host.turn(LIMIT)


def deaf_once(host: Host, patch: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as closed:
        closed.setattr(inotify_c, "inotify_add_watch", _elsewhere(host))
        host.waking.start()
        host.turn()
    host.turn(LIMIT)


def no_room_for_the_canary(host: Host, patch: pytest.MonkeyPatch) -> None:
    """Nothing is proved then, and nothing disproved."""
    host.own.rmdir()
    host.waking.start()
    for _ in range(4):
        host.turn(EVERY)
