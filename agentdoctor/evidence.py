"""Weighing what probes saw against what a rule must find to be confirmed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from agentdoctor.model import Evidence, Outcome, Proof, Role, Rule, Verdict
from agentdoctor.words import say, tell

# Asks a probe, with what is known about the finding.
Ask = Callable[[str, Mapping[str, str]], Evidence]


class Weighed(NamedTuple):
    """The verdict on one cause, with the values behind it."""

    verdict: Verdict
    proofs: tuple[Proof, ...] = ()
    could_not: tuple[Evidence, ...] = ()  # probes that could not look
    duration_ms: float = 0.0

    @property
    def because(self) -> str:
        """The value that rules the cause out."""
        return next((proof.text for proof in self.proofs if proof.role is Role.CONTRADICTS), "")

    @property
    def strength(self) -> int:
        """How many values confirm it."""
        return sum(proof.role is Role.CONFIRMS for proof in self.proofs)

    def why_not(self) -> str:
        """Why the host could not settle it."""
        return "; ".join(f"{evidence.probe}: {evidence.reason}" for evidence in self.could_not)


def weigh(rule: Rule, about: Mapping[str, str], ask: Ask | None, unasked: Verdict) -> Weighed:
    """Judge one cause. One contradiction rules it out, all must hold to confirm it, anything unknown leaves it open.

    ``unasked``: the verdict of a rule that asks nothing of the host, and of one whose evidence passes: where that is
    not to be seen any more, nothing is known from it.
    """
    if not rule.confirm:
        return Weighed(unasked)
    if ask is None:
        return Weighed(Verdict.UNVERIFIED)
    best = _best([_weigh(proof, about, ask) for proof in rule.confirm])
    return best if rule.rules_out or best.verdict is not Verdict.RULED_OUT else _passed(best, unasked)


def _passed(weighed: Weighed, unasked: Verdict) -> Weighed:
    """What the host does not show, of a rule to which that means nothing."""
    return weighed._replace(verdict=unasked, proofs=tuple(x._replace(role=Role.CONTEXT) for x in weighed.proofs))


def _best(ways: list[Weighed]) -> Weighed:
    """Of several ways to prove a cause: one that did, else one that is open, else all that contradict it."""
    for verdict in (Verdict.CONFIRMED, Verdict.UNVERIFIED):
        for way in ways:
            if way.verdict is verdict:
                return way
    by_text = {(proof.role, proof.text): proof for way in ways for proof in way.proofs}
    return ways[0]._replace(proofs=tuple(by_text.values()))


def _weigh(wanted_of: Mapping[str, Mapping[str, Any]], about: Mapping[str, str], ask: Ask) -> Weighed:
    proofs: list[Proof] = []
    could_not: list[Evidence] = []
    duration = 0.0
    for name, expected in wanted_of.items():
        evidence = ask(name, about)
        duration = max(duration, evidence.duration_ms)
        if evidence.value is None:
            could_not.append(evidence)
            proofs.append(Proof(Role.CONTEXT, evidence.source, f"not known: {evidence.reason}", name=name))
            continue
        for field, wanted in expected.items():
            actual = _comparable(wanted, evidence.value.get(field))
            if actual is None:
                reason = evidence.value.get("reason") or f"does not say {field}"
                could_not.append(replace(evidence, value=None, reason=reason, outcome=Outcome.UNKNOWN))
            role = Role.CONTEXT if actual is None else Role.CONFIRMS if _holds(wanted, actual) else Role.CONTRADICTS
            text = say(name, field, actual, evidence.value)
            proofs.append(Proof(role, evidence.source, text, name=f"{name}.{field}", expected=wanted, actual=actual))
    return Weighed(_verdict(proofs, bool(could_not)), tuple(proofs), tuple(could_not), duration)


def context(rule: Rule, about: Mapping[str, str], ask: Ask) -> tuple[Proof, ...]:
    """What else the host says about it, which neither confirms nor contradicts."""
    answers = ((name, ask(name, about)) for name in rule.context)
    told = ((name, answer.source, tell(name, answer.value)) for name, answer in answers if answer.value is not None)
    return tuple(Proof(Role.CONTEXT, source, text, name=name) for name, source, text in told if text)


def _verdict(proofs: list[Proof], unknown: bool) -> Verdict:
    if any(proof.role is Role.CONTRADICTS for proof in proofs):
        return Verdict.RULED_OUT
    return Verdict.UNVERIFIED if unknown else Verdict.CONFIRMED


def _comparable(wanted: Any, actual: Any) -> Any:
    """The value; None where a number is wanted and something else was recorded, which tells nothing."""
    ranged = isinstance(wanted, Mapping) and ("min" in wanted or "max" in wanted)
    known = isinstance(actual, int) or (isinstance(actual, float) and math.isfinite(actual))
    return None if ranged and not known else actual


def _holds(wanted: Any, actual: Any) -> bool:
    """Whether a value is as a rule wants it: equal, one of a list, within min and max, or not something."""
    if isinstance(wanted, Mapping):
        low, high = wanted.get("min"), wanted.get("max")
        within = (low is None or actual >= low) and (high is None or actual <= high)
        return within and ("not" not in wanted or actual != wanted["not"])
    if isinstance(wanted, list):
        return actual in wanted
    return bool(actual == wanted)
