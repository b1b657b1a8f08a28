"""R9: killed at any point, a service loses no finding and no alert, and tells nothing twice that it had recorded."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from posting import LONG, START

from crash.life import Points, arm, live
from crash.truth import Account, script

LINES = 16
KILLS = 800 if LONG else 15  # of each kind
TURNS = 3600.0  # seconds that lie between two lives


def born(directory: Path, now: float, points: Points) -> int:
    """The process of a life; at its end it writes how many points it passed."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            arm(points)
            status = live(directory, now, points)
            (directory / "points").write_text(str(points.count))
        finally:
            os._exit(status)
    return child


def lived(account: Account, number: int, points: Points, after: float | None = None) -> bool:
    """One life, ended from outside after some seconds or by its own hand; whether it reached its end."""
    before = len(account.arrived())
    child = born(account.directory, START + number * TURNS, points)
    if after is not None:
        with open(os.pidfd_open(child)) as ended:
            select.select([ended], [], [], after)  # the moment of the kill is the thing that is tried
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), "3: the state could not be used as it was left"
    if status:
        account.died(before)
    return status == 0


def total(directory: Path, fine: bool) -> tuple[int, float]:
    """How many points a life has that nothing ends, and how long it lasts."""
    account = begun(directory, random.Random(1))
    began = time.monotonic()
    assert lived(account, 0, Points(fine=fine))
    account.check()
    assert account.duplicates == 0
    return int((directory / "points").read_text()), time.monotonic() - began


def begun(directory: Path, chance: random.Random) -> Account:
    directory.mkdir()
    (directory / "log").write_text(script(chance, LINES))
    return Account(directory)


def many(memory: Path, kill: Callable[[Account, int], bool], record: pytest.RecordProperty, name: str) -> None:
    """Histories of lives, until so many were killed; each goes on to its end and is then held against the truth."""
    chance, kills, duplicates, histories = random.Random(9), 0, 0, 0
    while kills < KILLS:
        account, number, histories = begun(memory / str(histories), chance), 0, histories + 1
        while number < 8 and not kill(account, number):
            number += 1
        assert lived(account, number + 1, Points())
        account.check()
        assert account.duplicates <= sum(account.unsure.values())
        kills, duplicates = kills + account.kills, duplicates + account.duplicates
    line = f"{name}: {kills} kills in {histories} histories, 0 lost, {duplicates} told twice, all of them unrecorded"
    record("kills", line)
    print(line)


@pytest.mark.parametrize("fine", [False, True], ids=["around calls", "within statements"])
def test_r9_killed_by_its_own_hand(fine: bool, memory: Path, record_property: pytest.RecordProperty) -> None:
    """At a point that is chosen by chance among all that a life has."""
    points, _ = total(memory / "whole", fine)
    chance = random.Random(points)

    def kill(account: Account, number: int) -> bool:
        return lived(account, number, Points(chance.randint(1, points), fine))

    many(memory, kill, record_property, f"{points} points")


def test_r9_killed_at_any_time(memory: Path, record_property: pytest.RecordProperty) -> None:
    """From outside, also amidst a system call."""
    seconds = min(total(memory / f"whole{number}", fine=False)[1] for number in range(4))  # the first is slower
    chance = random.Random(2)

    def kill(account: Account, number: int) -> bool:
        return lived(account, number, Points(), chance.uniform(0.0, seconds))

    many(memory, kill, record_property, f"within {seconds:.3f} s")


def test_r9_killed_once_at_every_point_around_calls(memory: Path) -> None:
    """Not by chance but one after the other, and then once more while the next life cleans up after it."""
    points, _ = total(memory / "whole", fine=False)
    for last in range(1, points + 1, 1 if LONG else 40):
        account = begun(memory / str(last), random.Random(1))
        assert not lived(account, 0, Points(last))
        lived(account, 1, Points(1 + last % 40))
        assert lived(account, 2, Points())
        account.check()
