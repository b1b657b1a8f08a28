"""Rows of the database to values and back. Whoever calls it begins and ends the transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from agentdoctor.outbox import Letter, Row

NAMES = ("positions", "symptoms", "findings", "facts")
Tables = dict[str, dict[str, str]]

_LETTER = tuple(field.name for field in fields(Letter))
_ROW = tuple(field.name for field in fields(Row) if field.name not in ("letter", "next_at"))
_COLUMNS = (*_LETTER, *_ROW)
# What was told keeps its row and no body; else an empty body means that the one on disk stays.
_UPSERT = (
    f"INSERT INTO letters ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS if name != 'body')}, "
    "body = CASE WHEN excluded.body <> '' OR excluded.status = 'sent' THEN excluded.body ELSE body END"
)


def read(connection: sqlite3.Connection) -> tuple[Tables, list[Row]]:
    """All of it but the bodies of letters. Of a table that an older schema has not, nothing.

    ValueError, KeyError or TypeError if bits have turned in it.
    """
    connection.text_factory = _decoded
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    tables: Tables = {name: {} for name in NAMES}
    for name in there.intersection(NAMES):
        found = connection.execute(f"SELECT key, value FROM {name}")  # noqa: S608
        tables[name] = {_text(key): _text(value) for key, value in found}
    return tables, _rows(connection) if "letters" in there else []


def _rows(connection: sqlite3.Connection) -> list[Row]:
    cursor = connection.execute("SELECT *, CASE event WHEN 'digest' THEN body ELSE '' END AS body FROM letters")
    names = [column[0] for column in cursor.description]
    rows = []
    for values in cursor:
        known = {name: _text(value) for name, value in zip(names, values, strict=True)}  # the last body counts
        letter = Letter(**{name: known[name] for name in _LETTER if name in known})
        rest = {name: known[name] for name in _ROW if name in known}
        rows.append(Row(letter=letter, **{**rest, "minimal": bool(rest.get("minimal"))}))
    return rows


def body(connection: sqlite3.Connection, key: str) -> str:
    """The body of a letter; "" if there is none."""
    found = connection.execute("SELECT body FROM letters WHERE key = ?", (_bound(key),)).fetchone()
    return str(_text(found[0])) if found else ""


def write(connection: sqlite3.Connection, old: Mapping[str, Mapping[str, str]], new: Tables) -> None:
    """Make the tables hold what is new, writing only what differs from the old."""
    for name in NAMES:
        was, now = old.get(name, {}), new.get(name, {})
        put = [(_bound(key), _bound(value)) for key, value in now.items() if was.get(key) != value]
        drop = [(_bound(key),) for key in was if key not in now]
        if put:
            connection.executemany(f"INSERT OR REPLACE INTO {name} VALUES (?, ?)", put)  # noqa: S608
        if drop:
            connection.executemany(f"DELETE FROM {name} WHERE key = ?", drop)  # noqa: S608


def write_letters(connection: sqlite3.Connection, rows: Iterable[Row], gone: Iterable[str]) -> None:
    """Store the letters that differ, and delete those that are no more."""
    connection.executemany(_UPSERT, [_values(row) for row in rows])
    connection.executemany("DELETE FROM letters WHERE key = ?", [(_bound(key),) for key in gone])


def _values(row: Row) -> list[Any]:
    letter = row.letter
    return [_bound(getattr(letter, name)) for name in _LETTER] + [_bound(getattr(row, name)) for name in _ROW]


def _bound(value: Any) -> Any:
    """A text that no encoding has (a lone surrogate, of a file name) is stored as its bytes."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    return value


def _text(value: Any) -> Any:
    return _decoded(value) if isinstance(value, bytes) else value


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogatepass")
