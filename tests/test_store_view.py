"""The state as the command line sees it: beside a writer, after its death, and without any right but to read."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from posting import START, Clock, letter

from agentdoctor.outbox import Answer
from agentdoctor.store import Store, View, view

T = TypeVar("T")
NOBODY = 65534


def elsewhere(look: Callable[[], T]) -> T:
    """What a process of its own finds; one that looks must not be the one that writes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, pickle.dumps(look()))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    found: T = pickle.loads(content)
    return found


@contextmanager
def writer(directory: Path) -> Iterator[int]:
    """A process that changes all of its state again and again, until it is killed; its id."""
    ready, started = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write(directory, started)
        finally:
            os._exit(1)
    os.close(started)
    os.read(ready, 1)
    os.close(ready)
    try:
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def write(directory: Path, started: int) -> None:
    """Each turn has its number in every table. The log is small, so it is laid over the file all the time."""
    clock = Clock()
    store = Store.open(directory, clock)
    assert store._connection
    store._connection.execute("PRAGMA wal_autocheckpoint = 10")
    turn = 0
    while True:
        turn += 1
        clock.now += 600
        tables = {name: {f"{key}": str(turn) for key in range(20)} for name in ("positions", "symptoms", "findings")}
        store.save({**tables, "facts": {"turn": str(turn)}}, [letter(f"k{turn}", "test", f"t{turn}", body="x" * 2000)])
        for row in store.to_send():
            store.answered([Answer(row.letter.key, "id")])
        if turn == 20:
            os.write(started, b".")


def whole(seen: View) -> bool:
    """Whether it is of one moment, between two turns."""
    values = {value for name in ("positions", "symptoms", "findings") for value in seen.state[name].values()}
    return values == {seen.state["facts"]["turn"]} and len(seen.letters) == int(seen.state["facts"]["turn"])


def test_beside_a_writer_it_sees_one_moment_and_leaves_no_trace(memory: Path) -> None:
    with writer(memory / "state") as service:
        turns = set()
        while len(turns) < 10:
            seen = view(memory / "state")
            if isinstance(seen, str):  # a busy moment is said, and nothing else is
                assert "it changes too fast to be read" in seen
                continue
            assert whole(seen)
            turns.add(seen.state["facts"]["turn"])
            assert (seen.schema, seen.newer, seen.service) == (1, False, service)
    files = {path.name: path.read_bytes() for path in (memory / "state").iterdir()}
    last = view(memory / "state")

    assert isinstance(last, View), "after kill -9"
    assert whole(last)
    assert last.service is None
    assert {path.name: path.read_bytes() for path in (memory / "state").iterdir()} == files
    store = Store.open(memory / "state", Clock())
    store.close()
    assert store.state == last.state


def looking(directory: Path) -> View | str:
    """As somebody who may read and nothing else: not root, and no right to write."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return view(directory)


@pytest.mark.parametrize("log", [False, True], ids=["the service stopped", "the service runs"])
def test_without_the_right_to_write(log: bool, memory: Path) -> None:
    """A database in WAL mode that SQLite itself could not open there."""
    memory.chmod(0o755)
    store = Store.open(memory / "state", Clock())
    store.save({"findings": {"a": "1"}}, [letter("k")])
    if not log:
        store.close()
    for path in (memory / "state").iterdir():
        path.chmod(0o444)
    (memory / "state").chmod(0o555)
    seen = elsewhere(lambda: looking(memory / "state"))
    (memory / "state").chmod(0o700)
    store.close()

    assert isinstance(seen, View)
    assert (seen.state["findings"], [row.letter.key for row in seen.letters]) == ({"a": "1"}, ["k"])
    assert seen.service == (os.getpid() if log else None)


def test_without_the_right_to_read_it_says_so(memory: Path) -> None:
    memory.chmod(0o755)
    Store.open(memory / "state", Clock()).close()
    (memory / "state").chmod(0o000)
    seen = elsewhere(lambda: looking(memory / "state"))
    (memory / "state").chmod(0o700)

    assert seen == f"{memory}/state/state.db-wal: Permission denied"


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


# what is done to the file -> what is said
NO_STATE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no service has run": (Path.unlink, "there is no state in {0}: no service has run"),
    "no directory": (lambda path: shutil.rmtree(path.parent), "there is no state in {0}: no service has run"),
    "a pipe": (fifo, "{0}/state.db: is not a regular file"),
    "a link": (link, "{0}/state.db: Too many levels of symbolic links"),
    "no database": (lambda path: path.write_bytes(b"no" * 5000), "{0}/state.db: file is not a database"),
    "torn": (lambda path: os.truncate(path, 5000), "{0}/state.db: database disk image is malformed"),
}


@pytest.mark.parametrize(("spoil", "said"), NO_STATE.values(), ids=NO_STATE)
def test_why_it_cannot_be_seen(spoil: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    Store.open(tmp_path / "state", Clock()).close()
    spoil(tmp_path / "state/state.db")
    before = sorted(path.name for path in tmp_path.rglob("*"))

    assert view(tmp_path / "state") == said.format(tmp_path / "state")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_file_without_some_tables_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    """As a schema from before there were letters would be."""
    store = Store.open(tmp_path, Clock())
    store.save({"findings": {"a": "1"}})
    assert store._connection
    store._connection.execute("DROP TABLE letters")
    store.close()
    seen = view(tmp_path)

    assert isinstance(seen, View)
    assert (seen.state["findings"], seen.letters) == ({"a": "1"}, ())
    assert abs(seen.changed_at - (tmp_path / "state.db").stat().st_mtime) < 1
    assert seen.changed_at != START
