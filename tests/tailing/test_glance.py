"""That nothing changed is seen without reading; whatever changes is seen too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentdoctor.tailing import Family, Tailer

LINE = b"2026-11-22T20:00:00 INFO  [codedeploy-agent(21)]: x\n"


class Logs:
    """Two logs that were read to their ends, one of which was rolled and is still open; a third is not there."""

    def __init__(self, directory: Path) -> None:
        self.live, self.other = directory / "a.log", directory / "b.log"
        self.live.write_bytes(LINE)
        self.writer = self.live.open("ab", buffering=0)
        self.families = [Family("agent", str(directory), f"{name}.log", rf"{name}\.log\.\d") for name in "abc"]
        self.tailer, self.now = Tailer(), 0.0
        self.turn()
        self.live.rename(directory / "a.log.1")
        self.live.write_bytes(LINE)
        self.other.write_bytes(LINE)
        for _ in range(3):
            self.turn()

    def turn(self) -> None:
        """A look, two seconds after the last."""
        self.now += 2.0
        self.tailer.poll(self.families, lambda piece: len(piece.data), self.now)

    def close(self) -> None:
        self.writer.close()
        self.tailer.close()


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    logs = Logs(tmp_path)
    yield logs
    logs.close()


def appended(path: Path) -> None:
    with path.open("ab") as file:
        file.write(LINE)


CHANGES: dict[str, Callable[[Logs], object]] = {
    "a line": lambda logs: appended(logs.live),
    "a line in another log": lambda logs: appended(logs.other),
    "a line by the handle of the rolled file": lambda logs: logs.writer.write(LINE),
    "truncated": lambda logs: os.truncate(logs.live, 0),
    "written again, as long": lambda logs: logs.live.write_bytes(LINE),
    "another file under the name": lambda logs: logs.other.replace(logs.live),
    "deleted": lambda logs: logs.live.unlink(),
    "rolled": lambda logs: logs.live.rename(logs.live.with_name("a.log.2")),
    "one that was not there": lambda logs: logs.live.with_name("c.log").write_bytes(LINE),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_at_a_glance(logs: Logs, change: Callable[[Logs], object]) -> None:
    before = logs.tailer.glance()
    assert before is not None
    assert logs.tailer.glance() == before
    change(logs)

    assert logs.tailer.glance() != before
    logs.turn()


def test_what_waits_for_its_end_is_looked_at(logs: Logs) -> None:
    """The last entry counts as whole when the log did not grow for a second, so there is more to do than to wait."""
    appended(logs.live)
    logs.tailer.poll(logs.families, lambda _: 0, logs.now + 0.1)

    assert logs.tailer.glance() is None
