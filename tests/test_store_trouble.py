"""R10: a disk that is full or fails takes nothing from a store that lives, and its letters go out meanwhile."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from posting import LONG, START, Clock, keys, letter

from agentdoctor.outbox import Answer
from agentdoctor.store import Store, opening

FULL = sqlite3.OperationalError("database or disk is full")
EIO = sqlite3.OperationalError("disk I/O error")
MALFORMED = sqlite3.DatabaseError("database disk image is malformed")


class Plan:
    """Which statements fail: all from number ``first`` on, ``times`` of them; counting begins with 1."""

    def __init__(self, first: int, times: int, error: sqlite3.Error) -> None:
        self.first, self.times, self.error, self.count = first, times, error, 0

    def step(self) -> None:
        self.count += 1
        if self.first <= self.count < self.first + self.times:
            raise self.error


@contextmanager
def failing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let connections fail by a plan."""

    class Faulty(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            plan.step()
            return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            plan.step()
            return super().executemany(*arguments)

    connect = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(opening.sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Faulty))
        yield


def live(store: Store, clock: Clock, rest: int) -> tuple[list[str], dict[str, str], list[str]]:
    """Half an hour with ten changes and a topic that refuses once, and turns of rest after it.

    What was told, what is known, what went wrong.
    """
    findings: dict[str, str] = dict(store.state["findings"])
    told: list[str] = []
    seen = [store.trouble.why] if store.trouble else []
    for turn in range(60 + rest):
        clock.now += 30
        letters = []
        if turn % 6 == 0 and turn < 60:
            key, event = f"k{turn}", "recovered" if "a" in findings else "opened"
            findings.pop("a") if event == "recovered" else findings.update(a=json.dumps(turn))
            letters.append(letter(key, event, "a", clock.now, body=f"body of {key}"))
        store.save({"findings": findings, "positions": {"p": str(min(turn, 59))}}, letters)
        for key in keys(store.to_send()):
            refused = turn == 6
            told += [] if refused else [key]
            store.answered([Answer(key, "" if refused else f"id-{key}", "retry", "Throttled", "")])
        store.save({})
        seen += [store.trouble.why] if store.trouble else []
    return told, findings, seen + [notice.text for notice in store.notices]


KEYS = [f"k{turn}" for turn in range(0, 60, 6)]
# what fails -> how often in a row
FAULTS = {
    "full once": (FULL, 1),
    "full for some time": (FULL, 12),
    "an error of the disk": (EIO, 1),
    "errors of the disk": (EIO, 20),
    "read wrongly once": (MALFORMED, 1),
    "damaged": (MALFORMED, 6),
}


