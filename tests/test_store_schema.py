"""R25: what becomes of a file of another version, of a damaged one, and of something else in its place."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from posting import START, Clock, letter

from agentdoctor.outbox import Answer
from agentdoctor.store import Store, View, view
from agentdoctor.store.opening import MIGRATIONS

STORED = Path(__file__).parent / "corpus" / "state"


def stored(schema: int, directory: Path) -> None:
    """Lay the file of a schema where a service finds it."""
    directory.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(STORED / f"schema-{schema}.db", directory / "state.db")


def test_there_is_a_file_of_each_schema() -> None:
    assert {path.name for path in STORED.iterdir()} == {f"schema-{n}.db" for n in range(1, len(MIGRATIONS) + 1)}


@pytest.mark.parametrize("schema", range(1, len(MIGRATIONS) + 1))
def test_r25_a_file_of_each_schema_is_opened_with_all_that_it_holds(schema: int, tmp_path: Path) -> None:
    """Nothing is reset or told twice, and what waited is sent."""
    stored(schema, tmp_path)
    store = Store.open(tmp_path, Clock())
    statuses = {key: row.status for key, row in store.outbox.ledger.rows.items()}
    path = store.outbox.path
    store.close()

    assert (store.notices, store.trouble) == ([], None)
    assert store.state["positions"] == {"/var/log/aws/codedeploy-agent/codedeploy-agent.log": '{"offset": 4096}'}
    assert store.state["symptoms"] == {"disk-full /": '{"count": 3}'}
    assert json.loads(store.state["findings"]["disk-full/"]) == {"id": "disk-full", "state": "active"}
    assert path is not None
    assert (path.kind, path.error, path.since) == ("hold", "AuthorizationError", START)
    assert (statuses["sent"], statuses["parked"], statuses["waiting"]) == ("sent", "parked", "waiting")
    assert store.outbox.totals == {"sent": 1, "parked": 1, "folded": 4}


@pytest.mark.parametrize("schema", range(1, len(MIGRATIONS) + 1))
def test_r25_what_an_old_file_had_waiting_is_sent(schema: int, tmp_path: Path) -> None:
    clock = Clock()
    stored(schema, tmp_path)
    store = Store.open(tmp_path, clock, lambda: 0.0)
    told: dict[str, str] = {}
    for _ in range(10):
        clock.now += 600
        store.save({})
        for row in store.to_send():
            told[row.letter.key] = row.letter.body
            store.answered([Answer(row.letter.key, "id")])
    store.close()
    (digest,) = (json.loads(body) for body in told.values() if "counts" in body)

    assert told["waiting"] == '{"key": "waiting"}'
    assert {f"f{number}" for number in range(8)} < told.keys()
    assert digest["counts"] == {"f": {"opened": 4}}
    assert not {"sent", "parked"} & told.keys()


def newer(path: Path) -> None:
    stored(1, path.parent)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


def something_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def a_table_less(path: Path) -> None:
    stored(1, path.parent)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE letters")


def torn(path: Path) -> None:
    """The half that a copy over a full disk leaves."""
    stored(1, path.parent)
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    stored(1, path.parent)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def no_text(path: Path) -> None:
    """Bits that turned where no check of SQLite looks."""
    stored(1, path.parent)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE facts SET value = CAST(X'ff' AS TEXT) WHERE key = 'outbox.limits'")
        connection.commit()


# how the file is wrong -> what the notice says of it
WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "newer": (newer, f"its schema {len(MIGRATIONS) + 1} is newer than {len(MIGRATIONS)}, the newest that this version"),
    "no database": (lambda path: path.write_bytes(b"positions = 7\n" * 500), "file is not a database"),
    "zeros after a power loss": (lambda path: path.write_bytes(bytes(8192)), "file is not a database"),
    "another program's": (something_else, "it holds something else"),
    "a table is missing": (a_table_less, "it has no table letters"),
    "half of it": (torn, "malformed"),
    "overwritten": (overwritten, "it is damaged: "),
    "text that is none": (no_text, "its content makes no sense"),
}


@pytest.mark.parametrize(("spoil", "said"), WRONG.values(), ids=WRONG)
def test_r25_what_cannot_be_used_is_set_aside_once_and_said(
    spoil: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    spoil(tmp_path / "state.db")
    content = (tmp_path / "state.db").read_bytes()
    store = Store.open(tmp_path, Clock())
    (notice,) = store.notices
    assert store.save({"findings": {"a": "1"}}, [letter("k")])
    store.close()
    again = Store.open(tmp_path, Clock())
    again.close()

    assert (notice.kind, store.trouble) == ("state-reset", None)
    assert notice.text.startswith("the database was set aside as state.db.bad: ")
    assert said in notice.text
    assert (tmp_path / "state.db.bad").read_bytes()[100:] == content[100:]  # the header may say WAL now
    assert (again.notices, again.state["findings"], list(again.outbox.ledger.rows)) == ([], {"a": "1"}, ["k"])
    assert json.loads(again.state["facts"]["store.reset"]) == {"at": START, "why": notice.text}


def test_only_the_last_bad_file_is_kept(tmp_path: Path) -> None:
    """Damage that comes back must not fill the disk."""
    for number in range(3):
        (tmp_path / "state.db").write_bytes(b"bad %d" % number * 200)
        Store.open(tmp_path, Clock()).close()

    assert (tmp_path / "state.db.bad").read_bytes().startswith(b"bad 2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "state.db", "state.db.bad"]


def test_a_log_of_a_bad_file_is_not_laid_over_the_new_one(tmp_path: Path) -> None:
    """As after a kill: the log is there, and the file before it is torn."""
    Store.open(tmp_path / "state", Clock()).close()
    store = Store.open(tmp_path / "state", Clock())
    store.save({"findings": {"old": "1"}})
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    store.close()
    (tmp_path / "copy/state.db").write_bytes(b"no database" * 1000)
    again = Store.open(tmp_path / "copy", Clock())
    again.close()

    assert again.state["findings"] == {}
    assert again.trouble is None


def test_r25_a_newer_file_is_shown_and_left_alone(tmp_path: Path) -> None:
    """An older command line beside a newer service; and after an older service, the newer one finds it as it was."""
    newer(tmp_path / "state.db")
    content = (tmp_path / "state.db").read_bytes()
    seen = view(tmp_path)
    there = [path.name for path in tmp_path.iterdir()]

    Store.open(tmp_path, Clock()).close()

    assert isinstance(seen, View)
    assert (seen.schema, seen.newer) == (len(MIGRATIONS) + 1, True)
    assert seen.state["symptoms"] == {"disk-full /": '{"count": 3}'}
    assert there == ["state.db"]
    assert (tmp_path / "state.db.bad").read_bytes() == content
