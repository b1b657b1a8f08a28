"""All logs of a host, followed in turns."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence

from agentdoctor.tailing.files import Signature, glance
from agentdoctor.tailing.log import Log
from agentdoctor.tailing.model import Consume, Family, Lag, Notice, Start

_FOLLOWED = '{"version":1}'


class Tailer:
    """Reads what is new in families of logs and remembers how far.

    Every complete line is taken once in the life of a Tailer, in order within a file. ``positions`` is what an earlier
    one said after its last look; what was taken and not stored is offered again.
    ``more``: the last look did not reach the end everywhere, so the next should follow at once.
    """

    def __init__(self, positions: Mapping[str, str] | None = None) -> None:
        self._stored = dict(positions or {})
        self._logs: dict[Family, Log] = {}
        self.more = False

    def poll(
        self, families: Sequence[Family], consume: Consume, now: float, start: Start = "beginning"
    ) -> list[Notice]:
        """Look once at each family; ``now`` in monotonic seconds. Returns what there is to say, each thing once.

        ``start``: where to begin in files of a family that nobody has followed yet. What comes to a family after its
        first look is read from the beginning.
        """
        if len(self._logs) > len(families) or not all(family in self._logs for family in families):
            self._follow(families)
        notices: list[Notice] = []
        self.more = False
        for family in families:
            log = self._logs[family]
            notices += log.poll(consume, now, start)
            self.more = self.more or log.more
        return notices

    def glance(self) -> tuple[Signature | int, ...] | None:
        """What the kernel says of all files; None while there is more to do than to wait for a change.

        Two that are equal show that nothing happened in between, but for what a file system does not tell: that a file
        was written again to the same size in the same moment. So now and then ``poll`` has to look all the same.
        """
        logs = self._logs.values()
        if not all(log.calm() for log in logs):
            return None
        places: list[str | int] = [log.family.path for log in logs]
        places += [file.descriptor for log in logs for file in log.files.values() if file is not log.live]
        return tuple(map(glance, places))

    def _follow(self, families: Sequence[Family]) -> None:
        """Open new families; let go of those that nobody asks for. Of these the rows stay as long as the directory."""
        for family in [each for each in self._logs if each not in families]:
            log = self._logs.pop(family)
            log.close()
            self._stored |= _rows(log)
        for family in families:
            if family not in self._logs:
                key = _key(family)
                known = self._stored.pop(key, None) is not None
                rows = {number: self._stored.pop(f"{key}//{number}") for number in _numbers(key, self._stored)}
                self._logs[family] = Log(family, rows, known)
        self._stored = {name: row for name, row in self._stored.items() if os.path.isdir(_directory(name))}

    def positions(self) -> dict[str, str]:
        """How far everything is read: texts by key, to be stored after what was offered."""
        rows = dict(self._stored)
        for log in self._logs.values():
            rows |= _rows(log)
        return rows

    def refused(self) -> dict[str, str]:
        """Why files are not read now, by path."""
        return {path: why for log in self._logs.values() for path, why in log.refused.items()}

    def lag(self) -> dict[str, Lag]:
        """How far each live log is read, and each rolled file that is not read to its end, by path."""
        return {path: lag for log in self._logs.values() for path, lag in log.lag()}

    def close(self) -> None:
        """Close all files."""
        for log in self._logs.values():
            log.close()


def _key(family: Family) -> str:
    """A path may hold bytes that are no text; a database takes text alone."""
    return family.path.encode("utf-8", "surrogateescape").decode("latin-1")


# The row of a generation is named by its log and its number, apart from each other as no two parts of a path are.
_NUMBERED = re.compile(r"(.*)//([1-9][0-9]{0,17})", re.DOTALL)


def _numbers(key: str, names: Iterable[str]) -> list[int]:
    """Of the generations that belong to a log."""
    found = map(_NUMBERED.fullmatch, names)
    return [int(each[2]) for each in found if each is not None and each[1] == key]


def _directory(name: str) -> str:
    """Where the log lies that a row belongs to."""
    numbered = _NUMBERED.fullmatch(name)
    path = numbered[1] if numbered else name
    return os.path.dirname(path.encode("latin-1", "replace").decode("utf-8", "surrogateescape"))


def _rows(log: Log) -> dict[str, str]:
    key = _key(log.family)
    rows = {f"{key}//{number}": row for number, row in log.table.rows().items()}
    return {key: _FOLLOWED, **rows} if log.known else rows
