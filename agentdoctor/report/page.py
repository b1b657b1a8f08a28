"""The page of a rule: how it looks, why, how it is proven, what to do, how it clears. Offline.

It is built once and written in two forms: text for a terminal, Markdown for docs/failures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentdoctor.model import Rule, Sample
from agentdoctor.patterns import literals
from agentdoctor.report import expected, markdown, plain, risk
from agentdoctor.report.parts import Code, Command, Id, Item, Numbered, Page, Paragraph, Part, Quote, Section, Words
from agentdoctor.scrub import scrub

INDEX = "README.md"
SAMPLE_SHOWN = 400  # characters
_TELLING = 6  # characters; fewer say less than the pattern they are of
_EDGES = re.compile(r"^(?:\\b|\^)|(?:\\b|\$)$")
_NAME = re.compile(r"(?<!\$)\{[a-z_]+\}")  # ${...} is the shell's, or a tool's
_BRACES = Paragraph(("A name in braces stands for what the doctor finds on the host or in the log.",))


def render(rule: Rule, rules: Sequence[Rule]) -> str:
    """The page as text for a terminal. ``rules``: all of them, for those that look alike."""
    return plain.write(build(rule, rules))


def documents(rules: Sequence[Rule]) -> Mapping[str, str]:
    """Markdown by file name: a page for each rule, and their index. The rules need their samples."""
    pages = {f"{rule.id}.md": markdown.write(build(rule, rules)) for rule in rules}
    return {INDEX: markdown.index(rules), **pages}


def build(rule: Rule, rules: Sequence[Rule]) -> Page:
    """All that people are told about a rule."""
    sections = (
        ("In the logs", _symptom(rule)),
        ("Cause", _cause(rule)),
        ("How it is proven", _proof(rule, rules)),
        ("What to do", _steps(rule)),
        ("Proof of the fix", _verification(rule)),
        ("How it clears", _recovery(rule)),
    )
    return Page(
        rule.id,
        rule.title,
        f"{rule.severity.value}, {rule.area}, agent {' and '.join(rule.agents)}",
        tuple(Section(heading, tuple(parts)) for heading, parts in sections),
        rule.docs,
    )


def _symptom(rule: Rule) -> Iterator[Part]:
    signature = rule.signature
    if rule.bundle:
        yield Paragraph(("Nothing: this is seen in a bundle alone, before it is deployed.",))
        return
    if signature is None:
        yield Paragraph(("Nothing: this is seen on the host alone.",))
        return
    if not any(sample.match for sample in rule.samples):
        yield from (Item(("the log says: ", Code(shape(pattern)))) for pattern in signature.any)
    for sample in _telling(rule):
        yield Paragraph((f"Agent {sample.agent}, {_LOGS[sample.log]}:",))
        yield Quote(_cut(scrub(sample.text.strip())))
    if signature.times > 1:
        yield Paragraph((f"It counts when seen at least {signature.times} times in {_minutes(signature.within)}.",))
    if signature.output:
        yield Paragraph(("Or a hook fails, and the last that it printed holds one of these:",))
        yield from (Item((Code(shape(pattern)),)) for pattern in signature.output)
    if signature.unless:
        yield Paragraph(("It is another failure where the text also holds one of these:",))
        yield from (Item((Code(shape(pattern)),)) for pattern in signature.unless)
    if signature.otherwise:
        yield Paragraph(("Also any failed lifecycle event that no other rule explains.",))
    if rule.standing:
        yield Paragraph(("The host alone shows it too, without a line in a log.",))


_LOGS = {
    "agent": "agent log",
    "deployment": "deployment log",
    "scripts": "scripts.log",
    "update": "installer's log",
    "journal": "journal",
    "text": "as shown on a terminal",
}


def _telling(rule: Rule) -> list[Sample]:
    """The first text of each generation that is the failure."""
    firsts: dict[str, Sample] = {}
    for sample in rule.samples:
        if sample.match:
            firsts.setdefault(sample.agent[:2], sample)
    return list(firsts.values())


def _cut(text: str) -> str:
    return text if len(text) <= SAMPLE_SHOWN else text[: SAMPLE_SHOWN - 3] + "..."


def _minutes(seconds: float) -> str:
    if seconds % 60:
        return f"{seconds:.0f} seconds"
    return "1 minute" if seconds == 60 else f"{seconds / 60:.0f} minutes"


def shape(pattern: str) -> str:
    """What every match holds, with "..." for what differs; the pattern itself where that says next to nothing."""
    pieces = [piece for piece in (run.strip("\0") for run in literals(pattern)) if piece]
    if sum(map(len, pieces)) < _TELLING:
        return pattern
    bare = _EDGES.sub("", pattern).replace("\\", "")
    open_end = "" if bare.endswith(pieces[-1]) else "..."
    return " ".join(f"{'...'.join(pieces)}{open_end}".split())


def _cause(rule: Rule) -> Iterator[Part]:
    yield Paragraph((rule.cause,))
    if _NAME.search(rule.cause):
        yield _BRACES


def _proof(rule: Rule, rules: Sequence[Rule]) -> Iterator[Part]:
    if not rule.confirm:
        where = "agentdoctor lint finds it in the bundle" if rule.bundle else "The log states it"
        yield Paragraph((f"{where}; nothing on the host is asked.",))
    else:
        otherwise = ", ruled out when one does not" if rule.rules_out else "; that it does not proves nothing"
        yield Paragraph((f"Confirmed when all of this holds{otherwise}:",))
    for number, way in enumerate(rule.confirm):
        if number:
            yield Paragraph(("Or when all of this holds:",))
        for name, wanted in _fields(way):
            yield Item((f"{expected.say(name, wanted)} (", Code(expected.terms(name, wanted)), ")"))
    siblings = [other for other in rules if other.id != rule.id and set(other.patterns) & set(rule.patterns)]
    if siblings:
        apart = any(one.confirm for one in (rule, *siblings))
        names = _ids(sorted(other.id for other in siblings), "and")
        yield Paragraph(("The log says the same for ", *names, ": the host tells them apart." if apart else "."))
    if rule.depends_on:
        hidden = _ids(rule.depends_on, "or")
        yield Paragraph(("Not told while ", *hidden, " holds: that is the root cause."))


def _fields(way: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    return ((f"{probe}.{field}", wanted) for probe, fields in way.items() for field, wanted in fields.items())


def _ids(ids: Sequence[str], last: str) -> Words:
    """Names in a row: a, b and c."""
    words: list[str] = []
    for number, id_ in enumerate(ids):
        if number:
            words.append(f" {last} " if number == len(ids) - 1 else ", ")
        words.append(Id(id_))
    return tuple(words)


def _steps(rule: Rule) -> Iterator[Part]:
    for number, step in enumerate(rule.remediation, 1):
        notes = [step.where, *(f"{agent} only" for agent in step.agents)]
        notes += filter(None, [risk.note(step, None, looked=False)])
        yield Numbered(number, f"{step.text} [{', '.join(notes)}]", step.command.strip(), step.undo.strip())
    if not _NAME.search(rule.cause) and any(_NAME.search(f"{x.text} {x.command} {x.undo}") for x in rule.remediation):
        yield _BRACES


def _verification(rule: Rule) -> Iterator[Part]:
    if rule.bundle:
        yield Command("agentdoctor lint PATH")
        yield Paragraph(("It is not told any more.",))
        return
    yield Command(f"sudo agentdoctor verify {rule.id}")
    yield Paragraph(
        ("Exit code 0: something newer than the failure shows that it is over. 2: the host still shows it.",)
    )
    yield Paragraph(("1: neither is shown yet. 3: something could not be looked at, which is no proof.",))


def _recovery(rule: Rule) -> Iterator[Part]:
    recovery = rule.recovery
    if rule.bundle:
        yield Item(("the next bundle is without it",))
    if recovery.event:
        event = ("the same lifecycle event",) if recovery.event == "same" else ("", Code(recovery.event))
        yield Item((*event, " succeeds in a later deployment", ", if a lifecycle event failed" if recovery.any else ""))
    for pattern in recovery.any:
        yield Item(("the log says: ", Code(shape(pattern))))
    if recovery.evidence:
        yield Item(("the host shows that it is over",))
