"""The promise that matters, against random histories of a writer, a rotator and a killer.

Every complete line is delivered once in a process's life, at least once over a crash, in order within a file. A line is
excused when its last copy was destroyed before anybody could have read it; everything else counts.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from .conftest import times
from .world import HEADER, Reading, World, family

HEADERS = (b"", HEADER, HEADER + b"banner " * 300 + b"\n")


class Logs(RuleBasedStateMachine):
    """Writer, rotator and killer against one tailer at a time."""

    @initialize(header=st.sampled_from(HEADERS))
    def begin(self, header: bytes) -> None:
        self.world = World(Path(tempfile.mkdtemp(prefix="tailing-")), header)
        self.reading = Reading(family(self.world.directory))
        self.stored: dict[str, str] = {}
        self.stored_lines: set[bytes] = set()
        self.before: set[bytes] = set()  # taken by those that were killed
        self.final: set[bytes] = set()  # what the state says was taken by them
        self.excused: set[bytes] = set()
        self.poll(0.0, True)

    def _destroyed(self) -> None:
        """Excuse what is nowhere any more and was not read."""
        reachable = self.world.reachable()
        taken = self.before | set(self.reading.lines)
        self.excused |= {line for line in self.world.written if line not in reachable and line not in taken}

    @rule(later=st.sampled_from([0.0, 0.3, 1.1]), everything=st.booleans())
    def poll(self, later: float, everything: bool) -> None:
        self.reading.poll(later, self.reading.take if everything else self.reading.take_settled)

    @rule(count=st.integers(1, 4), size=st.sampled_from([30, 90, 700, 5000]))
    def write(self, count: int, size: int) -> None:
        self.world.write(count, size)

    @rule()
    def write_partial(self) -> None:
        self.world.write_partial()

    @precondition(lambda self: self.world.old)
    @rule(data=st.data())
    def write_late(self, data: st.DataObject) -> None:
        self.world.write(1, 40, data.draw(st.sampled_from(self.world.old)))
        self._destroyed()

    @rule(keep=st.integers(1, 4))
    def rename(self, keep: int) -> None:
        self.world.rename(keep)
        self._destroyed()

    @rule(polls=st.sets(st.sampled_from(["half a copy", "copied", "truncated"])), marked=st.booleans())
    def copy_truncate(self, polls: set[str], marked: bool) -> None:
        self.world.copy_truncate(lambda step: self.poll(0.0, True) if step in polls else None, marked)
        self._destroyed()

    @rule()
    def delete(self) -> None:
        self.world.delete()
        self._destroyed()

    @rule(count=st.integers(0, 4))
    def rewrite(self, count: int) -> None:
        """Truncated without a copy, then shorter, longer or as long."""
        self.world.truncate()
        self._destroyed()
        self.world.write(count)

    @rule()
    def remove_oldest(self) -> None:
        self.world.remove_oldest()
        self._destroyed()

    @rule()
    def replace_directory(self) -> None:
        self.world.replace_directory()
        self._destroyed()

    @rule()
    def store(self) -> None:
        self.stored = self.reading.tailer.positions()
        self.stored_lines = self.final | set(self.reading.lines)

    @rule()
    def kill(self) -> None:
        self._check()
        self.before |= set(self.reading.lines)
        self.final = self.stored_lines
        self.reading.tailer.close()
        self.reading = Reading(family(self.world.directory), positions=self.stored)
        self._destroyed()

    def _check(self) -> None:
        own = [line for line in self.reading.lines if line not in self.world.header]
        assert len(own) == len(set(own)), "a line came twice"
        assert not self.final & set(own), "a line came again although it was stored that it had come"
        assert set(own) <= set(self.world.written), "what came was never written like that"
        by_file: dict[bytes, list[int]] = {}
        for line in own:
            words = line[line.index(b"line ") :].split()
            by_file.setdefault(words[1], []).append(int(words[2]))
        # a late writer's lines bear the newest file's number, but stand in another file
        assert all(numbers == sorted(numbers) for numbers in by_file.values()) or self.world.old, "not in order"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.reading.rest()
            self._check()
            taken = self.before | set(self.reading.lines)
            missing = [line[:60] for line in self.world.written if line not in taken | self.excused]
            assert not missing
        finally:
            self.reading.tailer.close()
            self.world.close()


def test_r4_every_line_once() -> None:
    """Random histories: nothing is lost and nothing comes twice."""
    run_state_machine_as_test(
        Logs,
        settings=settings(
            max_examples=times(100, 10_000),
            stateful_step_count=times(30, 50),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
