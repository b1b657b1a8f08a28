"""What every rule must satisfy beyond its shape, and the running of its samples."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from agentdoctor.grammars import Grammar, Source, agent, deployment, every_entry, journal, plain, scripts, update
from agentdoctor.logs import read_as
from agentdoctor.model import Rule, Sample
from agentdoctor.patterns import words
from agentdoctor.rules import references
from agentdoctor.symptoms import Symptoms

_GRAMMARS: dict[str, Grammar] = {
    grammar.log: grammar
    for grammar in (agent.GRAMMAR, deployment.GRAMMAR, scripts.GRAMMAR, update.GRAMMAR, journal.GRAMMAR, plain.GRAMMAR)
}


def lint(rule: Rule, rules: Sequence[Rule]) -> Iterator[str]:
    """What is wrong with a rule, a line each."""
    yield from references(rule, (other.id for other in rules))
    if rule.id in _roots(rule, {other.id: other for other in rules}):
        yield "depends_on: the rule hides itself through a cycle"
    yield from _patterns(rule)
    yield from _coverage(rule)
    yield from run_samples(rule, rules)


def _roots(rule: Rule, rules: dict[str, Rule]) -> set[str]:
    """All rules that this one depends on, directly or not."""
    found: set[str] = set()
    waiting = list(rule.depends_on)
    while waiting:
        id_ = waiting.pop()
        if id_ not in found and id_ in rules:
            found.add(id_)
            waiting += rules[id_].depends_on
    return found


def _patterns(rule: Rule) -> Iterator[str]:
    for pattern in rule.patterns:
        if not words(pattern):
            yield f"pattern {pattern!r} holds no whole word, so it is tried on every line"
    if rule.subject and not any(f"(?P<{rule.subject}>" in pattern for pattern in rule.patterns):
        yield f"subject: no pattern has a group {rule.subject!r}"


def _coverage(rule: Rule) -> Iterator[str]:
    """Each generation that a rule claims needs a text that is the failure, and the nearest that is not."""
    if not rule.signature:
        return
    for generation in rule.agents:
        mine = [sample for sample in rule.samples if sample.agent.startswith(generation[:2])]
        if not any(sample.match for sample in mine):
            yield f"samples: none that matches for agent {generation}"
        if not any(not sample.match for sample in mine):
            yield f"samples: no near miss (match: false) for agent {generation}"


def run_samples(rule: Rule, rules: Sequence[Rule]) -> Iterator[str]:
    """Samples that do not do what they say: a matching one is matched by its rule and by no stranger."""
    for number, sample in enumerate(rule.samples, 1):
        matched = matching(sample, rules)
        if sample.match and rule.id not in matched:
            yield f"sample {number} is not matched: {_short(sample)}"
        if not sample.match and rule.id in matched:
            yield f"sample {number} is a near miss and is matched: {_short(sample)}"
        if sample.match:
            for other in rules:
                if other.id in matched and not _related(rule, other):
                    yield f"sample {number} is also matched by {other.id}: {_short(sample)}"


def matching(sample: Sample, rules: Sequence[Rule]) -> set[str]:
    """The ids of all rules that one text may mean; a rule that needs several records is asked for one only."""
    symptoms = Symptoms(rules)
    stream = io.BytesIO(sample.text.encode())
    for record in read_as(every_entry(_GRAMMARS[sample.log]), stream, Source("sample"), symptoms.wanted):
        symptoms.observe(record)
    return {id_ for symptom in symptoms.seen() for id_ in symptom.candidates}


def _related(rule: Rule, other: Rule) -> bool:
    """Siblings share a pattern; a cause may show in the text of its consequence."""
    return (
        rule.id == other.id
        or bool(set(rule.patterns) & set(other.patterns))
        or other.id in rule.depends_on
        or rule.id in other.depends_on
    )


def _short(sample: Sample) -> str:
    line = sample.text.strip().splitlines()[0] if sample.text.strip() else ""
    return line if len(line) <= 100 else line[:97] + "..."
