"""The journal of the agent's unit as it is written, told by a journalctl that follows it.

A process of its own, because a journal that is rotated, vacuumed or damaged ends a reader now and then. It is started
again, after the last entry that was taken.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from agentdoctor.journal import UNIT
from agentdoctor.model import Record

AGAIN_SECONDS = 30.0  # between two starts
START_SECONDS, QUIET_SECONDS = 1.0, 0.1  # for what is there already; between two parts of it
READ = 1 << 16


class Journal:
    """``read`` gives what is new and never waits; ``cursor`` is where to go on, after a restart too."""

    def __init__(self, cursor: str = "", since: float = 0.0) -> None:
        self.cursor = cursor
        self._since = since  # seconds since the epoch; where nothing was read yet
        self._child: subprocess.Popen[bytes] | None = None
        self._started: float | None = None
        self._unread = b""
        self.trouble = ""

    def read(self) -> Iterator[Record]:
        """The entries that came."""
        if self._child is None and not self._start():
            return
        assert self._child is not None
        assert self._child.stdout is not None
        while True:
            try:
                part = os.read(self._child.stdout.fileno(), READ)
            except BlockingIOError:
                return
            if not part:
                self._ended()
                return
            *lines, self._unread = (self._unread + part).split(b"\n")
            for line in lines:
                entry = _entry(line)
                if entry:
                    yield _record(entry)
                    self.cursor = str(entry.get("__CURSOR", ""))

    def read_up(self) -> Iterator[Record]:
        """What is there already, for which it may wait a moment: journalctl has to start."""
        end = time.monotonic() + START_SECONDS
        yield from self.read()
        while (descriptor := self.fileno()) is not None and (left := end - time.monotonic()) > 0:
            if not select.select([descriptor], [], [], left)[0]:
                return
            yield from self.read()
            end = min(end, time.monotonic() + QUIET_SECONDS)

    def fileno(self) -> int | None:
        """What to wait for; None while it does not run."""
        return self._child.stdout.fileno() if self._child and self._child.stdout else None

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._ended()

    def _start(self) -> bool:
        now = time.monotonic()
        if self._started is not None and now - self._started < AGAIN_SECONDS:
            return False
        self._started = now
        place = [f"--after-cursor={self.cursor}"] if self.cursor else [f"--since=@{self._since:.0f}"]
        command = ["journalctl", "--follow", "--no-tail", "--quiet", "--output=json", f"--unit={UNIT}", *place]
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            self.trouble = f"journalctl: {error.strerror}"
            return False
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        self.trouble = ""
        return True

    def _ended(self) -> None:
        assert self._child is not None
        code = self._child.wait()
        assert self._child.stdout is not None
        self._child.stdout.close()
        self._child, self._unread = None, b""
        if code > 0:
            self.trouble = f"journalctl ended with {code}"
            self._since, self.cursor = time.time() - AGAIN_SECONDS, ""  # the entry it stood at may be gone


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _record(entry: dict[str, Any]) -> Record:
    message, stamp, pid = entry.get("MESSAGE"), str(entry.get("__REALTIME_TIMESTAMP", "")), str(entry.get("_PID", ""))
    if isinstance(message, list):  # bytes that are no text, as numbers; or a field that came twice
        whole = all(isinstance(x, int) for x in message)
        message = bytes(message).decode("utf-8", "backslashreplace") if whole else str(message[0])
    return Record(
        log="journal",
        message=str(message or ""),
        path="journal",
        at=int(stamp) / 1e6 if stamp.isdecimal() else None,
        pid=int(pid) if pid.isdecimal() else None,
    )
