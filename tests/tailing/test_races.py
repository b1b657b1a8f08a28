"""A roll that goes on while we look: every way in which its steps can fall between ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest

from agentdoctor.tailing import log, rolled, table
from agentdoctor.tailing.files import File
from agentdoctor.tailing.log import EVERY, Log

from .conftest import LONG
from .world import HEADER, Reading, World, family

# What the writer does in one roll, and where we may be meanwhile: before the look at the log's name, before the
# directory is listed, before the first file is renewed, before it is compared with what is known, after one answer to
# that, and before it is read.
STEPS, PLACES, STRIDE = 7, 6, 59

SEAMS = ((rolled, "look"), (Log, "_turn"), (File, "windows"), (table, "_holds"), (log, "turn"))


def copying(world: World) -> Iterator[None]:
    """A roll by the logging gem, step by step."""
    world.write(1, 500)
    yield
    copy, content = f"{world.path}._copy_", world.path.read_bytes()
    with open(copy, "wb", buffering=0) as file:
        yield
        file.write(content[: len(content) // 2])
        yield
        file.write(content[len(content) // 2 :])
    yield
    world.truncate()
    yield
    os.rename(copy, world.directory / "app.002.log")
    yield
    world.write(2, 500)
    yield


def renaming(world: World) -> Iterator[None]:
    """Two rolls by Ruby's Logger."""
    world.write(1, 500)
    yield
    for number in range(2):
        if number:
            os.rename(f"{world.path}.0", f"{world.path}.1")
            yield
        os.rename(world.path, f"{world.path}.0")
        yield
        world.reopen()
        yield
        world.write(1, 500)
    yield


class Meanwhile:
    """Takes the writer so many steps further at each place where we are for the first time."""

    def __init__(self, steps: Iterator[None], moments: tuple[int, ...]) -> None:
        self.steps, self.moments, self.done, self.at = steps, moments, 0, 0

    def reach(self, place: int) -> None:
        """We are there."""
        while self.at <= place:
            while self.done < self.moments[self.at]:
                next(self.steps)
                self.done += 1
            self.at += 1

    def finish(self) -> None:
        """All the rest."""
        self.at = PLACES
        for _ in self.steps:
            pass


def watched(patch: pytest.MonkeyPatch, now: list[Meanwhile], place: int, owner: Any, name: str) -> None:
    """Have a place reached before a call; after it if that answers."""
    real = getattr(owner, name)

    def reached(*arguments: Any) -> Any:
        if owner is table:
            answer = real(*arguments)
            now[0].reach(place)
            return answer
        now[0].reach(place)
        return real(*arguments)

    patch.setattr(owner, name, reached)


@pytest.mark.parametrize("read", [0, 2, 4], ids=["unread", "half read", "read"])
@pytest.mark.parametrize("header", [b"", HEADER], ids=["plain", "header"])
@pytest.mark.parametrize("roll", [copying, renaming], ids=["copied and truncated", "renamed"])
def test_every_line_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roll: Any, header: bytes, read: int) -> None:
    """Nothing is lost, nothing comes twice, and nothing is said to be lost."""
    now: list[Meanwhile] = []
    for place, (owner, name) in enumerate(SEAMS, start=1):
        watched(monkeypatch, now, place, owner, name)
    ways = list(combinations_with_replacement(range(STEPS + 1), PLACES))
    for number, moments in enumerate(ways if LONG else ways[read::STRIDE]):
        world = World(tmp_path / str(number), header)
        reading = Reading(family(world.directory))
        now[:] = [Meanwhile(iter(()), (0,) * PLACES)]
        reading.poll()
        world.write(2, 500)
        world.copy_truncate()
        world.write(read, 500)
        reading.poll()
        world.write(4 - read, 500)
        next(iter(reading.tailer._logs.values())).due = True  # as every tenth time
        now[:] = [Meanwhile(roll(world), moments)]
        now[0].reach(0)
        reading.poll()
        now[0].finish()
        lines = [line for line in reading.rest() if line != header]
        reading.tailer.close()

        assert sorted(lines) == sorted(world.written), moments
        assert not reading.notices, moments
        world.close()


@pytest.mark.parametrize("header", [HEADER, HEADER * 40], ids=["header", "long header"])
@pytest.mark.parametrize("read", [True, False], ids=["read", "unread"])
def test_half_a_copy_belongs_to_the_log_beside_it(tmp_path: Path, header: bytes, read: bool) -> None:
    """Not to one of which nothing but the same header was read, although more of that was, or it was found later."""
    world = World(tmp_path / "host", header)
    reading = Reading(family(world.directory))
    world.write(1, 30)
    reading.poll()
    world.copy_truncate()
    world.copy_truncate()  # a header alone
    reading.poll(take=reading.take if read else lambda piece: piece.data.index(b"\n") + 1)
    world.write(3, 3000)

    def look(step: str) -> None:
        if step == "half a copy":
            next(iter(reading.tailer._logs.values())).due = not read  # else it is found in the tenth look
            for _ in range(EVERY):
                reading.poll()

    world.copy_truncate(look)
    lines = [line for line in reading.rest() if line not in header]
    reading.tailer.close()
    world.close()

    assert lines == world.written
    assert not reading.notices
