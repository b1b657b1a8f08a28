"""The page of a rule: what it is, how it is recognised and proven, what to do, how it clears. Offline."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentdoctor.model import Rule
from agentdoctor.patterns import needle
from agentdoctor.scrub import scrub

WIDTH = 80


def render(rule: Rule, rules: Sequence[Rule]) -> str:
    """The page as text for a terminal."""
    return "\n".join(_lines(rule, rules)) + "\n"


def _lines(rule: Rule, rules: Sequence[Rule]) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    yield f"{rule.severity.value}, {rule.area}, agent {' and '.join(rule.agents)}"
    yield ""
    yield from _block(rule.cause)
    yield from _symptom(rule)
    yield from _proof(rule, rules)
    yield from _fix(rule)
    yield from _end(rule)
    yield ""
    yield f"See {rule.docs}"


def _block(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _symptom(rule: Rule) -> Iterator[str]:
    sample = next((sample for sample in rule.samples if sample.match), None)
    yield ""
    yield "In the logs"
    if sample is None or rule.signature is None:
        yield "  Nothing: this is seen on the host alone."
        return
    first = scrub(sample.text.strip().splitlines()[0])
    yield from _block(first if len(first) < 320 else first[:317] + "...", "  ")
    if rule.signature.times > 1:
        yield f"  at least {rule.signature.times} times in {rule.signature.within / 60:.0f} minutes"


def _proof(rule: Rule, rules: Sequence[Rule]) -> Iterator[str]:
    yield ""
    yield "How it is proven"
    if not rule.confirm:
        yield "  The log states it; nothing on the host is asked."
    for probe, fields in rule.confirm.items():
        for field, expected in fields.items():
            yield f"  {probe}: {field} {_expected(expected)}"
    siblings = sorted(r.id for r in rules if r is not rule and set(r.patterns) & set(rule.patterns))
    if siblings:
        yield from _block(f"The log says the same for {', '.join(siblings)}: the host tells them apart.", "  ")
    if rule.depends_on:
        yield from _block(f"Not told while {' or '.join(rule.depends_on)} holds: that is the root cause.", "  ")


def _expected(expected: Any) -> str:
    if isinstance(expected, Mapping):
        words = {"min": "is at least", "max": "is at most", "not": "is not"}
        return " and ".join(f"{words[key]} {value!r}" for key, value in expected.items())
    if isinstance(expected, list):
        return "is " + " or ".join(map(repr, expected))
    return f"is {expected!r}"


def _fix(rule: Rule) -> Iterator[str]:
    yield ""
    yield "What to do"
    for number, step in enumerate(rule.remediation, 1):
        notes = [step.where, *(f"{agent} only" for agent in step.agents)]
        if step.risk != "none":
            notes.append(f"risk: {step.risk}")
        yield from _block(f"{number} {step.text} [{', '.join(notes)}]", "  ")
        yield from (f"      {row}" for row in step.command.splitlines())
        if step.undo:
            yield from _block(f"undo: {step.undo}", "    ")


def _end(rule: Rule) -> Iterator[str]:
    yield ""
    yield "How it clears"
    recovery = rule.recovery
    if recovery.event:
        event = "the same lifecycle event" if recovery.event == "same" else recovery.event
        yield f"  {event} succeeds in a later deployment"
    for pattern in recovery.any:
        yield f"  the log says: {needle(pattern)}"
    if recovery.evidence:
        yield "  the host shows that it is over"
