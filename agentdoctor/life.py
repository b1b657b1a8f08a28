"""The life of a finding: when people are told that it opened, grew worse, is over. Pure: time is an argument.

What people know and what is true are kept apart, and brought together by telling, unless there is a reason to wait: it
has not lasted as long as its rule asks, somebody silenced it, or it comes and goes and is told as flapping instead.
What turns out to have another cause is not told to be over. What was logged before the service was there pages nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agentdoctor.digests import hexadecimal
from agentdoctor.model import Rule, Silence

Document = Mapping[str, Any]  # a finding, in the form of the report for machines

UNMASKED_SECONDS = 60.0  # what a root cause hid may need a while to be over after it
FLAPPING_CHANGES, FLAPPING_SECONDS = 4, 1800.0
KEPT_SECONDS = 7 * 86400.0  # a finding that is over is remembered so long
_RANKS = {"info": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True)
class Life:
    """What is remembered of one finding. Times in seconds since the epoch."""

    document: Document
    since: float  # in the state that the document says
    bad: bool = False  # it is there and has lasted; until it is over
    told: str = ""  # the severity that people know of; "" when they know of nothing
    number: int = 0  # of what was told so far: no two messages share a key
    changes: tuple[float, ...] = ()  # when it became bad or was over, lately
    flapping: bool = False
    unmasked: bool = False  # it was hidden behind its root cause before

    @property
    def rule(self) -> str:
        return str(self.document["id"])

    @property
    def state(self) -> str:
        return str(self.document["state"])


@dataclass(frozen=True)
class Change:
    """Something to tell: opened, escalated, recovered. For the journal alone: quiet, superseded."""

    event: str
    life: Life
    at: float
    key: str = ""  # the same for the same change, whatever happens in between
    again: bool = False  # opened, and was told to be over not long ago
    instead_of: Document | None = None  # opened: what people were told before of the same symptom


@dataclass(frozen=True)
class Seen:
    """What one judgement found."""

    documents: Mapping[str, Document]  # by a name that is the same at each judgement
    passed: Mapping[str, str] = field(default_factory=dict)  # rules that the host shows not to hold, and how


@dataclass(frozen=True)
class Customs:
    """What decides what is told."""

    rules: Mapping[str, Rule]
    siblings: Mapping[str, frozenset[str]]  # rules that share a symptom
    history: str = ""  # what was last seen before (RFC 3339, as in documents) is no news
    silences: Mapping[str, Silence] = field(default_factory=dict)


def siblings(rules: Iterable[Rule]) -> dict[str, frozenset[str]]:
    """The rules that share a pattern with each rule: what was thought to be one may turn out to be another."""
    rules = list(rules)
    by_pattern: dict[str, set[str]] = {}
    for rule in rules:
        for pattern in rule.patterns:
            by_pattern.setdefault(pattern, set()).add(rule.id)
    return {rule.id: frozenset().union(*(by_pattern[x] for x in rule.patterns)) - {rule.id} for rule in rules}


def advance(
    lives: Mapping[str, Life], seen: Seen, now: float, customs: Customs
) -> tuple[dict[str, Life], list[Change]]:
    """The lives after a judgement, and what is to be told of it: what is over comes first."""
    after: dict[str, Life] = {}
    heirs: dict[str, Life] = {}
    changes: list[Change] = []
    for name, life in lives.items():
        if life.rule not in customs.rules or _forgotten(life, now):
            continue
        heir = _heir(name, life, seen, lives, customs)
        if heir:
            heirs[heir] = life
            changes.append(Change("superseded", life, now))
        else:
            after[name] = (
                _seen_again(life, seen.documents[name], now) if name in seen.documents else _unseen(life, seen, now)
            )
    for name, document in seen.documents.items():
        if name not in after:
            after[name] = _born(document, heirs.get(name), now)
    for name, life in after.items():
        after[name], told = _tell(name, life, lives.get(name), heirs.get(name), now, customs)
        changes += told
    return after, sorted(changes, key=lambda change: change.event != "recovered")


def flapping(lives: Mapping[str, Life]) -> Iterator[str]:
    """The rules of findings that come and go."""
    return (life.rule for life in lives.values() if life.flapping)


def _born(document: Document, ancestor: Life | None, now: float) -> Life:
    """A new finding. Where people know that its symptom is bad they need not wait for its cause."""
    if ancestor is None or document["state"] != "active":
        return Life(document, now)
    return Life(document, ancestor.since, bad=bool(ancestor.told))


def _seen_again(life: Life, document: Document, now: float) -> Life:
    """The same finding, as it is now. What stands without a log does not know since when it does."""
    state, over = document["state"], "recovered" in (life.state, document["state"])
    if not over:
        firsts = [x for x in (life.document["first_seen"], document["first_seen"]) if x]
        document = {**document, "first_seen": min(firsts, default=None)}
    since = life.since if life.state == state else now
    unmasked = state == "active" and (life.state == "masked" or (life.unmasked and life.state == "active"))
    return replace(life, document=document, since=since, unmasked=unmasked)


def _unseen(life: Life, seen: Seen, now: float) -> Life:
    """A finding that the judgement does not have any more: over if something shows it, else as it was."""
    if life.state == "recovered" or life.rule not in seen.passed:
        return life
    document = {**life.document, "state": "recovered", "because": seen.passed[life.rule]}
    return replace(life, document=document, since=now, unmasked=False)


def _heir(name: str, life: Life, seen: Seen, lives: Mapping[str, Life], customs: Customs) -> str:
    """The new finding that the symptom of this one is now known to be; "" if there is none."""
    if name in seen.documents or life.state == "recovered":
        return ""
    near = customs.siblings.get(life.rule, frozenset())
    new = (x for x in seen.documents if x not in lives or lives[x].state == "recovered")
    return next((x for x in new if seen.documents[x]["id"] in near and seen.documents[x]["state"] != "recovered"), "")


def _tell(
    name: str, life: Life, before: Life | None, ancestor: Life | None, now: float, customs: Customs
) -> tuple[Life, list[Change]]:
    """Bring together what is true and what people know, unless there is a reason to wait."""
    life = _judged(life, now, customs)
    silence = customs.silences.get(life.rule)
    if life.flapping or (silence and silence.until > now):
        return life, []
    severity = life.document["severity"]
    if life.bad and not life.told:
        known = ancestor.document if ancestor and ancestor.told else None
        again = len(life.changes) > 1
        return _told(name, replace(life, told=severity), "opened", now, again, known)
    if life.bad and _RANKS[severity] > _RANKS[life.told]:
        return _told(name, replace(life, told=severity), "escalated", now)
    if life.told and not life.bad:
        return _told(name, replace(life, told=""), "recovered", now)
    if life.told and life.state == "quiet" and before and before.state == "active":
        return life, [Change("quiet", life, now)]
    return life, []


def _judged(life: Life, now: float, customs: Customs) -> Life:
    """Whether it is bad now, and whether it comes and goes."""
    bad = life.bad
    if life.state == "active" and _lasted(life, now, customs):
        bad = True
    elif life.state == "recovered":
        bad = False
    changes = tuple(at for at in life.changes if at > now - FLAPPING_SECONDS)
    if bad != life.bad:
        changes = (*changes, now)
    flaps = bool(changes) and (life.flapping or len(changes) >= FLAPPING_CHANGES)
    return replace(life, bad=bad, changes=changes, flapping=flaps)


def _lasted(life: Life, now: float, customs: Customs) -> bool:
    hold = max(customs.rules[life.rule].hold, UNMASKED_SECONDS if life.unmasked else 0.0)
    return now - life.since >= hold and (life.document["last_seen"] or customs.history) >= customs.history


def _told(
    name: str, life: Life, event: str, now: float, again: bool = False, instead_of: Document | None = None
) -> tuple[Life, list[Change]]:
    life = replace(life, number=life.number + 1)
    parts = (life.document["fingerprint"], name, event, str(life.number), str(life.document["first_seen"]))
    key = hexadecimal(*parts)[:32]
    return life, [Change(event, life, now, key, again, instead_of)]


def _forgotten(life: Life, now: float) -> bool:
    return life.state == "recovered" and not life.told and now - life.since > KEPT_SECONDS