@pytest.mark.parametrize(("error", "times"), FAULTS.values(), ids=FAULTS)
def test_r10_whatever_statement_fails(
    error: sqlite3.Error, times: int, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first of opening on; then a restart finds all of it, and all was sent once, in order."""
    never = Plan(10**9, 0, error)
    lived(memory / "well", never, monkeypatch)
    for first in range(1, never.count, 1 if LONG else 17):
        told, findings, seen = lived(memory / str(first), Plan(first, times, error), monkeypatch)
        again = Store.open(memory / str(first), Clock())
        again.close()

        assert told == KEYS, first
        assert seen or error is MALFORMED, first  # one that was read wrongly is read again
        assert all(str(error) in each for each in seen), first
        assert (again.state["findings"], again.state["positions"]) == (findings, {"p": "59"}), first
        rows = again.outbox.ledger.rows
        assert {key: row.status for key, row in rows.items()} == dict.fromkeys(KEYS, "sent"), first


def lived(path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str], list[str]]:
    """What was told, what is known, and the troubles on the way; at the end there is none."""
    clock = Clock()
    with failing(plan, monkeypatch):
        store = Store.open(path, clock, lambda: 0.0)
        told, findings, seen = live(store, clock, plan.times)
    assert store.trouble is None
    store.close()
    return told, findings, seen


def test_a_start_that_reads_wrongly_once_forgets_nothing(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says "malformed" of a read that the disk refused."""
    store = Store.open(memory, Clock())
    store.save({"findings": {"a": "1"}}, [letter("k")])
    store.close()
    plan, first = Plan(0, 0, MALFORMED), 0
    while plan.count >= first:  # as long as the start has so many statements
        first += 1
        plan = Plan(first, 1, MALFORMED)
        with failing(plan, monkeypatch):
            store = Store.open(memory, Clock())
        store.close()
        assert (store.state["findings"], list(store.outbox.ledger.rows)) == ({"a": "1"}, ["k"]), first
        assert (store.notices, store.trouble) == ([], None), first
    assert first > 10


def test_in_trouble_it_says_since_when_and_tries_twice_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, plan = Clock(), Plan(10**9, 10**9, FULL)
    with failing(plan, monkeypatch):
        store = Store.open(tmp_path, clock)
        plan.first = plan.count + 1
        done = []
        for _ in range(90):
            clock.now += 1
            done.append(store.save({"positions": {"p": str(clock.now)}}, [letter(f"k{clock.now}", finding="a")]))
        tries = plan.count - plan.first + 1
        sending = store.to_send()
        plan.first = 10**9
        clock.now += 30
        trouble = store.trouble
        done.append(store.save({}))

    assert trouble is not None
    assert (trouble.since, trouble.why) == (START + 1, "database or disk is full")
    assert tries == 3, "one statement each, BEGIN"
    assert done == [False] * 90 + [True]
    assert keys(sending) == [f"k{START + 1}"], "whole, and not delayed by the disk"
    assert store.trouble is None
    store.close()


def test_a_clock_that_is_set_back_does_not_stop_the_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, plan = Clock(), Plan(10**9, 1, EIO)
    with failing(plan, monkeypatch):
        store = Store.open(tmp_path, clock)
        plan.first = plan.count + 1
        store.save({"facts": {"a": "1"}})
        clock.now -= 365 * 86400

        assert store.save({})
    store.close()


def test_what_is_taken_back_while_the_disk_fails_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file still has the letter; it is read again, because it may be well and was read wrongly."""
    clock, plan = Clock(), Plan(10**9, 1, MALFORMED)
    with failing(plan, monkeypatch):
        store = Store.open(tmp_path, clock)
        store.save({}, [letter("o", spread=900.0)])
        plan.first = plan.count + 1
        store.save({}, [letter("r", "recovered", spread=900.0)])
        clock.now += 1000
        store.save({})
    assert store.to_send() == []
    store.close()
    again = Store.open(tmp_path, clock)

    assert again.outbox.ledger.rows == {}
    again.close()


def test_a_file_that_somebody_took_away(tmp_path: Path) -> None:
    """With its directory. All is written again; what was in the file alone is read from it once more."""
    clock = Clock()
    store = Store.open(tmp_path / "state", clock)
    store.save({"findings": {"a": "1"}}, [letter("k", body="the body")])
    shutil.rmtree(tmp_path / "state")
    assert store.save({"positions": {"p": "1"}})
    (notice,) = store.notices
    store.close()
    again = Store.open(tmp_path / "state", clock)

    assert notice.text == "somebody took the database away; it was written again"
    assert (again.state["findings"], again.state["positions"]) == ({"a": "1"}, {"p": "1"})
    assert [each.letter.body for each in again.to_send()] == ["the body"]
    again.close()


def test_a_body_that_can_no_longer_be_read_leaves_the_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, plan = Clock(), Plan(10**9, 10**9, MALFORMED)
    with failing(plan, monkeypatch):
        store = Store.open(tmp_path, clock)
        store.save({}, [letter("k", body="lost")])
        plan.first = plan.count + 1
        assert store.to_send() == []
        clock.now += 31
        assert not store.save({})
        plan.first = 10**9
        clock.now += 31
        assert store.save({})
        (least,) = store.to_send()
    store.close()

    assert (least.letter.key, least.letter.rule, least.letter.body) == ("k", "disk-full", "")


def test_a_directory_that_cannot_be_had_at_first(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "var").write_text("a file in its place")
    store = Store.open(tmp_path / "var/state", clock)
    assert store.trouble is not None
    assert not store.save({"findings": {"a": "1"}}, [letter("k")])
    (sending,) = store.to_send()
    (tmp_path / "var").unlink()
    clock.now += 30
    assert store.save({})
    store.close()
    again = Store.open(tmp_path / "var/state", clock)

    assert "Not a directory" in store_why(tmp_path)
    assert sending.letter.key == "k"
    assert (again.state["findings"], list(again.outbox.ledger.rows)) == ({"a": "1"}, ["k"])
    again.close()


def store_why(tmp_path: Path) -> str:
    """What a store says of a place under a file."""
    (tmp_path / "file").touch()
    trouble = Store.open(tmp_path / "file/state").trouble
    return trouble.why if trouble else ""


def test_what_cannot_be_written_at_the_start_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk at boot: what is open stays open, what waits is sent, and later all of it is written."""
    clock = Clock()
    store = Store.open(tmp_path, clock)
    store.save({"findings": {"a": "1"}}, [letter("old")])
    store.close()
    with failing(Plan(1, 1, FULL), monkeypatch):
        store = Store.open(tmp_path, clock)
        known = store.state["findings"]
        store.save({"findings": known}, [letter("new", "recovered")])
        clock.now += 30
        assert store.save({})
    sent = []
    while sending := store.to_send():
        sent += sending
        store.answered([Answer(key, "id") for key in keys(sending)])
    store.close()

    assert known == {"a": "1"}
    assert [(each.letter.key, each.letter.body) for each in sent] == [
        ("old", letter("old").body),
        ("new", letter("new").body),
    ]
