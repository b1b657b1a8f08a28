"""The store when all is well: what it keeps, what it writes, and whom it lets in."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from posting import START, Clock, letter

from agentdoctor.outbox import Answer
from agentdoctor.store import InUse, Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    made = Store.open(tmp_path / "state", clock, lambda: 0.5)
    yield made
    made.close()


def traced(store: Store) -> list[str]:
    """A list that grows by each statement that the store runs."""
    statements: list[str] = []
    assert store._connection
    store._connection.set_trace_callback(statements.append)
    return statements


def reopened(store: Store, tmp_path: Path, clock: Clock) -> Store:
    store.close()
    return Store.open(tmp_path / "state", clock, lambda: 0.5)


def test_nobody_else_may_look(store: Store, tmp_path: Path) -> None:
    store.save({"facts": {"a": "1"}})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert modes == dict.fromkeys(("lock", "state.db", "state.db-shm", "state.db-wal"), 0o600)


def test_a_directory_that_others_could_read_is_closed(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    Store.open(tmp_path / "state", clock).close()

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_names_are_as_durable_as_what_they_name(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is gone after a power loss if its directory was not written; so is a directory."""
    written: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (written.append(os.fstat(file).st_ino), fsync(file)))
    Store.open(tmp_path / "state", clock).close()

    assert {path.stat().st_ino for path in (tmp_path, tmp_path / "state")} <= set(written)


PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "auto_vacuum": 2,  # INCREMENTAL
    "busy_timeout": 5000,
    "journal_size_limit": 4194304,
    "wal_autocheckpoint": 1000,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "user_version": 1,
}


