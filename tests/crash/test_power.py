"""R11: the power goes, and with it what was not synced. Nothing that was stored is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from posting import LONG

from crash.life import Points
from crash.power import OPTIONS, Call, Disk, calls
from crash.test_calls import begun, life, traced
from crash.test_kill import lived
from crash.truth import Account

__all__ = ["traced"]
TIMES = 10 if LONG else 1  # that the power goes after the same call
FEW = None if LONG else 40
FILES = ("", "/lock", "/state.db", "/state.db-wal")  # of the state; what is in -shm is gone with the power


def test_r11_the_power_goes(traced: None, memory: Path, record_property: pytest.RecordProperty) -> None:
    whole, out, chance = begun(memory / "whole"), memory / "calls", random.Random(11)
    paths = [*(f"state{name}" for name in FILES), "topic"]
    assert life(whole, "-o", str(out), *OPTIONS, paths=paths) == 0
    done = list(calls(out.read_text()))
    assert sum(call.name == "fdatasync" for call in done) > 10, "synchronous=FULL"
    moments = [*range(1, len(done))] * TIMES
    chosen = moments if FEW is None else chance.sample(moments, FEW)
    duplicates = 0
    for number, moment in enumerate(chosen):
        account = left(memory / str(number), whole, done[:moment], chance)
        account.died(0)
        assert set(account.unsure) <= just_told(done[:moment]), "a receipt that was stored is lost"
        assert lived(account, 1, Points()), f"after call {moment}"
        account.check()
        duplicates += account.duplicates
    record_property("R11", f"the power went {len(chosen)} times, 0 lost, 0 corrupt, {duplicates} told twice")


def just_told(done: list[Call]) -> set[str]:
    """Keys that the topic got last: their receipts are stored together, after that."""
    topic = [call for call in done if call.path.endswith("/topic")]
    begin = max((number for number, call in enumerate(topic) if call.name == "openat"), default=0)
    return {call.data.decode().split()[0] for call in topic[begin:] if call.name == "write"}


def left(directory: Path, whole: Account, done: list[Call], chance: random.Random) -> Account:
    """The directory as it is found when the power went after these calls. What the topic got, it has."""
    account = begun(directory)
    disk = Disk()
    for call in done:
        disk.do(call)
    found = disk.lost(chance)
    topic = "".join(call.data.decode() for call in done if call.path.endswith("/topic"))
    (directory / "topic").write_text(topic)
    (directory / "state").mkdir(exist_ok=True)
    for path, data in found.items():
        if "/state/" in path:
            (directory / Path(path).relative_to(whole.directory)).write_bytes(data)
    return account
