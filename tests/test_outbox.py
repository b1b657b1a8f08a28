"""The outbox: what goes when, in which order, and what becomes of what cannot go."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from posting import START, drain, failed, keys, letter, sent

from agentdoctor.outbox import Outbox, is_late
from agentdoctor.outbox.pacing import backoff, slot, spread

SPREADS = {"one host": (1, 30.0), "fifty": (50, 30.0), "a thousand": (1_000, 600.0), "ten thousand": (10_000, 900.0)}


@pytest.mark.parametrize(("hosts", "seconds"), SPREADS.values(), ids=SPREADS)
def test_a_fleet_spreads_by_its_size(hosts: int, seconds: float) -> None:
    assert spread(hosts) == seconds


def test_a_slot_is_of_host_and_rule_and_lies_within() -> None:
    slots = {slot(f"i-{host}", rule, 900.0) for host in range(500) for rule in ("a", "b")}

    assert len(slots) == 1000
    assert 0 <= min(slots) < 10
    assert 890 < max(slots) < 900
    assert slot("i-1", "a", 900.0) == slot("i-1", "a", 900.0)
    assert slot("i-1", "a", 0.0) == 0.0


# kind, failures in a row -> least wait, longest wait
WAITS = {
    "the first": ("retry", 1, 0.0, 2.0),
    "the third": ("retry", 3, 0.0, 8.0),
    "the ninth": ("retry", 9, 0.0, 512.0),
    "the tenth": ("retry", 10, 0.0, 900.0),
    "after a week": ("retry", 100_000, 0.0, 900.0),
    "a kind nobody knows": ("odd", 1, 0.0, 2.0),
    "held": ("hold", 1, 300.0, 600.0),
    "held again": ("hold", 3, 300.0, 2400.0),
    "held for long": ("hold", 100_000, 300.0, 3600.0),
}


@pytest.mark.parametrize(("kind", "failures", "least", "most"), WAITS.values(), ids=WAITS)
def test_back_off(kind: str, failures: int, least: float, most: float) -> None:
    assert (backoff(kind, failures, 0.0), backoff(kind, failures, 1.0)) == (least, most)


def test_one_finding_in_order_and_others_beside_it() -> None:
    """One in flight for each finding; the next goes when the one before has arrived."""
    outbox = Outbox(now=START)
    for key, event, finding in [("a1", "opened", "a"), ("a2", "escalated", "a"), ("b1", "opened", "b")]:
        outbox.add(letter(key, event, finding), START)

    assert keys(outbox.take(START)) == ["a1", "b1"]
    assert keys(outbox.take(START)) == []
    sent(outbox, START, "a1")
    assert keys(outbox.take(START)) == ["a2"]


def test_no_more_in_flight_than_there_is_room_for() -> None:
    outbox = Outbox(now=START)
    for number in range(5):
        outbox.add(letter(f"k{number}", finding=f"f{number}"), START)

    assert keys(outbox.take(START, room=2)) == ["k0", "k1"]
    assert keys(outbox.take(START, room=2)) == []
    sent(outbox, START, "k1")
    assert keys(outbox.take(START, room=2)) == ["k2"]


MIDDLE = next(f"i-{number}" for number in range(99) if 300 < slot(f"i-{number}", "a", 900.0) < 600)  # its slot
# what came, and how long after the first -> what is told at last
IN_THE_SLOT = {
    "an end within the slot": ([("o", "opened", "a", 0), ("r", "recovered", "a", 1)], []),
    "one that was worse meanwhile": (
        [("o", "opened", "a", 0), ("e", "escalated", "a", 1), ("r", "recovered", "a", 2)],
        [],
    ),
    "an end after the slot": ([("o", "opened", "a", 0), ("r", "recovered", "a", 1e3)], ["o", "r"]),
    "an end of another finding": ([("o", "opened", "a", 0), ("r", "recovered", "a/2", 1)], ["o", "r"]),
    "an end of what was told before": (
        [("o", "opened", "a", -1e4), ("r", "recovered", "a", 0), ("o2", "opened", "a", 1), ("r2", "recovered", "a", 2)],
        ["o", "r"],
    ),
    "once more": (
        [("o", "opened", "a", 0), ("r", "recovered", "a", 1), ("o2", "opened", "a", 2)],
        ["o2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("came", "told"), IN_THE_SLOT.values(), ids=IN_THE_SLOT)
def test_what_ends_before_its_slot_is_not_told(came: Sequence[tuple[str, str, str, float]], told: list[str]) -> None:
    outbox = Outbox(now=START - 1e5)
    for key, event, finding, after in came:
        now = START + after
        outbox.add(letter(key, event, finding, now, spread=900.0, instance_id=MIDDLE), now)

    assert [each.key for each in drain(outbox, START + 1e4)] == told
    assert outbox.totals["cancelled"] == len(came) - len(told)


def test_what_was_tried_once_is_not_taken_back() -> None:
    """It may have arrived although the answer was lost, and the clock may have been set back since."""
    outbox = Outbox(now=START)
    outbox.add(letter("o", at=START, spread=900.0), START)
    outbox.take(START + 900)
    failed(outbox, START + 900, "o")
    again = Outbox(outbox.ledger.unsaved()[0], outbox.facts(), START - 1e6)
    again.add(letter("r", "recovered"), START - 1e6)

    assert [each.key for each in drain(again, START)] == ["o", "r"]


def test_a_key_that_is_known_is_not_told_again() -> None:
    outbox = Outbox(now=START)
    outbox.add(letter("k"), START)
    drain(outbox, START)
    outbox.add(letter("k"), START + 6 * 86400)

    assert drain(outbox, START + 6 * 86400) == []


def test_what_was_told_is_forgotten_after_a_week() -> None:
    outbox = Outbox(now=START)
    outbox.add(letter("sent"), START)
    drain(outbox, START)
    outbox.add(letter("waits", finding="other"), START)
    outbox.tick(START + 6.9 * 86400)
    kept = list(outbox.ledger.rows)
    outbox.tick(START + 7.1 * 86400)

    assert (kept, list(outbox.ledger.rows)) == (["sent", "waits"], ["waits"])


def test_while_the_path_fails_one_letter_tries_it() -> None:
    """And when one has arrived, nobody waits any longer."""
    outbox = Outbox(now=START)
    for number in range(5):
        outbox.add(letter(f"k{number}", finding=f"f{number}"), START)
    for key in keys(outbox.take(START)):
        failed(outbox, START, key)
    assert outbox.path is not None
    then = outbox.path.next_at

    assert outbox.path.failures == 5
    assert outbox.take(then - 0.1) == []
    (row,) = outbox.take(then)
    assert outbox.take(then) == []
    sent(outbox, then, row.letter.key)
    assert outbox.path is None
    assert len(outbox.take(then)) == 4


def test_a_letter_that_always_fails_keeps_no_other_back() -> None:
    outbox = Outbox(now=START)
    outbox.add(letter("bad", finding="bad"), START)
    for number in range(9):
        outbox.add(letter(f"k{number}", finding=f"f{number}"), START)
    out = []
    for second in range(60):
        for row in outbox.take(START + second, room=1):
            if row.letter.key == "bad":
                failed(outbox, START + second, "bad")
            else:
                out.append(row.letter.key)
                sent(outbox, START + second, row.letter.key)

    assert sorted(out) == [f"k{number}" for number in range(9)]


# answers in turn -> whether a person must act, then and a quarter of an hour later
BROKEN = {
    "not authorised": (["hold"], True, True),
    "throttled": (["retry"], False, True),
    "throttled, then the topic is gone": (["retry", "hold"], True, True),
    "refused in this form": (["poison"], False, False),
}


@pytest.mark.parametrize(("kinds", "now", "later"), BROKEN.values(), ids=BROKEN)
def test_a_broken_path(kinds: Sequence[str], now: bool, later: bool) -> None:
    outbox = Outbox(now=START)
    outbox.add(letter("k"), START)
    for kind in kinds:
        failed(outbox, START, "k", kind, "Code")
    path = Outbox([], outbox.facts(), START).path  # as status reads it

    assert bool(path and path.broken(START)) is now
    assert bool(path and path.broken(START + 900)) is later
    assert outbox.error is not None
    assert (outbox.error["kind"], outbox.error["at"]) == (kinds[-1], START)
    if path:
        assert (path.since, path.error, path.failures) == (START, "Code", len(kinds))


def test_what_nobody_answers_goes_again() -> None:
    outbox = Outbox(now=START)
    outbox.add(letter("k"), START)
    outbox.take(START)

    assert outbox.take(START + 299) == []
    assert keys(outbox.take(START + 301)) == ["k"]


CLOCKS = {"an hour": 3600.0, "a year": 365 * 86400.0}


@pytest.mark.parametrize("back", CLOCKS.values(), ids=CLOCKS)
def test_r22_a_clock_that_is_set_back_makes_nothing_wait_longer(back: float) -> None:
    """A slot, a retry and a digest, each in the midst of its wait."""
    outbox = Outbox(now=START)
    outbox.add(letter("slot", finding="slot", spread=900.0), START)
    waits = outbox.ledger.rows["slot"].not_before - START
    outbox.add(letter("retry", finding="retry"), START)
    outbox.take(START)
    failed(outbox, START, "retry", "hold")
    for number in range(20):
        outbox.add(letter(f"k{number}", finding=f"f{number}"), START)
    outbox.tick(START)
    then = START - back
    outbox.take(then)
    assert outbox.path is not None

    assert outbox.ledger.rows["slot"].not_before == pytest.approx(then + waits)
    assert outbox.path.next_at == pytest.approx(then + 600)
    outbox.tick(then + 301)
    assert [row.status for row in outbox.ledger.rows.values() if row.letter.event == "digest"] == ["waiting"]


@pytest.mark.parametrize("kind", ["hold", "retry"])
def test_r22_a_time_that_was_stored_by_a_wrong_clock(kind: str) -> None:
    """Stored a year ahead; the service starts with the right time."""
    outbox = Outbox(now=START)
    outbox.add(letter("k", spread=900.0), START)
    outbox.add(letter("held", finding="held"), START)
    outbox.take(START)
    failed(outbox, START, "held", kind)
    now = START - 365 * 86400.0
    again = Outbox(outbox.ledger.unsaved()[0], outbox.facts(), now)

    assert again.path is not None
    assert again.path.next_at <= now + 3600
    assert {each.key for each in drain(again, now + 3600)} == {"k", "held"}


# age in seconds, spread -> whether both times are told
AGES = {
    "fresh": (1, 0.0, False),
    "two minutes": (119, 0.0, False),
    "more": (121, 0.0, True),
    "within its slot": (900, 900.0, False),
    "a day": (86400, 900.0, True),
}


@pytest.mark.parametrize(("age", "seconds", "late"), AGES.values(), ids=AGES)
def test_late(age: float, seconds: float, late: bool) -> None:
    assert is_late(letter("k", spread=seconds), START + age) is late


def test_a_restart_forgets_nothing_but_waits() -> None:
    """Rows and facts as they are stored make the same outbox."""
    outbox = Outbox(now=START)
    for number in range(15):
        outbox.add(letter(f"k{number}", finding=f"f{number}"), START)
    outbox.tick(START)
    sent(outbox, START, "k0")
    failed(outbox, START, "k1")
    again = Outbox(outbox.ledger.unsaved()[0], outbox.facts(), START)

    assert {key: row.status for key, row in again.ledger.rows.items()} == {
        key: row.status for key, row in outbox.ledger.rows.items()
    }
    assert (again.facts(), again.path, again.ledger.differs) == (outbox.facts(), outbox.path, False)
    assert len(drain(again, START + 900)) == len(drain(outbox, START + 900)) == 9


# kind of the failure -> what is tried right after the service began anew
ANEW = {"hold": ["k"], "retry": []}


@pytest.mark.parametrize(("kind", "tried"), ANEW.items())
def test_a_new_start_tries_what_only_a_person_could_mend(kind: str, tried: list[str]) -> None:
    """Who corrected the topic and reloads does not wait for an hour; an outage is not met with all restarts at once."""
    outbox = Outbox(now=START)
    outbox.add(letter("k"), START)
    outbox.take(START)
    failed(outbox, START, "k", kind)

    again = Outbox(outbox.ledger.unsaved()[0], outbox.facts(), START + 1)

    assert keys(outbox.take(START + 1)) == []
    assert keys(again.take(START + 1)) == tried
