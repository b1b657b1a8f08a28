"""When people are told: a story per case, step by step, and what no story may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdoctor import rules as catalogue
from agentdoctor.host import iso
from agentdoctor.life import FLAPPING_SECONDS, KEPT_SECONDS, Change, Customs, Life, Seen, advance, siblings
from agentdoctor.model import Silence

RULES = {rule.id: rule for rule in catalogue.load().rules}
PLAIN, HELD, CAUSE = "disk-full", "instance-profile-missing", "imds-unreachable"
OTHER = "instance-profile-attached-late"  # shares the symptom of HELD
START = 1_790_000_000.0
CUSTOMS = Customs(
    {id_: replace(rule, hold=30.0 if id_ == HELD else 0.0) for id_, rule in RULES.items()},
    siblings(RULES.values()),
    iso(START - 900) or "",
)


def document(id_: str = PLAIN, state: str = "active", severity: str = "critical", **more: Any) -> dict[str, Any]:
    known = {"first_seen": iso(START), "last_seen": iso(START), "fingerprint": f"f-{id_}", "masked_by": None}
    return {"id": id_, "state": state, "severity": severity, **known, **more}


class Step(NamedTuple):
    """What is seen so many seconds after the start, and what is told."""

    after: float
    documents: Mapping[str, Mapping[str, Any]]
    told: Sequence[str]
    passed: Mapping[str, str] = {}


BAD, OVER = {"a": document()}, {"a": document(state="recovered")}
QUIET, MASKED = {"a": document(state="quiet")}, {"a": document(state="masked")}
OLD = {"a": document(first_seen=iso(START - 9e5), last_seen=iso(START - 8e5))}
STORIES: dict[str, list[Step]] = {
    "told once, and once that it is over": [
        Step(0, BAD, ["opened"]),
        Step(1, BAD, []),
        Step(2, OVER, ["recovered"]),
        Step(3, OVER, []),
    ],
    "held back as long as the rule says": [
        Step(0, {"a": document(HELD)}, []),
        Step(29, {"a": document(HELD)}, []),
        Step(30, {"a": document(HELD)}, ["opened"]),
    ],
    "over before it was told": [
        Step(0, {"a": document(HELD)}, []),
        Step(20, {"a": document(HELD, "recovered")}, []),
        Step(40, {"a": document(HELD)}, []),
        Step(71, {"a": document(HELD)}, ["opened"]),
    ],
    "grows worse, and better again without a word": [
        Step(0, {"a": document(severity="warning")}, ["opened"]),
        Step(1, BAD, ["escalated"]),
        Step(2, {"a": document(severity="warning")}, []),
        Step(3, BAD, []),
    ],
    "quiet is not over": [
        Step(0, BAD, ["opened"]),
        Step(1, QUIET, ["quiet"]),
        Step(2, QUIET, []),
        Step(3, BAD, []),
        Step(4, OVER, ["recovered"]),
    ],
    "opened again soon after it was over": [
        Step(0, BAD, ["opened"]),
        Step(60, OVER, ["recovered"]),
        Step(120, BAD, ["opened again"]),
        Step(9000, OVER, ["recovered"]),
        Step(20000, BAD, ["opened"]),
    ],
    "comes and goes: told as flapping until it has been still": [
        Step(0, BAD, ["opened"]),
        Step(60, OVER, ["recovered"]),
        Step(120, BAD, ["opened again"]),
        Step(180, OVER, []),
        Step(240, BAD, []),
        Step(300, OVER, []),
        Step(300 + FLAPPING_SECONDS - 1, OVER, []),
        Step(300 + FLAPPING_SECONDS, OVER, ["recovered"]),
    ],
    "stays bad after it came and went": [
        Step(0, BAD, ["opened"]),
        Step(60, OVER, ["recovered"]),
        Step(120, BAD, ["opened again"]),
        Step(180, OVER, []),
        Step(240, BAD, []),
        Step(240 + FLAPPING_SECONDS, BAD, []),  # that is what people know
    ],
    "hidden behind its root cause": [
        Step(0, MASKED, []),
        Step(1000, MASKED, []),
        Step(1001, BAD, []),
        Step(1060, BAD, []),
        Step(1061, BAD, ["opened"]),
    ],
    "hidden after it was told: still known": [
        Step(0, BAD, ["opened"]),
        Step(1, MASKED, []),
        Step(2, BAD, []),
        Step(3, OVER, ["recovered"]),
    ],
    "not looked at is not over": [Step(0, BAD, ["opened"]), Step(60, {}, []), Step(9999, {}, [])],
    "the host shows that it is over": [
        Step(0, BAD, ["opened"]),
        Step(60, {}, ["recovered"], {PLAIN: "40 % are free"}),
        Step(61, {}, [], {PLAIN: "40 % are free"}),
    ],
    "logged long before the service was there": [Step(0, OLD, []), Step(9999, OLD, []), Step(10000, OVER, [])],
    "logged long ago, and again now": [Step(0, OLD, []), Step(60, BAD, ["opened"])],
    "another cause of the same symptom": [
        Step(0, {"a": document(OTHER)}, ["opened"]),
        Step(9, {"b": document(HELD)}, ["superseded", "opened instead of instance-profile-attached-late"]),
        Step(90, {"b": document(HELD)}, []),
        Step(99, {"b": document(HELD, "recovered")}, ["recovered"]),
    ],
    "another cause, before anybody was told": [
        Step(0, {"a": document(HELD)}, []),
        Step(10, {"b": document(OTHER)}, ["superseded", "opened"]),
    ],
    "two at once: what is over comes first": [
        Step(0, {"a": document()}, ["opened"]),
        Step(1, {"a": document(state="recovered"), "b": document(CAUSE)}, ["recovered", "opened"]),
    ],
}


def told(change: Change) -> str:
    instead = f" instead of {change.instead_of['id']}" if change.instead_of else ""
    return f"{change.event}{' again' if change.again else ''}{instead}"


def tell(lives: Mapping[str, Life], step: Step, customs: Customs = CUSTOMS) -> tuple[dict[str, Life], list[str]]:
    after, changes = advance(lives, Seen(step.documents, step.passed), START + step.after, customs)
    return after, [told(change) for change in changes]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story(story: Sequence[Step]) -> None:
    lives: dict[str, Life] = {}
    for step in story:
        lives, changes = tell(lives, step)
        assert changes == step.told, step


def test_first_seen_does_not_change() -> None:
    early, late = document(first_seen=iso(START)), document(first_seen=iso(START + 60))
    lives, _ = tell({}, Step(0, {"a": early}, []))
    lives, _ = tell(lives, Step(60, {"a": late}, []))
    assert lives["a"].document["first_seen"] == iso(START)
    lives, _ = tell(lives, Step(70, OVER, []))
    lives, _ = tell(lives, Step(80, {"a": late}, []))
    assert lives["a"].document["first_seen"] == iso(START + 60)  # it is another time


def test_a_silence_ends_and_what_is_still_so_is_told() -> None:
    silent = replace(CUSTOMS, silences={PLAIN: Silence(PLAIN, START + 100, "the disk is being replaced")})
    lives, changes = tell({}, Step(0, BAD, []), silent)
    assert changes == []
    assert tell(lives, Step(100, BAD, []), silent)[1] == ["opened"]
    assert tell(lives, Step(100, OVER, []), silent)[1] == []


def test_what_is_over_in_a_silence_is_told_after_it_to_those_who_know() -> None:
    silent = replace(CUSTOMS, silences={PLAIN: Silence(PLAIN, START + 100, "night")})
    lives, _ = tell({}, Step(0, BAD, []))
    lives, changes = tell(lives, Step(10, OVER, []), silent)
    assert changes == []
    assert tell(lives, Step(101, OVER, []), silent)[1] == ["recovered"]


def test_a_rule_that_is_gone_is_forgotten() -> None:
    lives, _ = tell({}, Step(0, BAD, []))
    without = replace(CUSTOMS, rules={})
    assert tell(lives, Step(1, {}, []), without) == ({}, [])


def test_what_is_over_is_forgotten_after_a_week() -> None:
    lives, _ = tell({}, Step(0, BAD, []))
    lives, _ = tell(lives, Step(1, OVER, []))
    assert set(tell(lives, Step(1 + KEPT_SECONDS, {}, []))[0]) == {"a"}
    assert tell(lives, Step(2 + KEPT_SECONDS, {}, []))[0] == {}


STATES = st.sampled_from([None, "active", "active", "recovered", "masked", "quiet"])
HISTORY = st.lists(st.tuples(st.floats(0.1, 4000), STATES, st.booleans()), max_size=40)


@given(HISTORY)
def test_people_hear_of_ends_only_after_beginnings(history: list[tuple[float, str | None, bool]]) -> None:
    """Whatever happens, opened and recovered alternate, no key comes twice, and in the end people know the truth."""
    lives: dict[str, Life] = {}
    events: list[str] = []
    keys: list[str] = []
    now = START
    for wait, state, passes in history:
        now += wait
        documents = {"a": document(state=state, last_seen=iso(now))} if state else {}
        lives, changes = advance(lives, Seen(documents, {PLAIN: "fine"} if passes else {}), now, CUSTOMS)
        events += [change.event for change in changes if change.event in ("opened", "recovered")]
        keys += [change.key for change in changes if change.key]
    for _ in range(2):
        now += FLAPPING_SECONDS + 61
        final = {name: life.document for name, life in lives.items()}
        lives, changes = advance(lives, Seen(final), now, CUSTOMS)
        events += [change.event for change in changes if change.event in ("opened", "recovered")]
        keys += [change.key for change in changes if change.key]
    assert events == ["opened", "recovered"] * (len(events) // 2) + ["opened"] * (len(events) % 2)
    assert len(set(keys)) == len(keys)
    assert all(life.told == ("critical" if life.bad else "") for life in lives.values())