@pytest.mark.parametrize("again", [False, True], ids=["new", "opened again"])
def test_pragmas(again: bool, store: Store, tmp_path: Path, clock: Clock) -> None:
    if again:
        store = reopened(store, tmp_path, clock)
    assert store._connection
    found = {name: store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    store.close()

    assert found == PRAGMAS


def test_one_service_for_a_directory(store: Store, tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(InUse, match=rf"state is in use by another agentdoctor \(process {os.getpid()}\)"):
        Store.open(tmp_path / "state", clock)
    store.close()
    Store.open(tmp_path / "state", clock).close()


def test_what_was_saved_is_there_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    """Keys and values as they were, those too that no encoding has."""
    state = {
        "positions": {"/var/log/caf\udce9.log": '{"offset": 7}'},
        "findings": {"disk-full": "nul \0, lone \ud800, \U0001f600", "": "{}"},
        "symptoms": {"a": "x" * 100_000},
        "facts": {"started": "1"},
    }
    assert store.save(state, [letter("k", body="caf\udce9"), letter("k2", "recovered")])
    again = reopened(store, tmp_path, clock)
    facts = again.state.pop("facts")

    assert again.state == {name: values for name, values in state.items() if name != "facts"}
    assert facts["started"] == "1"
    assert [each.letter.body for each in again.to_send()] == ["caf\udce9"]
    again.close()


def test_a_table_becomes_what_is_given_and_others_stay(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.save({"findings": {"a": "1", "b": "2"}, "positions": {"p": "1"}, "facts": {"f": "1"}})
    store.save({"findings": {"b": "3"}, "facts": {}})
    again = reopened(store, tmp_path, clock)
    again.close()

    assert again.state == {"findings": {"b": "3"}, "positions": {"p": "1"}, "symptoms": {}, "facts": {}}


def test_r23_nothing_is_written_when_nothing_changed(store: Store) -> None:
    """A day of idle seconds, with letters in every state that may last."""
    state = {"findings": {"a": "1"}, "facts": {"f": "1"}}
    store.save(state, [letter("k"), letter("k2", "recovered"), *(letter(f"f{n}", finding=f"f/{n}") for n in range(20))])
    store.to_send()
    store.answered([Answer("k", "id")])
    store.save(state)
    statements = traced(store)
    for _ in range(3):
        assert store.save({name: dict(values) for name, values in state.items()})

    assert statements == []


def test_r23_only_what_differs_is_written_in_one_transaction(store: Store) -> None:
    store.save({"findings": {f"f{number}": "1" for number in range(1000)}, "positions": {"p": "1", "q": "1"}})
    statements = traced(store)
    assert store._connection
    before = store._connection.total_changes
    findings = {f"f{number}": "1" for number in range(999)} | {"new": "2"}
    store.save({"findings": findings, "positions": {"p": "2", "q": "1"}}, [letter("k")])

    assert [each for each in statements if each.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]
    assert (statements[0], statements[-1]) == ("BEGIN IMMEDIATE", "COMMIT")
    assert store._connection.total_changes - before == 5  # new, p, f999 that is gone, the letter, the outbox's limits


def test_bodies_are_on_disk_until_they_are_sent(store: Store) -> None:
    store.save({}, [letter("k", body="x" * 10_000)])
    assert store.outbox.ledger.rows["k"].letter.body == ""
    (whole,) = store.to_send()
    store.answered([Answer("k", "id-1")])
    store.save({})

    assert whole.letter.body == "x" * 10_000
    assert store._connection
    assert store._connection.execute("SELECT body, status FROM letters").fetchall() == [("", "sent")]


def test_a_failed_attempt_keeps_the_body(store: Store, tmp_path: Path, clock: Clock) -> None:
    """The row is written again, without the body that is not in memory."""
    store.save({}, [letter("k", body="whole")])
    store.to_send()
    store.answered([Answer("k", kind="retry", error="Throttled")])
    store.save({})
    clock.now += 2
    again = reopened(store, tmp_path, clock)

    assert [each.letter.body for each in again.to_send()] == ["whole"]
    again.close()


def test_what_was_refused_goes_in_its_least_form_after_a_restart_too(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    store.save({}, [letter("k")])
    (full,) = store.to_send()
    store.answered([Answer("k", kind="poison", error="InvalidParameter")])
    store.save({})
    again = reopened(store, tmp_path, clock)
    (least,) = again.to_send()
    again.close()

    assert (full.minimal, least.minimal) == (False, True)


def test_the_last_delivery_and_the_last_error_are_facts(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.save({"facts": {"mine": "1"}}, [letter("k")])
    store.to_send()
    store.answered([Answer("k", kind="hold", error="NotFound", text="no such topic")])
    store.save({"facts": {"mine": "2"}})
    path = json.loads(store.state["facts"]["outbox.path"])
    clock.now += 500
    store.to_send()
    store.answered([Answer("k", "id-7")])
    store.save({"facts": {"mine": "3", "outbox.error": "not the caller's"}})
    again = reopened(store, tmp_path, clock)
    again.close()
    facts = {name: json.loads(value) for name, value in again.state["facts"].items()}

    assert (path["since"], path["kind"], path["error"], path["failures"]) == (START, "hold", "NotFound", 1)
    assert facts["mine"] == 3
    assert facts["outbox.delivered"] == {"at": START + 500, "key": "k", "message_id": "id-7"}
    assert (facts["outbox.error"]["at"], facts["outbox.error"]["text"]) == (START, "no such topic")
    assert "outbox.path" not in facts


def test_a_week_later_the_file_is_small_again(store: Store, tmp_path: Path, clock: Clock) -> None:
    body = "x" * 20_000
    store.save({}, [letter(f"k{number}", "test", f"t/{number}", body=body) for number in range(200)])
    assert store._connection

    def pages() -> int:
        assert store._connection
        return int(store._connection.execute("PRAGMA page_count").fetchone()[0])

    full = pages()
    while sending := store.to_send():
        store.answered([Answer(each.letter.key, "id") for each in sending])
    clock.now += 8 * 86400
    store.save({})

    assert full > 900
    assert pages() < 50
