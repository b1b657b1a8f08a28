"""The promises about reading, each with its number: R1 to R6, R22 and R26. R4 is in test_machine.py.

The writers are real threads that roll while we read. They may be three rolls ahead of us, since more than a rotation
keeps nobody can read.
"""

from __future__ import annotations

import ast
import json
import logging.handlers
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import agentdoctor.tailing
import agentdoctor.waking
from agentdoctor.tailing import Gap
from agentdoctor.tailing.log import DELETED

from .conftest import times
from .world import Reading, World, family, open_for_reading

AHEAD = 3  # rolls between two looks, at most


class Pace:
    """Holds a writer back until we have looked."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.rolled = self.seen = 0

    def roll(self) -> None:
        """Called by the writer before it rolls."""
        with self.changed:
            self.changed.wait_for(lambda: self.rolled - self.seen < AHEAD)
            self.rolled += 1

    def looked(self, rolled: int) -> None:
        """Called after a look that began when so many rolls had begun."""
        with self.changed:
            self.seen = rolled
            self.changed.notify()


def race(reading: Reading, pace: Pace, write: Callable[[], None]) -> list[bytes]:
    """Read while a thread writes. Returns the lines."""
    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    while writer.is_alive():
        before = pace.rolled - 1  # the last one may be going on
        reading.poll(1.0)
        pace.looked(before)
    writer.join()
    return reading.rest()


def by_file(found: list[bytes], lines: int) -> list[bytes]:
    """Lines in the order of their files. The order within a file is as they came; between files nothing is promised to
    who looks while there are several rolls at once.
    """
    return sorted(found, key=lambda line: int(line.split()[1]) // lines)


def test_r1_no_line_is_lost_by_renaming(tmp_path: Path) -> None:
    """The standard library's rotating handler: app.log.1 to app.log.5, the last one is deleted."""
    path, pace, lines = tmp_path / "app.log", Pace(), 20
    rolls = times(80, 50_000)
    handler = logging.handlers.RotatingFileHandler(path, backupCount=AHEAD + 2)

    def write() -> None:
        for number in range(rolls * lines):
            if number % lines == 0:
                pace.roll()
                handler.doRollover()
            handler.emit(logging.LogRecord("x", logging.INFO, "x", 1, f"line {number:09}", None, None))
        handler.close()

    found = race(Reading(family(tmp_path)), pace, write)

    assert by_file(found, lines) == [b"line %09d\n" % number for number in range(rolls * lines)]


def test_r2_no_line_is_lost_by_copying_and_truncating(tmp_path: Path) -> None:
    """As the logging gem does it: a copy under another name, truncation, the copy's final name; seven are kept."""
    path, pace, lines = tmp_path / "app.log", Pace(), 1000
    rolls = times(20, 1000)
    copy = tmp_path / "app.log._copy_"

    def write() -> None:
        with path.open("ab", buffering=0) as log:
            for number in range(rolls * lines):
                if number % lines == 0:
                    pace.roll()
                    shutil.copyfile(path, copy)
                    log.truncate(0)
                    os.rename(copy, tmp_path / f"app.{number:09}.log")
                    for old in sorted(tmp_path.glob("app.*.log"))[:-7]:
                        old.unlink()
                log.write(b"line %09d\n" % number)

    reading = Reading(family(tmp_path))
    found = race(reading, pace, write)

    assert by_file(found, lines) == [b"line %09d\n" % number for number in range(rolls * lines)]
    assert not reading.notices


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "host")
    yield world
    world.close()


@pytest.mark.parametrize("unread", [True, False], ids=["unread", "read"])
def test_r3_what_cannot_be_read_is_said(world: World, unread: bool) -> None:
    """A rolled file that is deleted unread is a gap, once; one that was read is none."""
    reading = Reading(family(world.directory))
    world.write(3)
    reading.poll()
    world.write(2)
    world.copy_truncate()
    world.write(4)
    if not unread:
        reading.poll()
    world.remove_oldest()
    reading.rest()

    assert [type(each) for each in reading.notices] == ([Gap] if unread else [])
    assert [each.path for each in reading.gaps()] == ([str(world.path)] if unread else [])
    again = reading.restart()
    again.rest()
    assert not again.notices


