"""What may stand in a log: unfinished and endless lines, holes, NULs, bytes of every kind; and how it is offered."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentdoctor.tailing import Piece
from agentdoctor.tailing.reading import BLOCK, TURN

from .conftest import times
from .world import Reading, family


def reading(directory: Path, *parts: bytes) -> Reading:
    """A tailer that looked after each part was written."""
    found = Reading(family(directory))
    for part in parts:
        with (directory / "app.log").open("ab") as file:
            file.write(part)
        found.poll()
    return found


CONTENTS = {
    "nothing": ([b""], []),
    "no line break yet": ([b"unfinished"], []),
    "finished later": ([b"unfin", b"ish", b"ed\n"], [b"unfinished\n"]),
    "empty lines": ([b"\n\n", b"a\n\n"], [b"\n", b"\n", b"a\n", b"\n"]),
    "not UTF-8": ([b"\xff\xfe\x80 bytes\n"], [b"\xff\xfe\x80 bytes\n"]),
    "cut within a character": ([b"caf\xc3", b"\xa9\n"], [b"caf\xc3\xa9\n"]),
    "CRLF": ([b"a\r\nb\r\n"], [b"a\r\n", b"b\r\n"]),
    "progress bar": ([b"10%\r20%", b"\r30%\n"], [b"10%\r20%\r30%\n"]),
    "NULs first": ([b"\0" * 5000 + b"text\n"], [b"text\n"]),
    "NULs between lines": ([b"a\n" + b"\0" * 300_000 + b"b\n"], [b"a\n", b"b\n"]),
    "NULs within a line": ([b"a\0b\n"], [b"a\0b\n"]),
    "NULs at the end": ([b"a\n" + b"\0" * 100, b"b\n"], [b"a\n", b"b\n"]),
    "as long as a block": ([b"x" * (BLOCK - 1) + b"\n", b"y\n"], [b"x" * (BLOCK - 1) + b"\n", b"y\n"]),
    "a block of lines": ([b"1234567\n" * (BLOCK // 8), b"y\n"], [b"1234567\n"] * (BLOCK // 8) + [b"y\n"]),
    "longer than a block": ([b"x" * (BLOCK + 9) + b"\n", b"y\n"], [b"x" * BLOCK, b"y\n"]),
    "long and unfinished": ([b"a\n", b"x" * (BLOCK * 3), b"xxx", b"x\ny\n"], [b"a\n", b"x" * BLOCK, b"y\n"]),
}


def _lines(data: bytes) -> list[bytes]:
    """Lines end with a line feed alone."""
    return [part + b"\n" for part in data.split(b"\n")[:-1]] + (
        [data.rpartition(b"\n")[2]] if data[-1:] != b"\n" else []
    )


@pytest.mark.parametrize(("parts", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_lines(tmp_path: Path, parts: list[bytes], expected: list[bytes]) -> None:
    """A look after each part; what comes is whole, and stands where its piece says."""
    found = reading(tmp_path, *parts)
    data = b"".join(parts)

    assert [line for piece in found.pieces for line in _lines(piece.data)] == expected
    assert all(data[piece.offset :].startswith(piece.data) for piece in found.pieces)


@pytest.mark.parametrize(("parts", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_lines_over_restarts(tmp_path: Path, parts: list[bytes], expected: list[bytes]) -> None:
    """The same with another tailer for each look: nothing of a line is kept in memory."""
    found, lines = reading(tmp_path), []
    for part in parts:
        with (tmp_path / "app.log").open("ab") as file:
            file.write(part)
        found = found.restart()
        found.poll()
        lines += [line for piece in found.pieces for line in _lines(piece.data)]

    assert lines == expected


@settings(deadline=None, max_examples=times(40, 1000))
@given(st.lists(st.one_of(st.binary(max_size=40), st.integers(0, 300_000)), max_size=8), st.data())
def test_whatever_is_written_comes(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes | int], data: st.DataObject
) -> None:
    """Any bytes in any pieces: what was offered, put together, is the file without NULs before lines and long rests."""
    directory = tmp_path_factory.mktemp("log")
    written = [part if isinstance(part, bytes) else b"z" * part for part in parts]
    found = reading(directory, *written)
    found.tailer.close()
    whole = b"".join(written)
    expected = []
    for line in whole.split(b"\n")[:-1]:
        text = (line + b"\n").lstrip(b"\0")
        expected.append(text if len(text) <= BLOCK else text[:BLOCK])
    unfinished = whole.rpartition(b"\n")[2].lstrip(b"\0")
    expected += [unfinished[:BLOCK]] if len(unfinished) >= BLOCK else []

    assert b"".join(piece.data for piece in found.pieces) == b"".join(expected)


def test_r17_a_long_line_costs_no_memory(tmp_path: Path) -> None:
    """Of a line of many megabytes its beginning comes at once, the rest is passed over, also over a restart."""
    found = Reading(family(tmp_path))
    with (tmp_path / "app.log").open("wb") as file:
        file.write(b"before\n")
        for _ in range(times(12, 1024)):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    found.poll()
    found = found.restart()
    found.poll()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with (tmp_path / "app.log").open("ab") as file:
        file.write(b"end of the long line\nafter\n")
    found.poll()

    assert found.lines == [b"after\n"]
    assert peak < 2 << 20


def test_r17_a_hole_costs_nothing(tmp_path: Path) -> None:
    """A tebibyte that was never written: one jump, no reading."""
    hole = 1 << 40
    path = tmp_path / "app.log"
    path.write_bytes(b"before\n")
    found = Reading(family(tmp_path))
    found.poll()
    os.truncate(path, hole)
    found.poll()
    with path.open("r+b") as file:
        file.seek(hole)
        file.write(b"after\n")
    looks = 0
    while looks < 3 and len(found.lines) < 2:
        found.tailer.poll(found.families, found.take, 0.0)
        looks += 1

    assert found.lines == [b"before\n", b"after\n"]
    assert found.pieces[-1].offset == hole
    assert looks == 1
    again = found.restart()
    again.poll()
    assert again.lines == []


def test_r17_a_hole_within_a_line(tmp_path: Path) -> None:
    """The line is cut, what follows it comes."""
    path = tmp_path / "app.log"
    with path.open("wb") as file:
        file.write(b"begin")
        file.seek(1 << 40)
        file.write(b"end\nafter\n")
    found = Reading(family(tmp_path))
    found.poll()

    assert [piece.data[:8].rstrip(b"\0") for piece in found.pieces] == [b"begin", b"after\n"]


def test_room_that_is_reserved_is_not_passed_over(tmp_path: Path) -> None:
    """NULs at the end may be where text will be: a writer that reserves room writes over them."""
    path = tmp_path / "app.log"
    with path.open("wb", buffering=0) as file:
        file.write(b"first\n")
        os.posix_fallocate(file.fileno(), 0, 1 << 20)
        found = Reading(family(tmp_path))
        found.poll()
        file.write(b"second\n")
        found.poll()

    assert found.lines == [b"first\n", b"second\n"]


def test_an_entry_is_settled_after_a_second(tmp_path: Path) -> None:
    """Who waits for continuation lines is offered the last entry again, and once it is settled it is taken."""
    found = Reading(family(tmp_path))
    (tmp_path / "app.log").write_bytes(b"first\nlast\n")
    found.poll(0.0, found.take_settled)
    assert found.lines == [b"first\n"]
    found.poll(0.9, found.take_settled)
    assert found.lines == [b"first\n"]
    found.poll(0.2, found.take_settled)
    assert found.lines == [b"first\n", b"last\n"]
    found.poll(5.0)
    assert not found.pieces


def test_a_rolled_file_is_settled_at_once(tmp_path: Path) -> None:
    """Nothing comes to it any more, and what is in the new log is newer."""
    found = Reading(family(tmp_path))
    (tmp_path / "app.log").write_bytes(b"first\nlast\n")
    found.poll(0.0, found.take_settled)
    os.rename(tmp_path / "app.log", tmp_path / "app.log.0")
    (tmp_path / "app.log").write_bytes(b"new\nnewest\n")
    found.poll(0.0, found.take_settled)

    assert found.lines == [b"first\n", b"last\n", b"new\n"]


def test_an_entry_that_fills_a_piece_is_settled(tmp_path: Path) -> None:
    """Who takes nothing of a full piece would wait for ever."""
    found = Reading(family(tmp_path))
    (tmp_path / "app.log").write_bytes(b"one entry\n" * (BLOCK // 5) + b"last\n")
    sizes: list[tuple[int, bool]] = []

    def nothing_yet(piece: Piece) -> int:
        sizes.append((len(piece.data), piece.settled))
        return len(piece.data) if piece.settled else 0

    found.poll(0.0, nothing_yet)
    found.poll(1.5, nothing_yet)

    assert sum(size for size, settled in sizes if settled) == BLOCK // 5 * 10 + 5


def _raises(piece: Piece) -> int:
    raise ZeroDivisionError


def _takes_nothing(piece: Piece) -> int:
    return 0


@pytest.mark.parametrize("consume", [_raises, _takes_nothing], ids=["raises", "takes nothing"])
def test_what_was_not_taken_comes_again(tmp_path: Path, consume: Callable[[Piece], int]) -> None:
    """The tailer counts what the consumer says that it took."""
    found = Reading(family(tmp_path))
    (tmp_path / "app.log").write_bytes(b"a line\n")
    for _ in range(2):
        with suppress(ZeroDivisionError):
            found.poll(0.0, consume)
    assert not [key for key in found.tailer.positions() if "//" in key]
    found.poll()

    assert found.lines == [b"a line\n"]


def test_no_log_waits_for_another(tmp_path: Path) -> None:
    """A turn of a log is a mebibyte; then the others have theirs, and the tailer says that there is more."""
    logs = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.log").write_bytes(b"a line of sixteen\n" * 200_000)
        logs.append(family(tmp_path / name))
    found = Reading(*logs)
    turns = 0
    while turns == 0 or found.tailer.more:
        before = len(found.pieces)
        found.tailer.poll(logs, found.take, 0.0)
        new = found.pieces[before:]
        assert all(sum(len(piece.data) for piece in new if piece.path == log.path) <= TURN for log in logs)
        turns += 1

    assert turns == -(-200_000 * 18 // TURN)
    assert len(found.lines) == 400_000
