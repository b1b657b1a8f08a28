"""What is stored, where a first look begins, and families that come and go."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from agentdoctor.tailing import Family, Start, Tailer
from agentdoctor.tailing.log import AT_ONCE, HELD

from .world import Reading, family, open_for_reading


def write(path: Path, *lines: str) -> None:
    """Append lines."""
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def history(directory: Path, count: int) -> None:
    """Rolled files with a line each, the oldest first, and a log with one."""
    for number in range(count):
        path = directory / f"app.{number:03}.log"
        write(path, f"an old line {number:03}")
        os.utime(path, (1000 + number, 1000 + number))
    write(directory / "app.log", "line 1")


@pytest.mark.parametrize("count", [0, 1, HELD, HELD + 1, AT_ONCE + 1, 3 * AT_ONCE])
@pytest.mark.parametrize("start", ["beginning", "end"])
def test_a_first_look(tmp_path: Path, start: Start, count: int) -> None:
    """Everything from the oldest rolled file on, or nothing of what was there. Few files are open at a time."""
    history(tmp_path, count)
    reading = Reading(family(tmp_path))
    reading.poll(start=start)
    write(tmp_path / "app.log", "line 2")
    for _ in range(25):
        reading.poll(1.0, start=start)
        assert len(open_for_reading(tmp_path)) <= HELD + 1
    old = [b"an old line %03d\n" % number for number in range(count)]

    assert reading.lines == ([*old, b"line 1\n", b"line 2\n"] if start == "beginning" else [b"line 2\n"])
    again = reading.restart()
    assert not again.rest()
    assert not [*reading.notices, *again.notices]


@pytest.mark.parametrize("start", ["beginning", "end"])
def test_what_appears_later_is_read_from_its_beginning(tmp_path: Path, start: Start) -> None:
    """Directories and logs that were missing, over a restart too: what is new cannot be history."""
    reading = Reading(family(tmp_path / "later"))
    reading.poll(start=start)
    (tmp_path / "later").mkdir()
    write(tmp_path / "later" / "app.log", "line 1")
    reading.poll(start=start)
    first = reading.restart()
    write(tmp_path / "later" / "app.003.log", "line 2")
    first.poll(start=start)

    assert reading.lines == [b"line 1\n"]
    assert first.lines == [b"line 2\n"]


def test_an_unfinished_line_at_the_start_comes_whole(tmp_path: Path) -> None:
    """It ends after the first look, so it is no history."""
    (tmp_path / "app.log").write_bytes(b"old\nbegun bef")
    reading = Reading(family(tmp_path))
    reading.poll(start="end")
    write(tmp_path / "app.log", "ore")

    assert reading.rest() == [b"begun before\n"]


def test_the_end_of_an_endless_line(tmp_path: Path) -> None:
    """Of a line whose beginning is history nothing comes."""
    (tmp_path / "app.log").write_bytes(b"old\n" + b"x" * (3 << 20))
    reading = Reading(family(tmp_path))
    reading.poll(start="end")
    write(tmp_path / "app.log", "end", "new")

    assert reading.rest() == [b"new\n"]


def test_positions_are_texts_for_a_database(tmp_path: Path) -> None:
    """A directory may have a name that is no text; a file with a number sign in it has rows of its own."""
    logs = [
        family(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")),
        Family("a", str(tmp_path), "x", r"x\.1"),
        Family("b", str(tmp_path), "x#y", r"x\.2"),
        Family("c", str(tmp_path), "x#1", r"x\.3"),
    ]
    os.mkdir(logs[0].directory)
    for log in logs:
        Path(log.path).write_bytes(b"a line\n")
    reading = Reading(*logs)
    reading.poll()
    with sqlite3.connect(":memory:") as database:
        database.execute("create table positions (key text primary key, value text)")
        database.executemany("insert into positions values (?, ?)", reading.tailer.positions().items())
        stored = dict(database.execute("select key, value from positions"))
    database.close()
    again = Reading(*logs, positions=stored)

    assert len(reading.lines) == len(logs)
    assert not again.rest()
    assert stored == again.tailer.positions()


def test_nothing_changes_at_rest(tmp_path: Path) -> None:
    """Whoever stores what differs writes nothing; a line changes one row."""
    history(tmp_path, 9)
    reading = Reading(family(tmp_path))
    reading.rest()
    before = reading.tailer.positions()
    reading.rest()
    assert reading.tailer.positions() == before
    write(tmp_path / "app.log", "line 2")
    reading.rest()
    after = reading.tailer.positions()

    assert len([key for key in after if after[key] != before.get(key)]) == 1


def test_positions_hold_nothing_of_the_log(tmp_path: Path) -> None:
    """Logs may hold secrets; digests stay."""
    write(tmp_path / "app.log", "AKIAIOSFODNN7EXAMPLE")
    reading = Reading(family(tmp_path))
    reading.rest()

    assert not [row for row in reading.tailer.positions().values() if "AKIA" in row]


DAMAGE = ["", "{}", "null", "[]", "{", '{"offset": "x"}', "[" * 10_000, '{"version": 99}', "\ud800"]


@pytest.mark.parametrize("text", DAMAGE, ids=range(len(DAMAGE)))
def test_damaged_positions_give_duplicates_at_most(tmp_path: Path, text: str) -> None:
    """A row that cannot be read is as if that part had not been read."""
    write(tmp_path / "app.log", "line 1")
    reading = Reading(family(tmp_path))
    reading.poll()
    positions = {key: text if "//" in key else row for key, row in reading.tailer.positions().items()}

    assert Reading(family(tmp_path), positions=positions).rest() == [b"line 1\n"]
    assert Reading(family(tmp_path), positions={"\ud800//x": text, "//": text, "/x//1": text}).rest() == [b"line 1\n"]


def test_an_offset_beyond_the_end_is_not_believed(tmp_path: Path) -> None:
    """Another file under the same name and inode is read from its beginning, however far the old one was read."""
    write(tmp_path / "app.log", *["line 1"] * 1000)
    reading = Reading(family(tmp_path))
    reading.poll()
    positions = reading.tailer.positions()
    reading.tailer.close()
    (tmp_path / "app.log").write_bytes(b"line 2\n")

    assert Reading(family(tmp_path), positions=positions).rest() == [b"line 2\n"]


def test_families_come_and_go(tmp_path: Path) -> None:
    """The logs of a deployment are let go of with it, and its rows with its directory."""
    logs = []
    for name in ("d-1", "d-2"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "app.log", name)
        logs.append(family(tmp_path / name))
    lines: list[bytes] = []
    tailer = Tailer()

    def poll(*families: Family) -> None:
        for _ in range(2):
            tailer.poll(families, lambda piece: lines.append(piece.data) or len(piece.data), 0.0)  # type: ignore[func-returns-value]

    poll(*logs)
    poll(logs[0])
    assert len(open_for_reading(tmp_path)) == 1
    poll(*logs)
    assert lines == [b"d-1\n", b"d-2\n"]
    poll(logs[0])
    (tmp_path / "d-2" / "app.log").unlink()
    (tmp_path / "d-2").rmdir()
    poll()
    poll(logs[0])

    assert {json.loads(row).get("version") for key, row in tailer.positions().items() if "//" not in key} == {1}
    assert not [key for key in tailer.positions() if "d-2" in key]


def test_lag_tells_what_is_unread(tmp_path: Path) -> None:
    """Of the live log always, of a rolled file while something of it is unread."""
    path = tmp_path / "app.log"
    path.write_bytes(b"line 1\nunfin")
    reading = Reading(family(tmp_path))
    reading.poll()
    (lag,) = reading.tailer.lag().values()
    assert (lag.size, lag.offset, lag.behind) == (12, 7, 5)
    assert lag.identity
    write(path, "ished", *["x" * 1000] * 3000)
    os.rename(path, tmp_path / "app.log.0")
    path.write_bytes(b"new\n")
    reading.tailer.poll(reading.families, reading.take, 0.0)
    behind = {os.path.basename(path): each.behind > 0 for path, each in reading.tailer.lag().items()}
    assert behind == {"app.log.0": True, "app.log": True}
    reading.rest()

    assert {os.path.basename(path): each.behind for path, each in reading.tailer.lag().items()} == {"app.log": 0}
