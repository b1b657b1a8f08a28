"""Promises R12 to R16 of the way to the topic, in virtual time: days pass in a second."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
from posting import LONG, START, Virtual, letter

from agentdoctor.outbox import Answer, Letter, Outbox, is_late, spread
from agentdoctor.outbox.pacing import RETRY_MOST

HOUR = 3600.0
DOWN = {
    "500": "InternalError",
    "throttled": "Throttled",
    "nothing answers": "ConnectTimeout",
    "no keys": "NoCredentials",
}


@pytest.mark.parametrize("error", DOWN.values(), ids=DOWN)
@pytest.mark.parametrize("hours", [1, 24, 72])
def test_r12_all_that_happened_in_an_outage_arrives_in_order(hours: int, error: str) -> None:
    """Nothing of it is lost, within a quarter of an hour after the return, marked as late."""
    outbox, back = Outbox(now=START), START + hours * HOUR
    world = Virtual(
        lambda now, each: taken(each) if now >= back else Answer(each.key, "", "retry", error, ""), [outbox]
    )
    came = []
    for number in range(4 * hours):  # four findings that open and end in turn
        at = START + number * HOUR / 4
        event = "recovered" if number // 4 % 2 else "opened"
        came.append(letter(f"k{number}", event, f"finding/{number % 4}", at, body="x" * 4000))
        outbox.add(came[-1], at)
        world.run(at, at + HOUR / 4)
    tries = sum(world.tried.values())
    world.run(back, back + RETRY_MOST + 60)
    told = [each for _, _, each in world.arrived]

    assert [each.key for each in by_time(told)] == [each.key for each in came], "all, each once"
    assert in_order(told)
    assert world.arrived[-1][0] <= back + RETRY_MOST + 10
    assert all(is_late(each, when) for when, _, each in world.arrived if each.created_at < back - 200)
    assert tries <= 20 + hours * HOUR / (RETRY_MOST / 2) * 1.5
    assert outbox.path is None


def test_r12_three_days_of_floods_stay_within_bounds() -> None:
    """100 changes an hour: ten go by themselves, and each of the others is in a digest."""
    outbox, back, number = Outbox(now=START), START + 72 * HOUR, 0
    world = Virtual(lambda now, each: taken(each) if now >= back else Answer(each.key, "", "retry", "x", ""), [outbox])
    for hour in range(72):
        at = START + hour * HOUR
        for _ in range(100):
            outbox.add(letter(f"k{number}", "opened", f"finding/{number}", at, body="x" * 4000), at)
            number += 1
        world.run(at, at + HOUR)
        assert outbox.ledger.bytes <= 50 * 2**20
    world.run(back, back + HOUR + 600)
    told = [each for _, _, each in world.arrived]
    counted = sum(json.loads(each.body)["count"] for each in told if each.event == "digest")

    assert sum(each.event == "opened" for each in told) + counted == 7200
    assert sum(each.event == "opened" for each in told) == 720


def taken(each: Letter) -> Answer:
    return Answer(each.key, f"id-{each.key}")


def by_time(letters: list[Letter]) -> list[Letter]:
    return sorted(letters, key=lambda each: each.created_at)


def in_order(letters: list[Letter]) -> bool:
    """Within each finding."""
    times: dict[str, float] = {}
    for each in letters:
        if times.get(each.fingerprint, 0.0) > each.created_at:
            return False
        times[each.fingerprint] = each.created_at
    return True


class Limited:
    """A topic that takes so many a second and answers 429 to the rest; before ``back`` it answers nobody."""

    def __init__(self, limit: int, back: float = 0.0) -> None:
        self.limit, self.back, self.taken = limit, back, Counter[int]()

    def __call__(self, now: float, each: Letter) -> Answer:
        if now < self.back or self.taken[int(now)] >= self.limit:
            return Answer(each.key, "", "retry", "Throttled", "rate exceeded")
        self.taken[int(now)] += 1
        return taken(each)


def fleet(hosts: int) -> list[Outbox]:
    return [Outbox(now=START) for _ in range(hosts)]


def lose(outbox: Outbox, host: int, hosts: int, event: str, at: float) -> None:
    """A host sees that the endpoint is gone, or back: something that its whole fleet sees in this second."""
    seconds = spread(hosts)
    key = f"{host}-{event}"
    outbox.add(letter(key, event, "endpoint", at, instance_id=f"i-{host}", spread=seconds), at)


def shown(name: str, hosts: int, world: Virtual, begin: float, record: pytest.RecordProperty) -> None:
    """Peak and totals, on the screen (-s) and in the report."""
    calls, peak = sum(world.tried.values()), max(world.tried.values())
    last = max(when for when, _, _ in world.arrived) - begin
    line = (
        f"{name}: {hosts} hosts, {calls} publish calls, {len(world.arrived)} arrived, peak {peak}/s, last {last:.0f} s"
    )
    record("storm", line)
    print(line)


def test_r13_ten_thousand_hosts_lose_one_endpoint(record_property: pytest.RecordProperty) -> None:
    """And get it back half an hour later: both are told by each, and never in the same second."""
    hosts, topic = 10_000, Limited(300)
    world = Virtual(topic, fleet(hosts))
    for event, at in (("opened", START), ("recovered", START + 1800)):
        for host, outbox in enumerate(world.hosts):
            lose(outbox, host, hosts, event, at)
        world.run(at, at + 1200)
    shown("loss and return", hosts, world, START, record_property)

    assert len({each.key for _, _, each in world.arrived}) == len(world.arrived) == 2 * hosts
    assert max(world.tried.values()) <= 40
    assert max(when - each.created_at for when, _, each in world.arrived) <= 1200


def test_r13_a_short_loss_is_told_by_those_alone_whose_slot_came(record_property: pytest.RecordProperty) -> None:
    """Back after 90 s of 900: a tenth of the hosts told it, and all of those tell the end."""
    hosts = 10_000 if LONG else 2_000
    world = Virtual(Limited(300), fleet(hosts))
    for host, outbox in enumerate(world.hosts):
        lose(outbox, host, hosts, "opened", START)
    world.run(START, START + 90)
    for host, outbox in enumerate(world.hosts):
        lose(outbox, host, hosts, "recovered", START + 90)
    world.run(START + 90, START + 1200)
    shown("short loss", hosts, world, START, record_property)
    events = Counter(each.event for _, _, each in world.arrived)

    assert events["opened"] == events["recovered"]
    assert 0.08 * hosts <= events["opened"] <= 0.12 * hosts
    assert sum(outbox.totals["cancelled"] for outbox in world.hosts) == 2 * (hosts - events["opened"])


def test_r13_the_topic_is_back_after_an_hour(record_property: pytest.RecordProperty) -> None:
    """Every host has three letters by then. At most 1.2 times what the topic takes is offered, and all arrive."""
    hosts = 10_000 if LONG else 1_000
    limit, back = hosts * 300 // 10_000, START + HOUR
    world = Virtual(Limited(limit, back), fleet(hosts))
    for host, outbox in enumerate(world.hosts):
        for number in range(3):
            outbox.add(letter(f"{host}-{number}", finding=f"f/{number}", instance_id=f"i-{host}"), START)
    world.run(START, back)
    world.tried.clear()
    world.run(back, back + 1200)
    shown("outage", hosts, world, back, record_property)

    assert len({each.key for _, _, each in world.arrived}) == len(world.arrived) == 3 * hosts
    assert max(world.tried.values()) <= 1.2 * limit
    assert world.arrived[-1][0] - back <= 1200


def test_r14_an_answer_that_is_lost_repeats_the_key() -> None:
    """One in ten times the topic took it and nobody heard: the same letter under the same key, and nothing else."""
    chance, got = random.Random(14), Counter[Letter]()

    def topic(_: float, each: Letter) -> Answer:
        got[each] += 1
        return Answer(each.key, "", "retry", "ReadTimeout", "") if chance.random() < 0.1 else taken(each)

    outbox = Outbox(now=START)
    world = Virtual(topic, [outbox])
    for number in range(1000):
        at = START + number * HOUR
        outbox.add(letter(f"k{number}", "recovered" if number % 2 else "opened", at=at), at)
        world.run(at, at + HOUR)

    assert {each.key for each in got} == {f"k{number}" for number in range(1000)}
    assert len(got) == 1000, "what is repeated is equal in all its parts"
    assert 50 < sum(got.values()) - 1000 < 200


def test_r15_an_end_within_five_minutes_is_told_under_another_key() -> None:
    """A FIFO topic passes over a key that it saw within five minutes. The topic is away at first."""
    outbox = Outbox(now=START)
    world = Virtual(
        lambda now, each: taken(each) if now > START + 200 else Answer(each.key, "", "retry", "Throttled", ""), [outbox]
    )
    outbox.add(letter("o"), START)
    world.run(START, START + 60)
    outbox.add(letter("r", "recovered", at=START + 60), START + 60)
    world.run(START + 60, START + HOUR)

    assert [(each.key, each.event) for _, _, each in world.arrived] == [("o", "opened"), ("r", "recovered")]


POISON = {
    "a bad subject": lambda each: replace(each, severity="\n"),
    "a huge body": lambda each: replace(each, body="x" * 2**20),
    "no text at all": lambda each: replace(each, body="\ud800"),
}


@pytest.mark.parametrize("spoil", POISON.values(), ids=POISON)
@pytest.mark.parametrize("in_any_form", [False, True], ids=["its least form is taken", "no form is taken"])
def test_r16_poison_blocks_nothing(spoil: object, in_any_form: bool) -> None:
    """It is tried once more in its least form, then kept with the error; what follows of the same finding arrives."""
    outbox, forms = Outbox(now=START), []

    def topic(_: float, each: Letter) -> Answer:
        if each.key != "bad":
            return taken(each)
        forms.append(outbox.ledger.rows["bad"].minimal)
        return taken(each) if forms[-1] and not in_any_form else Answer("bad", "", "poison", "InvalidParameter", "no")

    assert callable(spoil)
    outbox.add(spoil(letter("bad")), START)
    outbox.add(letter("next", "recovered"), START)
    outbox.add(letter("other", finding="other"), START)
    world = Virtual(topic, [outbox])
    world.run(START, START + 5)
    row = outbox.ledger.rows["bad"]

    assert forms == [False, True]
    assert {each.key for _, _, each in world.arrived} == {"next", "other"} | (set() if in_any_form else {"bad"})
    assert (row.status, outbox.totals["parked"]) == (("parked", 1) if in_any_form else ("sent", 0))
    assert row.error == "InvalidParameter no"
    assert outbox.path is None
