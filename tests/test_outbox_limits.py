"""What limits hold back is counted and told: the rate of a host, the size of the outbox. Nothing vanishes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from posting import LONG, START, drain, failed, keys, letter

from agentdoctor import outbox as module
from agentdoctor.outbox import Answer, Letter, Outbox


def flood(outbox: Outbox, number: int, at: float = START, prefix: str = "f") -> None:
    for each in range(number):
        outbox.add(letter(f"{prefix}{each}", finding=f"{prefix}/{each}", at=at), at)


def digests(letters: list[Letter]) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in letters if each.event == "digest"]


def later(outbox: Outbox, now: float) -> list[Letter]:
    outbox.tick(now)
    return drain(outbox, now)


def test_ten_at_once_and_the_rest_by_counts() -> None:
    outbox = Outbox(now=START)
    flood(outbox, 10_000)
    at_once = later(outbox, START)
    (told,) = digests(later(outbox, START + 301))

    assert keys_of(at_once) == [f"f{number}" for number in range(10)]
    assert (told["count"], told["why"], told["counts"]) == (9990, {"rate": 9990}, {"f": {"opened": 9990}})
    assert (told["first_at"], told["last_at"], told["severity"]) == (START, START, "critical")
    assert len(told["letters"]) == 50
    assert told["letters"][0] == {"rule": "f", "event": "opened", "fingerprint": "f/10", "created_at": START}


def keys_of(letters: list[Letter]) -> list[str]:
    return [each.key for each in letters]


def test_one_digest_an_hour_and_ten_letters() -> None:
    """A host that never stops: a flood each minute for half a day."""
    outbox = Outbox(now=START)
    told: list[Letter] = []
    for minute in range(720):
        now = START + 60.0 * minute
        flood(outbox, 20, now, f"m{minute}-")
        told += later(outbox, now)
    told += later(outbox, START + 13 * 3600.0)

    assert sum(each.event == "opened" for each in told) == 10 + 719 // 6
    assert len(digests(told)) == 13
    assert len(told) - len(digests(told)) + sum(each["count"] for each in digests(told)) == 720 * 20


def test_an_end_may_go_where_its_beginning_went() -> None:
    """The limit is used up by beginnings; who was alarmed hears that it is over."""
    outbox = Outbox(now=START)
    flood(outbox, 15)
    told = later(outbox, START)
    for each in range(15):
        outbox.add(letter(f"r{each}", "recovered", f"f/{each}"), START + 1)
    ended = later(outbox, START + 1)
    (rest,) = digests(later(outbox, START + 301))

    assert keys_of(told) == [f"f{number}" for number in range(10)]
    assert keys_of(ended) == [f"r{number}" for number in range(10)]
    assert rest["counts"] == {"f": {"opened": 5, "recovered": 5}}


def test_one_end_for_each_beginning() -> None:
    """Ends of what is over already are as limited as beginnings."""
    outbox = Outbox(now=START)
    flood(outbox, 10)
    for each in range(5):
        outbox.add(letter(f"r{each}", "recovered", "f/0"), START)

    assert outbox.totals["folded"] == 4


def test_tests_are_not_limited() -> None:
    outbox = Outbox(now=START)
    for number in range(30):
        outbox.add(letter(f"t{number}", "test", f"test/{number}"), START)

    assert len(drain(outbox, START)) == 30


def test_a_digest_says_the_same_however_often_it_is_tried() -> None:
    """It is closed before it goes; what comes after that is counted in the next one."""
    outbox = Outbox(now=START)
    flood(outbox, 12)
    later(outbox, START)
    outbox.tick(START + 301)
    (row,) = outbox.take(START + 301)
    flood(outbox, 30, START + 302, "g")
    outbox.tick(START + 302)
    failed(outbox, START + 302, row.letter.key)
    (again,) = [each for each in later(outbox, START + 310) if each.event == "digest"]
    (second,) = digests(later(outbox, START + 2 * 3600))

    assert (again.key, again.body) == (row.letter.key, row.letter.body)
    assert second["count"] == 30 - second_alone(outbox)


def second_alone(outbox: Outbox) -> int:
    """How many of the second flood went by themselves."""
    return sum(row.letter.key.startswith("g") for row in outbox.ledger.rows.values())


def test_more_rows_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats are folded first, then the oldest; first and last of a finding stay while they can."""
    monkeypatch.setattr(module, "ROWS_MOST", 100)
    outbox = Outbox(now=START)
    for number in range(97):
        now = START + 3600.0 * number
        event = "recovered" if number % 2 else "opened"
        outbox.add(letter(f"k{number}", event, "flapping", now), now)
    for number in range(4):
        outbox.add(letter(f"one{number}", finding=f"one/{number}", at=now), now)
    left = keys([row for row in outbox.ledger.rows.values() if row.status == "waiting"])
    (told,) = digests(later(outbox, now + 3600))

    assert {"k0", "k96", "one0", "one1", "one2", "one3"} <= set(left)
    assert told["why"] == {"bounds": 101 - len(left)}
    assert len(left) == 90


