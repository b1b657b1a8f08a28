"""A log in a directory with its writer, all ways to roll it, and a tailer whose every line is counted."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from agentdoctor.tailing import Family, Gap, Piece, Refused, Start, Tailer
from agentdoctor.tailing.model import Notice

ARCHIVES = r"app\.log\.\d+|app\.\d+\.log"
HEADER = b"# Logfile created on 2026-11-25 10:00:00 +0000 by logger.rb/v1.4.3\n"


def family(directory: Path | str, public: bool = False) -> Family:
    """The log that most tests follow."""
    return Family("agent", str(directory), "app.log", ARCHIVES, public)


class Reading:
    """A tailer and what it offered: ``lines`` in the order of their arrival, ``pieces`` as they came."""

    def __init__(self, *families: Family, positions: dict[str, str] | None = None) -> None:
        self.families = families
        self.tailer = Tailer(positions)
        self.lines: list[bytes] = []
        self.pieces: list[Piece] = []
        self.notices: list[Notice] = []
        self.now = 0.0

    def take(self, piece: Piece) -> int:
        """A consumer that takes everything."""
        self.pieces.append(piece)
        self.lines += piece.data.splitlines(keepends=True)
        return len(piece.data)

    def take_settled(self, piece: Piece) -> int:
        """A consumer for which the last line may go on, as an entry with continuation lines may."""
        last = len(piece.data) if piece.settled else piece.data.rfind(b"\n", 0, len(piece.data) - 1) + 1
        self.lines += piece.data[:last].splitlines(keepends=True)
        return last

    def poll(self, later: float = 0.0, take: Callable[[Piece], int] | None = None, start: Start = "beginning") -> None:
        """Look once, and again while there is more."""
        self.now += later
        for _ in range(10_000):
            self.notices += self.tailer.poll(self.families, take or self.take, self.now, start)
            if not self.tailer.more:
                return
        raise AssertionError("there is always more")

    def rest(self) -> list[bytes]:
        """Look often and for long, so that nothing is left. Returns all lines."""
        for _ in range(25):
            self.poll(2.0)
        return self.lines

    def restart(self) -> Reading:
        """Another tailer that begins where this one stored that it was."""
        positions = self.tailer.positions()
        self.tailer.close()
        return Reading(*self.families, positions=positions)

    def gaps(self) -> list[Gap]:
        return [each for each in self.notices if isinstance(each, Gap)]

    def refused(self) -> list[str]:
        return [each.reason for each in self.notices if isinstance(each, Refused)]


def open_for_reading(directory: Path) -> set[str]:
    """The files of a directory that this process has open for reading only, deleted ones too, as paths to open."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
            flags = fcntl.fcntl(int(name), fcntl.F_GETFL)
        except OSError:
            continue
        if (
            str(directory) in target
            and flags & os.O_ACCMODE == os.O_RDONLY
            and not os.path.isdir(f"/proc/self/fd/{name}")
        ):
            found.add(f"/proc/self/fd/{name}")
    return found


class World:
    """A writer and a rotator. Every line that it writes is another one, except for headers."""

    def __init__(self, directory: Path, header: bytes = b"") -> None:
        self.top, self.directory, self.header = directory, directory / "log", header
        self.directory.mkdir(parents=True, exist_ok=True)
        self.path = self.directory / "app.log"
        self.written: list[bytes] = []
        self.old: list[int] = []
        self.count = self.rolls = self.file = 0
        self.partial: dict[int, bytes] = {}
        self.descriptor = self._create()

    def _create(self) -> int:
        self.file += 1
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(descriptor, self.header)
        return descriptor

    def line(self, size: int = 40) -> bytes:
        """A new line of about that size; its second word is the file, its third the number."""
        self.count += 1
        text = b"line %d %d " % (self.file, self.count)
        return (text + b"%d " % self.count * size)[: max(len(text), size - 1)] + b"\n"

    def write(self, count: int = 1, size: int = 40, to: int | None = None) -> None:
        descriptor = self.descriptor if to is None else to
        for _ in range(count):
            line = self.line(size)
            os.write(descriptor, line)
            self.written.append(self.partial.pop(descriptor, b"") + line)

    def write_partial(self) -> None:
        """The beginning of a line, which the next write ends."""
        os.write(self.descriptor, b"part ")
        self.partial[self.descriptor] = self.partial.get(self.descriptor, b"") + b"part "

    def reopen(self) -> None:
        """Go on in a new file; whoever still has the old one may go on there."""
        self.old.append(self.descriptor)
        self.descriptor = self._create()

    def rename(self, keep: int = 3) -> None:
        """As Ruby's Logger: app.log to app.log.0, that to app.log.1, the last one is overwritten."""
        for number in range(keep - 2, -1, -1):
            if os.path.exists(f"{self.path}.{number}"):
                os.rename(f"{self.path}.{number}", f"{self.path}.{number + 1}")
        os.rename(self.path, f"{self.path}.0")
        self.reopen()

    def copy_truncate(self, between: Callable[[str], None] = lambda _: None, marked: bool = True) -> None:
        """As Ruby's logging gem: to app.log._copy_, truncate, rename that. ``between`` is called after each step."""
        self.rolls += 1
        final = self.directory / f"app.{self.rolls:03}.log"
        copy = self.directory / "app.log._copy_" if marked else final
        content = self.path.read_bytes()
        with open(copy, "wb", buffering=0) as file:
            file.write(content[: len(content) // 2])
            between("half a copy")
            file.write(content[len(content) // 2 :])
        between("copied")
        self.truncate()
        between("truncated")
        if marked:
            os.rename(copy, final)

    def truncate(self) -> None:
        os.truncate(self.path, 0)
        self.partial.pop(self.descriptor, None)
        self.file += 1
        os.write(self.descriptor, self.header)

    def delete(self) -> None:
        """Delete the log; the writer makes a new one."""
        os.unlink(self.path)
        self.reopen()

    def replace_directory(self) -> None:
        """Somebody moves the whole directory away and makes it anew."""
        self.rolls += 1
        os.rename(self.directory, self.top / f"away.{self.rolls}")
        self.directory.mkdir(parents=True, exist_ok=True)
        self.reopen()

    def remove_oldest(self) -> None:
        rolled = sorted(self.directory.glob("app.*.log")) or sorted(self.directory.glob("app.log.*"))[::-1]
        if rolled:
            os.unlink(rolled[0])

    def reachable(self) -> Counter[bytes]:
        """The lines that are somewhere: under a name of the log, or in a file that the tailer has open."""
        paths = {str(path) for path in self.directory.glob("app*")} | open_for_reading(self.top)
        found: Counter[bytes] = Counter()
        for path in paths:
            found |= Counter(Path(path).read_bytes().splitlines(keepends=True))
        return found

    def close(self) -> None:
        for descriptor in {self.descriptor, *self.old}:
            os.close(descriptor)
        shutil.rmtree(self.top, ignore_errors=True)
