"""Is it fixed? The proof of one finding, from what a check found now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from agentdoctor.model import Check, Finding, Outcome, Role, Rule, State, Verdict


class Proven(Enum):
    """What a check proves of a failure, and the exit code for it."""

    FIXED = 0  # something newer than the last failure shows that it is over
    NOT_YET = 1  # neither shown to be over nor to hold
    BROKEN = 2  # the host shows it now
    UNKNOWN = 3  # the host could not be looked at


_HOLDS = (State.ACTIVE, State.MASKED, State.QUIET)
_WORST = (Proven.BROKEN, Proven.UNKNOWN, Proven.NOT_YET, Proven.FIXED)


@dataclass(frozen=True)
class Answer:
    """The answer for one rule, and what speaks for it, a line each."""

    id: str
    proven: Proven
    because: tuple[str, ...]
    at: float | None = None  # of the line that shows it to be over, in seconds since the epoch


def verify(rule: Rule, findings: Sequence[Finding], checks: Sequence[Check], unread: Sequence[str] = ()) -> Answer:
    """Judge one rule by the findings and the rows of a check of all rules. ``unread``: logs that could not be read.

    Only evidence counts as a fix: a line in a log that is newer than the failure, or the host itself where the rule
    is a check of the host. That nothing is logged any more proves nothing.
    """
    mine = [finding for finding in findings if finding.rule.id == rule.id]
    holds = [finding for finding in mine if finding.state in (State.ACTIVE, State.MASKED)]
    if any(finding.verdict is Verdict.CONFIRMED for finding in holds):
        return Answer(rule.id, Proven.BROKEN, _said(holds, Role.CONFIRMS) or _said(holds, Role.SYMPTOM))
    if holds or any(finding.state is State.QUIET for finding in mine):
        return _open(rule, mine)
    alike = [finding for finding in findings if set(rule.patterns) & set(finding.rule.patterns)]
    sibling = next((finding for finding in alike if finding.state in _HOLDS), None)
    if sibling:
        return Answer(rule.id, Proven.NOT_YET, (f"the log still says the same: it is {sibling.rule.id} now",))
    mine = mine or [finding for finding in alike if rule.id in finding.siblings]  # over, so nobody asked which it was
    if mine:
        return Answer(rule.id, Proven.FIXED, _said(mine, Role.CONTRADICTS), mine[0].recovered_at)
    if unread and rule.signature:  # it may be in there
        return Answer(rule.id, Proven.UNKNOWN, tuple(unread))
    return _unseen(rule, next(check for check in checks if check.id == rule.id))


def worst(answers: Sequence[Answer]) -> int:
    """The exit code for several answers: broken before unknown before not yet."""
    return next((proven.value for proven in _WORST if any(a.proven is proven for a in answers)), Proven.FIXED.value)


def _open(rule: Rule, mine: Sequence[Finding]) -> Answer:
    """It was logged, and nothing newer says how it stands."""
    unread = _said(mine, Role.CONTEXT, "not known: ")
    if unread:
        return Answer(rule.id, Proven.UNKNOWN, unread)
    now = _said(mine, Role.CONTRADICTS)
    return Answer(rule.id, Proven.NOT_YET, (*now, "nothing newer than the last failure shows that it is over"))


def _unseen(rule: Rule, check: Check) -> Answer:
    """No finding: fixed only if the host itself was looked at and shows the opposite."""
    if check.outcome in (Outcome.UNKNOWN, Outcome.ERROR, Outcome.SKIP):
        return Answer(rule.id, Proven.UNKNOWN, (check.reason,))
    if rule.standing:
        return Answer(rule.id, Proven.FIXED, (check.reason or "the host does not show it",))
    return Answer(rule.id, Proven.NOT_YET, ("the logs that were read hold no trace of it, neither failed nor mended",))


def _said(findings: Sequence[Finding], role: Role, begin: str = "") -> tuple[str, ...]:
    """The texts of one role, once each."""
    proofs = (proof for finding in findings for proof in finding.evidence)
    texts = (proof.text for proof in proofs if proof.role is role and proof.text.startswith(begin))
    return tuple(dict.fromkeys(texts))
