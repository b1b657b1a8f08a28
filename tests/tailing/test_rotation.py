"""Each way in which a log is rolled, cut or replaced: every line comes once, and in order within a file."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .world import HEADER, Reading, World, family

Case = Callable[[World, Reading], None]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """A history between a first look and a last one. It says itself when to look in between."""
    CASES[function.__name__.replace("_", "-")] = function
    return function


@pytest.fixture(params=[b"", HEADER], ids=["plain", "equal-headers"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(tmp_path / "host", request.param)
    yield world
    world.close()


@case
def renamed_with_unread_lines(world: World, reading: Reading) -> None:
    world.rename()
    world.write()


@case
def renamed_three_times_between_looks(world: World, reading: Reading) -> None:
    for _ in range(3):
        world.rename(keep=9)
        world.write(2)


@case
def renamed_and_back(world: World, reading: Reading) -> None:
    reading.poll()
    os.rename(world.path, f"{world.path}.0")
    reading.poll()
    os.rename(f"{world.path}.0", world.path)
    world.write()


@case
def late_writer_to_the_renamed_file(world: World, reading: Reading) -> None:
    world.rename()
    reading.poll()
    world.write(2, to=world.old[0])
    reading.poll()
    world.write(2, to=world.old[0])


@case
def late_writer_to_a_deleted_file(world: World, reading: Reading) -> None:
    world.rename(keep=2)
    reading.poll()
    world.rename(keep=2)
    world.write(2, to=world.old[0])
    reading.poll()
    world.write(2, to=world.old[0])


@case
def late_writers_to_eight_files(world: World, reading: Reading) -> None:
    for _ in range(8):
        world.rename(keep=2)
        reading.poll()
    for old in world.old:
        world.write(to=old)


@case
def late_writer_keeps_the_old_file_busy(world: World, reading: Reading) -> None:
    world.rename()
    for _ in range(5):
        world.write(1)
        world.write(3, to=world.old[0])
        reading.poll()


@case
def copied_and_truncated(world: World, reading: Reading) -> None:
    world.copy_truncate()
    world.write()


@case
def copied_and_truncated_without_a_mark(world: World, reading: Reading) -> None:
    world.copy_truncate(marked=False)
    world.write()


@case
def copied_and_truncated_before_our_eyes(world: World, reading: Reading) -> None:
    world.copy_truncate(lambda _: reading.poll())
    world.write()
    reading.poll()
    world.copy_truncate(lambda _: reading.poll(1.1), marked=False)


@case
def copied_and_truncated_twice_between_looks(world: World, reading: Reading) -> None:
    world.copy_truncate()
    world.write(2)
    world.copy_truncate()
    world.write(1)


@case
def written_and_read_between_copy_and_truncation(world: World, reading: Reading) -> None:
    def write(step: str) -> None:
        if step == "copied":
            world.write(2)
            reading.poll()

    world.copy_truncate(write, marked=False)
    world.write()


@case
def grown_past_the_old_offset_after_a_truncation(world: World, reading: Reading) -> None:
    reading.poll()
    world.copy_truncate()
    world.write(20)


@case
def truncated_then_renamed_between_looks(world: World, reading: Reading) -> None:
    reading.poll()
    world.write()
    world.copy_truncate()
    world.write(2)
    world.rename()
    world.write()


@case
def an_archive_copied_over_in_place(world: World, reading: Reading) -> None:
    for _ in range(3):
        shutil.copyfile(world.path, world.directory / "app.log.7")
        world.truncate()
        reading.poll()
        world.write(5)
        reading.poll()


@case
def the_process_died_before_it_renamed_its_copy(world: World, reading: Reading) -> None:
    shutil.copyfile(world.path, world.directory / "app.log._copy_")
    world.truncate()
    reading.poll()
    world.write(3)
    reading.poll()
    with open(world.directory / "app.log._copy_", "ab") as file:  # the gem appends to what it left
        file.write(world.path.read_bytes())
    world.truncate()
    os.rename(world.directory / "app.log._copy_", world.directory / "app.001.log")
    world.write()


@case
def deleted_and_made_anew(world: World, reading: Reading) -> None:
    reading.poll()
    world.write()
    world.delete()
    world.write(2)
    reading.poll()
    world.delete()
    world.write()


@pytest.mark.parametrize("length", [1, 3, 7], ids=["shorter", "equal", "longer"])
def test_rewritten_in_place(world: World, length: int) -> None:
    """A log that was truncated and written anew is read from its beginning, also if it is as long as before."""
    world.write(3)
    reading = Reading(family(world.directory))
    reading.poll()
    world.truncate()
    world.write(length)

    assert [line for line in reading.rest() if line != world.header] == world.written


@case
def the_directory_was_moved_away_and_made_anew(world: World, reading: Reading) -> None:
    reading.poll()
    world.write()
    world.replace_directory()
    world.write(2)


@case
def a_second_name_for_the_log(world: World, reading: Reading) -> None:
    reading.poll()
    os.link(world.path, f"{world.path}.5")
    world.write()


@case
def somebody_made_copies(world: World, reading: Reading) -> None:
    reading.poll()
    shutil.copy2(world.path, f"{world.path}.5")
    shutil.copyfile(world.path, f"{world.path}.6")
    world.write()


@case
def times_of_another_century(world: World, reading: Reading) -> None:
    world.rename()
    os.utime(f"{world.path}.0", (4e9, 4e9))
    world.write()
    os.utime(world.path, (0, 0))
    reading.poll()
    os.utime(f"{world.path}.0", (0, 0))


@case
def killed_while_renamed(world: World, reading: Reading) -> None:
    reading.poll()
    world.write()
    world.rename()
    world.write()
    again = reading.restart()
    reading.lines += again.rest()
    again.tailer.close()


@case
def killed_while_copied_and_truncated(world: World, reading: Reading) -> None:
    reading.poll()
    world.write()
    world.copy_truncate()
    world.write(9)
    again = reading.restart()
    reading.lines += again.rest()
    again.tailer.close()


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_line_comes_once(world: World, name: str) -> None:
    """Three lines, a look, three more lines, then the case. Each line comes once, and nothing is said to be lost."""
    reading = Reading(family(world.directory))
    world.write(3)
    reading.poll()
    world.write(3)
    CASES[name](world, reading)
    if not name.startswith("killed"):
        reading.rest()
    reading.tailer.close()
    lines = [line for line in reading.lines if line != world.header]

    assert sorted(lines) == sorted(world.written)
    assert not reading.notices


def test_an_equal_line_in_a_new_file_is_another_line(tmp_path: Path) -> None:
    """Content tells copies from logs, but two files that are there at once, each with its line, are two logs."""
    reading, path = Reading(family(tmp_path)), tmp_path / "app.log"
    for _ in range(3):
        path.write_bytes(b"the same line again\n")
        reading.poll()
        path.unlink()

    assert reading.lines == [b"the same line again\n"] * 3


def test_packed_history_is_not_opened(world: World) -> None:
    """What was packed unread is a gap and not a riddle."""
    reading = Reading(family(world.directory)._replace(archives=r"app\.log\..*"))
    reading.poll()
    with gzip.open(f"{world.path}.1.gz", "wb") as file:
        file.write(b"old line\n" * 50)
    world.write()

    assert [line for line in reading.rest() if line != world.header] == world.written
    assert not reading.notices


def test_older_lines_come_before_newer_ones(world: World) -> None:
    """A large rolled file is read to where it was rolled before the new log is looked into."""
    reading = Reading(family(world.directory))
    reading.poll()
    world.write(3000, size=1000)
    world.rename()
    world.write()

    assert [line for line in reading.rest() if line != world.header] == world.written
