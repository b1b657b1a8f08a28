"""The state as others may see it: without its locks, without a file in its directory, whether a service runs or not."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agentdoctor.outbox import Row
from agentdoctor.store import tables
from agentdoctor.store.opening import DATABASE, LOCK, MIGRATIONS

_TRIES = 20
_MEMORY = Path("/dev/shm")  # noqa: S108 - a private directory in it; the disk may be full


class View(NamedTuple):
    """What the database says. ``letters`` are without their bodies."""

    schema: int
    newer: bool  # than this version knows: what it has more is not shown
    changed_at: float  # seconds since the epoch
    service: int | None  # the process that holds the directory
    state: tables.Tables
    letters: tuple[Row, ...]


def view(state_dir: str | os.PathLike[str]) -> View | str:
    """The state, or why it cannot be seen. Not for the process of the service itself: it would lose SQLite's locks.

    SQLite's own read-only mode makes files beside a database in WAL mode and recovers a log that a dead writer left. So
    both files are read as bytes and opened elsewhere.
    """
    directory = Path(state_dir)
    try:
        content, log, changed_at = _steady(directory / DATABASE)
        with _copy(content, log) as connection:
            schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
            state, letters = tables.read(connection)
        service = _holder(directory / LOCK)
    except FileNotFoundError:
        return f"there is no state in {directory}: no service has run"
    except OSError as error:
        return f"{error.filename or directory}: {error.strerror or error}"
    except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
        return f"{directory / DATABASE}: {error}"
    return View(schema, schema > len(MIGRATIONS), changed_at, service, state, tuple(letters))


def _steady(path: Path) -> tuple[bytes, bytes, float]:
    """Database and log of one moment, and when they changed.

    As long as the log is the same, the database changes only by what the log holds, and that is laid over it again.
    """
    for _ in range(_TRIES):
        before, changed = _content(Path(f"{path}-wal"), missing=b"")
        content, at = _content(path)
        after, _ = _content(Path(f"{path}-wal"), missing=b"")
        if before == after:
            return content, after, max(at, changed)
    raise OSError(errno.EBUSY, "it changes too fast to be read", str(path))


def _content(path: Path, missing: bytes | None = None) -> tuple[bytes, float]:
    """A regular file and its time; nothing is followed, and nothing blocks."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        if missing is None:
            raise
        return missing, 0.0
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return file.read(), about.st_mtime


@contextlib.contextmanager
def _copy(content: bytes, log: bytes) -> Iterator[sqlite3.Connection]:
    import tempfile  # only for those who look: the service itself never does

    with tempfile.TemporaryDirectory(
        prefix="agentdoctor-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None
    ) as name:
        path = Path(name, DATABASE)
        path.write_bytes(content)
        if log:
            Path(f"{path}-wal").write_bytes(log)
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            yield connection
        finally:
            connection.close()


def _holder(path: Path) -> int | None:
    """Who holds the lock, without trying it: a service that starts just then would be turned away."""
    with contextlib.suppress(OSError):
        inode = path.stat().st_ino
        for pid, locked in re.findall(r"FLOCK +\S+ +WRITE +(\d+) +\S+:(\d+) ", Path("/proc/locks").read_text("utf-8")):
            if int(locked) == inode:
                return int(pid)
    return None