def test_more_bytes_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest that waits is counted into the next one, and its counts are not lost."""
    monkeypatch.setattr(module, "BYTES_MOST", 50_000)
    outbox = Outbox(now=START)
    total = 200
    for number in range(total):
        now = START + 3600.0 * number
        outbox.add(letter(f"k{number}", finding=f"f/{number}", at=now, body="x" * 4000), now)
        outbox.tick(now)
        assert outbox.ledger.bytes < 60_000
    told = later(outbox, now + 3600) + later(outbox, now + 2 * 3600)

    assert sum(each["count"] for each in digests(told)) + sum(each.event == "opened" for each in told) == total
    assert "k0" not in keys_of(told)


KEYS = st.integers(0, 5).map(lambda number: f"finding/{number}")


class Telling(RuleBasedStateMachine):
    """Whatever happens, each letter that came is told once, in order of its finding, or counted in what is told."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.outbox = Outbox(now=self.now)
        self.came: dict[str, str] = {}  # key -> finding
        self.open: set[str] = set()
        self.told: list[Letter] = []
        self.flying: list[str] = []

    @rule(finding=KEYS, spread=st.sampled_from([0.0, 30.0, 900.0]))
    def change(self, finding: str, spread: float) -> None:
        """The finding opens, or ends."""
        event = "recovered" if finding in self.open else "opened"
        self.open ^= {finding}
        key = f"k{len(self.came)}"
        self.came[key] = finding
        self.outbox.add(letter(key, event, finding, self.now, spread=spread), self.now)

    @rule(seconds=st.sampled_from([0.5, 5.0, 300.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.outbox.tick(self.now)

    @rule(room=st.integers(1, 5))
    def take(self, room: int) -> None:
        rows = self.outbox.take(self.now, room)
        findings = [row.letter.fingerprint for row in rows]
        assert len(set(findings)) == len(findings), "one of each finding at a time"
        self.flying += [key for key in keys(rows) if key not in self.flying]

    @rule(kind=st.sampled_from(["", "", "retry", "hold", "poison"]), chance=st.floats(0, 1), data=st.data())
    def answer(self, kind: str, chance: float, data: st.DataObject) -> None:
        if not self.flying:
            return
        key = data.draw(st.sampled_from(self.flying))
        self.flying.remove(key)
        if not kind:
            self.told.append(self.outbox.ledger.rows[key].letter)
        answer = Answer(key, "" if kind else f"id-{key}", kind, "Code", "why")
        self.outbox.answer(answer, self.now, chance)

    @rule()
    def crash(self) -> None:
        """All was saved; what is in flight is not known any more."""
        self.outbox.tick(self.now)
        rows = list(self.outbox.ledger.rows.values())
        self.outbox = Outbox(rows, self.outbox.facts(), self.now)
        self.flying = []

    @invariant()
    def nothing_is_lost(self) -> None:
        rows = self.outbox.ledger.rows.values()
        alone = sum(row.letter.event != "digest" for row in rows)
        totals = self.outbox.totals
        assert alone + totals["folded"] + totals["cancelled"] == len(self.came)

    @invariant()
    def each_once_and_in_order(self) -> None:
        by_finding: dict[str, list[int]] = {}
        for each in self.told:
            if each.event != "digest":
                by_finding.setdefault(each.fingerprint, []).append(int(each.key[1:]))
        for numbers in by_finding.values():
            assert numbers == sorted(set(numbers))

    def teardown(self) -> None:
        """The topic is well from now on: all goes, and the digests count what did not go by itself."""
        for _ in range(6):
            self.now += 4000.0
            self.outbox.tick(self.now)
            self.told += drain(self.outbox, self.now)
        counted = Counter(row.status for row in self.outbox.ledger.rows.values())
        alone = sum(each.event != "digest" for each in self.told)
        parked = [row for row in self.outbox.ledger.rows.values() if row.status == "parked"]
        assert set(counted) <= {"sent", "parked"}
        assert (
            sum(each["count"] for each in digests(self.told))
            + sum(json.loads(row.letter.body)["count"] for row in parked if row.letter.event == "digest")
            == self.outbox.totals["folded"]
        )
        assert alone + self.outbox.totals["folded"] + self.outbox.totals["cancelled"] + sum(
            row.letter.event != "digest" for row in parked
        ) == len(self.came)


Telling.TestCase.settings = settings(max_examples=5000 if LONG else 60, stateful_step_count=50, deadline=None)
TestTelling = Telling.TestCase