def test_r3_a_gap_says_how_much_is_known(world: World) -> None:
    """Bytes that were seen and not read when they vanished."""
    reading = Reading(family(world.directory))
    world.write(2, size=100)
    reading.poll(0.0, reading.take_settled)
    world.truncate()
    reading.rest()

    assert [each.at_least_bytes for each in reading.gaps()] == [100]


def test_r3_a_gap_that_opened_while_we_were_away(world: World) -> None:
    """The log was deleted and made anew between two lives."""
    reading = Reading(family(world.directory))
    world.write(2)
    reading.poll()
    world.delete()
    world.write(2)
    again = reading.restart()
    again.rest()

    assert len(again.gaps()) == 1
    assert len(again.lines) == 2


def test_r5_a_rewrite_of_the_same_size_is_seen(world: World) -> None:
    """Each time other lines of the same length, between two looks at once."""
    reading = Reading(family(world.directory))
    count = times(100, 1000)
    for _ in range(count):
        world.count += 1
        world.truncate()
        os.write(world.descriptor, b"line %012d\n" % world.count)
        reading.poll()

    assert len(set(reading.lines)) == len(reading.lines) == count


def test_r6_a_reused_inode_skips_nothing(tmp_path: Path) -> None:
    """What is stored about an inode is put on the next file, whether or not the file system did so too."""
    path, reused = tmp_path / "app.log", 0
    reading = Reading(family(tmp_path))
    for number in range(times(50, 1000)):
        path.write_bytes(b"line %06d\n" % number * 3)
        status = path.stat()
        positions = reading.tailer.positions()
        for key, row in positions.items():
            stored = json.loads(row)
            if "inode" in stored:
                reused += stored["inode"] == [status.st_dev, status.st_ino]
                positions[key] = json.dumps({**stored, "inode": [status.st_dev, status.st_ino]})
        reading = Reading(family(tmp_path), positions=positions)
        reading.poll()
        assert reading.lines == [b"line %06d\n" % number] * 3
        reading.tailer.close()
        path.unlink()


def test_r22_no_clock_is_asked() -> None:
    """Time is an argument, so a clock that jumps changes nothing: no module knows one."""
    for path in [*Path(agentdoctor.tailing.__file__).parent.glob("*.py"), Path(agentdoctor.waking.__file__)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = getattr(node, "module", "") or ""
            assert not {"time", "datetime"} & {*names, module}, path.name


@contextmanager
def watched() -> Iterator[list[tuple[str, tuple[object, ...]]]]:
    """What this thread asks the system for, as Python's audit events."""
    events: list[tuple[str, tuple[object, ...]]] = []
    thread, active = threading.get_ident(), [True]

    def note(name: str, arguments: tuple[object, ...]) -> None:
        ours = active[0] and threading.get_ident() == thread
        if ours and name.partition(".")[0] in ("open", "os", "fcntl", "shutil"):
            events.append((name, arguments))

    sys.addaudithook(note)
    try:
        yield events
    finally:
        active[0] = False


def test_r26_agent_files_are_only_read(world: World) -> None:
    """Through all kinds of rotation: files are opened for reading alone, nothing is locked, timed, moved or deleted."""
    steps: list[Callable[[], object]] = [
        lambda: world.write(3),
        world.write_partial,
        world.rename,
        lambda: world.write(2, to=world.old[0]),
        world.copy_truncate,
        world.delete,
        world.replace_directory,
        world.remove_oldest,
    ]
    reading = Reading(family(world.directory), family(world.top, public=True))
    seen: set[str] = set()
    for step in steps:
        step()
        with watched() as events:
            reading.poll(1.0)
        for name, arguments in events:
            seen.add(name)
            if name == "open":
                flags = arguments[2]
                assert isinstance(flags, int)
                assert flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND) == os.O_RDONLY

    assert seen == {"open", "os.scandir"}


def test_r26_few_files_stay_open(world: World) -> None:
    """The log and eight that were rolled; a deleted one lets go of its room when nobody has written to it for long."""
    reading = Reading(family(world.directory))
    for _ in range(20):
        world.write()
        world.rename(keep=12)
        reading.poll(1.0)
    assert len(open_for_reading(world.directory)) == 9
    for path in world.directory.glob("app.log.*"):
        path.unlink()
    reading.poll(1.0)
    assert len(open_for_reading(world.directory)) == 9
    reading.poll(DELETED + 1.0)
    assert len(open_for_reading(world.directory)) == 1
    assert reading.lines == world.written
