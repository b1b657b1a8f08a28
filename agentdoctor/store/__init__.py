"""State that survives: where reading stands, what is open, and what is still to be told, in one SQLite file.

Memory is the truth and the file follows it, in one transaction for each turn of the loop. So a disk that is full or
fails takes nothing away while the process lives, and its letters still go out.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from agentdoctor.outbox import Answer, Letter, Outbox, Row
from agentdoctor.store import opening, tables
from agentdoctor.store.opening import DATABASE, InUse
from agentdoctor.store.view import View, view

__all__ = ["InUse", "Notice", "Store", "Trouble", "View", "view"]

_TRY_SECONDS = 30.0
_OWN = ("outbox.", "store.")  # facts of these names are not the caller's


def _chance() -> float:
    """From 0 to 1. The module random takes a megabyte, for a number now and then."""
    return int.from_bytes(os.urandom(6), "big") / 2**48


class Trouble(NamedTuple):
    """State is not durable: since when (seconds since the epoch), and why."""

    since: float
    why: str


class Notice(NamedTuple):
    """Something that people must be told once."""

    kind: str  # state-reset
    text: str


class Store:
    """The one writer of a state directory. ``state``: table -> key -> JSON text, as of the last ``save``.

    Not for a process that forks and goes on in the child: a child must run another program or end by ``os._exit``.
    """

    def __init__(self, directory: Path, clock: Callable[[], float], chance: Callable[[], float]) -> None:
        """Nothing is read yet; ``Store.open`` does that."""
        self.state: tables.Tables = {name: {} for name in tables.NAMES}
        self.outbox = Outbox(now=clock())
        self.notices: list[Notice] = []  # for the caller to tell, and to take out
        self.trouble: Trouble | None = None
        self._directory, self._clock, self._chance = directory, clock, chance
        self._lock: int | None = None
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._on_disk: tables.Tables = {}
        self._begun = False  # from then on memory is the truth
        self._damage, self._damages = "", 0  # what is wrong with the file, and how often that was seen in a row
        self._own_facts: dict[str, str] = {}
        self._tried_at = 0.0

    @classmethod
    def open(
        cls,
        state_dir: str | os.PathLike[str],
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = _chance,
    ) -> Store:
        """The state of a directory, which is made if it is not there. InUse if another service has it.

        Whatever else is wrong with it, the store works, in memory, and ``trouble`` says why.
        """
        store = cls(Path(state_dir), clock, chance)
        try:
            store._connect()
        except InUse:
            raise
        except (OSError, sqlite3.Error) as error:
            store._failed(error)
            seen = view(state_dir)  # what cannot be written may still be read
            if isinstance(seen, View) and not seen.newer:
                store._begin(seen.state, list(seen.letters))
        return store

    def save(self, state: Mapping[str, Mapping[str, str]], letters: Iterable[Letter] = ()) -> bool:
        """Make the tables that are named hold what is given, and take the letters, in one step; True: it is on disk.

        Facts that begin with ``outbox.`` and ``store.`` are the store's own and stay. Nothing is written where nothing
        differs. In trouble it is tried again at most every 30 s.
        """
        now = self._clock()
        self._begun = True
        for letter in letters:
            self.outbox.add(letter, now)
        self.outbox.tick(now)
        self.state.update({name: dict(values) for name, values in state.items()})
        self._add_own_facts()
        if self.trouble and 0 <= now - self._tried_at < _TRY_SECONDS:
            return False
        try:
            self._write()
        except (OSError, sqlite3.Error) as error:
            self._failed(error)
            return False
        self.trouble = None
        return True

    def to_send(self, room: int = 10) -> list[Row]:
        """Letters whose time has come, at most ``room`` of them on their way; each must be answered.

        They are whole, but for a body that no disk gave back; ``minimal`` asks for the least form.
        """
        rows = []
        for row in self.outbox.take(self._clock(), room):
            try:
                letter = replace(row.letter, body=row.letter.body or self._body(row.letter.key))
            except sqlite3.Error as error:
                self.outbox.put_back(row.letter.key, self._clock() + _TRY_SECONDS)
                self._failed(error)
            else:
                rows.append(replace(row, letter=letter))
        return rows

    def answered(self, answers: Iterable[Answer]) -> None:
        """Take in what became of letters; the next ``save`` writes it."""
        for answer in answers:
            self.outbox.answer(answer, self._clock(), self._chance())

    def close(self) -> None:
        """Let go of file and directory. What was not saved is lost."""
        self._disconnect()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # the file

    def _connect(self) -> None:
        """Open the file and read it; a new one where it cannot be worked with, twice in a row."""
        if self._lock is None:
            self._lock = opening.claim(self._directory)
        for _ in range(3):
            try:
                if self._damages > 1:
                    self._set_aside()
                self._connection = opening.database(self._directory)
                self._inode = (self._directory / DATABASE).stat().st_ino
                self._read(self._connection)
                return
            except (OSError, sqlite3.Error) as error:
                self._disconnect()
                if not opening.damaged(error):
                    raise
                self._doubt(error)
        raise opening.Unusable(self._damage)

    def _doubt(self, error: Exception) -> None:
        """Count a damage. OSError if the disk cannot be read now: SQLite calls that damage too, and it may pass."""
        opening.read_through(self._directory)
        self._damage, self._damages = str(error), self._damages + 1

    def _read(self, connection: sqlite3.Connection) -> None:
        try:
            self._on_disk, rows = tables.read(connection)
            if self._begun:
                self.outbox.adopt(rows)
            else:
                self._begin(self._on_disk, rows)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise opening.Unusable(f"its content makes no sense: {error}") from None

    def _begin(self, state: tables.Tables, rows: list[Row]) -> None:
        self.outbox = Outbox(rows, state["facts"], self._clock())
        self.state = {name: dict(values) for name, values in state.items()}
        self._own_facts |= {name: text for name, text in state["facts"].items() if name.startswith("store.")}
        self._begun = True

    def _set_aside(self) -> None:
        opening.set_aside(self._directory)
        then = "a new one holds all that was in memory" if self._begun else "the service begins anew"
        text = f"the database was set aside as {opening.ASIDE}: {self._damage}; {then}"
        self.notices.append(Notice("state-reset", text))
        self._own_facts["store.reset"] = json.dumps({"at": self._clock(), "why": text})
        self._damages = 0

    def _write(self) -> None:
        """Write what differs, in one transaction; a file that somebody took away is made again."""
        if self._connection and self._differs() and not self._in_place():
            self._rescue()
            self.close()  # the directory may be gone, and our lock with it
            self.notices.append(Notice("state-reset", "somebody took the database away; it was written again"))
        if self._connection is None:
            self._connect()
        connection = self._connection
        if connection is None or not self._differs():
            return
        rows, gone = self.outbox.ledger.unsaved()
        if connection.in_transaction:  # that could not even be undone
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        tables.write(connection, self._on_disk, self.state)
        tables.write_letters(connection, rows, gone)
        connection.execute("COMMIT")
        self._damages = 0
        self._on_disk = {name: dict(values) for name, values in self.state.items()}
        self.outbox.ledger.saved()
        if gone:
            connection.executescript("PRAGMA incremental_vacuum")  # execute would give back a single page

    def _differs(self) -> bool:
        return self.state != self._on_disk or self.outbox.ledger.differs

    def _in_place(self) -> bool:
        try:
            return (self._directory / DATABASE).stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def _failed(self, error: Exception) -> None:
        """Go on in memory. A file that is damaged is opened anew by the next try."""
        self._tried_at = self._clock()
        self.trouble = Trouble(self.trouble.since if self.trouble else self._tried_at, str(error))
        if self._connection and self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        if opening.damaged(error) and self._connection:
            with contextlib.suppress(OSError):
                self._doubt(error)
            self._rescue()
            self._disconnect()

    def _rescue(self) -> None:
        """Read the letters that only a file holds which is to be closed for good."""
        for row in list(self.outbox.ledger.waiting()):
            with contextlib.suppress(sqlite3.Error):
                self.outbox.ledger.fill(row.letter.key, row.letter.body or self._body(row.letter.key))

    def _body(self, key: str) -> str:
        return tables.body(self._connection, key) if self._connection else ""

    def _disconnect(self) -> None:
        if self._connection:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _add_own_facts(self) -> None:
        """They stay whatever the caller gives."""
        given = {name: text for name, text in self.state["facts"].items() if not name.startswith(_OWN)}
        self.state["facts"] = {**given, **self._own_facts, **self.outbox.facts()}
