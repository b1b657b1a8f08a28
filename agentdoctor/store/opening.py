"""The state directory and its database: claimed by one service, checked, of a known schema, or set aside."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import stat
import time
from pathlib import Path

LOCK, DATABASE, ASIDE = "lock", "state.db", "state.db.bad"
_CHECK_SECONDS = 2.0
_LOOKING = ("busy_timeout = 5000", "trusted_schema = OFF", "cell_size_check = ON")
_WRITING = (
    "busy_timeout = 5000",
    "auto_vacuum = INCREMENTAL",  # counts only in a file that is empty yet
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL may lose what was committed when the power goes
    "foreign_keys = ON",
    "journal_size_limit = 4194304",
    "wal_autocheckpoint = 1000",
)
# From schema N to N + 1. What was released never changes: files of it are out there.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE positions (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE symptoms (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE findings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE letters (
            key TEXT PRIMARY KEY, event TEXT NOT NULL, rule TEXT NOT NULL, severity TEXT NOT NULL,
            instance_id TEXT NOT NULL, deployment_group TEXT NOT NULL, fingerprint TEXT NOT NULL,
            created_at REAL NOT NULL, body TEXT NOT NULL, spread REAL NOT NULL,
            seq INTEGER NOT NULL, size INTEGER NOT NULL, not_before REAL NOT NULL, status TEXT NOT NULL,
            attempts INTEGER NOT NULL, minimal INTEGER NOT NULL, error TEXT NOT NULL, ended_at REAL,
            message_id TEXT NOT NULL)""",
    ),
)
_TABLES = {"positions", "symptoms", "findings", "facts", "letters"}


class InUse(OSError):
    """Another service holds the state directory."""


class Unusable(sqlite3.DatabaseError):
    """A database that is there and cannot be worked with, now or later."""


def damaged(error: BaseException) -> bool:
    """Whether it says that the file is broken, and not that the disk is full or fails."""
    return isinstance(error, Unusable) or type(error) is sqlite3.DatabaseError


def claim(directory: Path) -> int:
    """Make the directory ours alone and lock it; the lock is held as long as the descriptor is open.

    A child that was forked holds it too, until it runs another program or ends. OSError if it cannot be done, InUse
    if another service was first.
    """
    if not directory.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # a parent that we may pass through and not read
            _sync(directory.parent)
    about = directory.stat()
    if about.st_uid != os.geteuid():
        raise PermissionError(f"{directory} belongs to user {about.st_uid} and this is user {os.geteuid()}")
    if stat.S_IMODE(about.st_mode) != 0o700:
        directory.chmod(0o700)
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise InUse(f"{directory} is in use by another agentdoctor (process {pid})") from None
    except BaseException:
        os.close(descriptor)
        raise
    with contextlib.suppress(OSError):  # a full disk has no room for it; it is only a courtesy
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def database(directory: Path) -> sqlite3.Connection:
    """The database, made if it is not there, ready for use.

    sqlite3.Error or OSError if it cannot be had now; ``damaged`` tells the errors that no waiting mends.
    """
    path = directory / DATABASE
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)  # the files beside it get the mode of this one
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        _set(connection, _LOOKING)
        schema = _schema(connection)
        _check(connection)
        _set(connection, _WRITING)  # only now: a file of others, which is set aside, stays as it was
        _migrate(connection, schema)
        _sync(directory)
    except BaseException:
        connection.close()
        raise
    return connection


def read_through(directory: Path) -> None:
    """Read all of the database. OSError if the disk does not give it."""
    for name in (DATABASE, f"{DATABASE}-wal"):
        with contextlib.suppress(FileNotFoundError), open(directory / name, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass


def set_aside(directory: Path) -> None:
    """Keep a database that cannot be worked with, the last one only, and make room for a new one.

    Its log goes first: SQLite would apply one that stays behind to the next database.
    """
    for suffix in ("-wal", ""):
        with contextlib.suppress(FileNotFoundError):
            os.replace(directory / f"{DATABASE}{suffix}", directory / f"{ASIDE}{suffix}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(directory / f"{DATABASE}-shm")
    _sync(directory)


def _set(connection: sqlite3.Connection, pragmas: tuple[str, ...]) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _schema(connection: sqlite3.Connection) -> int:
    """Which schema it has; 0: none yet."""
    schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if schema > len(MIGRATIONS):
        raise Unusable(f"its schema {schema} is newer than {len(MIGRATIONS)}, the newest that this version knows")
    if schema == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise Unusable("it holds something else")
    return schema


def _check(connection: sqlite3.Connection) -> None:
    """Look for damage, for two seconds at most: a large file must not keep the service from its start."""
    end = time.monotonic() + _CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > end, 10_000)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError:
        if time.monotonic() <= end:
            raise
        return
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        raise Unusable(f"it is damaged: {found.splitlines()[-1]}")


def _migrate(connection: sqlite3.Connection, schema: int) -> None:
    for number, statements in enumerate(MIGRATIONS[schema:], schema + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := _TABLES - there:
        raise Unusable(f"it has no table {min(missing)}")


def _sync(directory: Path) -> None:
    """Make names durable: a file whose directory was not written is gone after a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
