"""The judgement: records and evidence in, findings out. No I/O, no clock, no third party: time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from agentdoctor.evidence import Ask, Weighed, context, weigh
from agentdoctor.model import (
    Alternative,
    Check,
    Finding,
    Outcome,
    Proof,
    Record,
    Role,
    Rule,
    State,
    Verdict,
)
from agentdoctor.settling import settled
from agentdoctor.symptoms import Symptom, Symptoms

_FREQUENCY = {"common": 0, "occasional": 1, "rare": 2}
ALTERNATIVES_SHOWN = 3


class Doctor:
    """Observes records, then weighs what they show against the host.

    ``observe`` each record in the order of time; ``findings``, ``checks`` and the ``unexplained`` errors may be asked
    for at any moment. ``wanted`` are literals of lines that would show a recovery that something waits for.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self.symptoms = Symptoms(rules)
        self.observe = self.symptoms.observe
        self.wanted = self.symptoms.wanted
        self.unexplained = self.symptoms.unexplained

    def questions(self) -> set[str]:
        """The probes that a judgement of what the logs show will ask, so that they can look at the same time."""
        shown = {id_ for symptom in self.symptoms.established() if not symptom.over for id_ in symptom.candidates}
        behind = {id_ for shown_id in shown for id_ in self.rules[shown_id].depends_on if id_ in self.rules}
        return {name for id_ in shown | behind for name in self.rules[id_].probes}

    def shown(self) -> frozenset[tuple[object, ...]]:
        """What the logs show, but for counts and times: a change of it is news."""
        return frozenset((x.candidates, x.subject, x.over, x.deployment.id) for x in self.symptoms.established())

    def findings(self, now: float, ask: Ask | None = None) -> list[Finding]:
        """What holds and what held, the worst first. ``now``: seconds since the epoch."""
        found = [self._explain(symptom, now, ask) for symptom in self.symptoms.established()]
        known = _merged(found)
        if ask:
            known = self._with_standing(known, ask, now)
        return sorted(_masked(known), key=_order)

    def checks(self, findings: Sequence[Finding], logs: set[str], ask: Ask | None = None) -> list[Check]:
        """One row per rule, whatever happened to it. ``logs``: the kinds of logs that could be read."""
        return [self._check(rule, findings, logs, ask) for rule in self.rules.values()]

    def _explain(self, symptom: Symptom, now: float, ask: Ask | None) -> Finding:
        """Choose among the causes that share a symptom."""
        candidates = sorted(
            (self.rules[id_] for id_ in symptom.candidates),
            key=lambda rule: (_FREQUENCY[rule.frequency], rule.id),
        )
        end = None if symptom.over else settled(symptom, now, ask)
        if symptom.over or end:
            known = next((rule for rule in candidates if rule.id == symptom.cause), candidates[0])
            others = [rule for rule in candidates if rule is not known]
            finding = _finding(symptom, known, Weighed(_unproven(candidates)), State.RECOVERED, others)
            return replace(finding, recovered_at=now, evidence=(*finding.evidence, end)) if end else finding
        weighed = {rule.id: weigh(rule, symptom.about(), ask, _unproven(candidates)) for rule in candidates}
        left = [rule for rule in candidates if weighed[rule.id].verdict is not Verdict.RULED_OUT]
        confirmed = [rule for rule in left if weighed[rule.id].verdict is Verdict.CONFIRMED]
        confirmed.sort(key=lambda rule: -weighed[rule.id].strength)  # the cause that more of the host speaks for
        if not left:
            return _past(symptom, candidates, weighed, now)
        chosen = (confirmed or left)[0]
        symptom.cause = chosen.id
        rivals = [] if confirmed else [rule for rule in left if rule is not chosen]
        finding = _finding(symptom, chosen, weighed[chosen.id], State.ACTIVE, rivals)
        return replace(
            finding,
            evidence=(*finding.evidence, *(context(chosen, symptom.about(), ask) if ask else ())),
            ruled_out=self._ruled_out(chosen, candidates, weighed, symptom.about(), ask),
        )

    def _ruled_out(
        self,
        chosen: Rule,
        candidates: Sequence[Rule],
        weighed: dict[str, Weighed],
        about: Mapping[str, str],
        ask: Ask | None,
    ) -> tuple[Alternative, ...]:
        """The likeliest other causes that the host contradicts: siblings first, then what could stand behind it."""
        alternatives = [(rule, weighed[rule.id]) for rule in candidates if rule is not chosen]
        for id_ in chosen.depends_on:
            rule = self.rules.get(id_)
            if rule and rule.confirm and rule not in candidates:
                alternatives.append((rule, weigh(rule, about, ask, Verdict.UNVERIFIED)))
        return tuple(
            Alternative(rule.id, rule.title, result.because)
            for rule, result in alternatives
            if result.verdict is Verdict.RULED_OUT
        )[:ALTERNATIVES_SHOWN]

    def _with_standing(self, known: list[Finding], ask: Ask, now: float) -> list[Finding]:
        """Add what the host shows by itself, without a line in a log."""
        active = {finding.rule.id for finding in known if finding.state is State.ACTIVE}
        result = list(known)
        for rule in self.rules.values():
            if not rule.standing or rule.id in active:
                continue
            weighed = weigh(rule, {}, ask, Verdict.UNVERIFIED)
            if weighed.verdict is not Verdict.CONFIRMED:
                continue
            result = [finding for finding in result if finding.rule.id != rule.id]
            ruled_out = self._ruled_out(rule, [rule], {}, {}, ask)
            result.append(
                Finding(
                    rule,
                    State.ACTIVE,
                    Verdict.CONFIRMED,
                    first_seen=now,
                    last_seen=now,
                    count=1,
                    evidence=(*weighed.proofs, *context(rule, {}, ask)),
                    ruled_out=ruled_out,
                    latent=True,
                )
            )
        return result

    def _check(self, rule: Rule, findings: Sequence[Finding], logs: set[str], ask: Ask | None) -> Check:
        mine = [finding for finding in findings if finding.rule.id == rule.id]
        weighed = weigh(rule, {}, ask, Verdict.UNVERIFIED) if rule.standing and ask else None
        duration = weighed.duration_ms if weighed else 0.0
        if any(finding.state in (State.ACTIVE, State.MASKED) for finding in mine):
            return Check(rule.id, Outcome.FAIL, duration_ms=duration)
        if weighed and weighed.could_not and weighed.verdict is not Verdict.RULED_OUT:
            return Check(rule.id, weighed.could_not[0].outcome, weighed.why_not(), duration)
        if weighed:
            return Check(rule.id, Outcome.PASS, weighed.because, duration)
        if not rule.signature:
            what = "is seen in a bundle alone, by agentdoctor lint" if rule.bundle else "needs a host to look at"
            return Check(rule.id, Outcome.SKIP, what)
        if not logs.intersection((*rule.signature.log, "text")):
            return Check(rule.id, Outcome.SKIP, f"no {' or '.join(rule.signature.log)} log was read")
        return Check(rule.id, Outcome.PASS)


def _unproven(candidates: Sequence[Rule]) -> Verdict:
    """The verdict of a rule that asks nothing of the host: a log line that fits one cause only is worth more."""
    return Verdict.LIKELY if len(candidates) == 1 else Verdict.UNVERIFIED


def _past(symptom: Symptom, candidates: Sequence[Rule], weighed: dict[str, Weighed], now: float) -> Finding:
    """It was logged, and the host contradicts every cause now: over where that counts as proof, else quiet."""
    rule = next((one for one in candidates if one.id == symptom.cause), candidates[0])
    result = weighed[rule.id]
    if all(candidate.recovery.evidence for candidate in candidates):
        return replace(_finding(symptom, rule, result, State.RECOVERED, []), recovered_at=now)
    return _finding(symptom, rule, result, State.QUIET, [one for one in candidates if one is not rule])


def _finding(symptom: Symptom, rule: Rule, weighed: Weighed, state: State, siblings: Sequence[Rule]) -> Finding:
    return Finding(
        rule=rule,
        state=state,
        verdict=weighed.verdict,
        subject=symptom.subject,
        first_seen=symptom.first_at,
        last_seen=symptom.last_at,
        recovered_at=symptom.over_by.at if symptom.over_by else None,
        count=symptom.count,
        deployment=symptom.deployment,
        details=symptom.details,
        evidence=(*_symptom_proofs(symptom, rule), *_end_proofs(symptom.over_by), *weighed.proofs),
        siblings=tuple(sibling.id for sibling in siblings),
    )


def _symptom_proofs(symptom: Symptom, rule: Rule) -> list[Proof]:
    """The line that shows it; for a hook also the last of what it wrote to stderr."""
    record = symptom.record
    line = record.message.partition("\n")[0]
    proofs = [Proof(Role.SYMPTOM, "log", line, record.at, path=record.path, offset=record.offset)]
    if rule.excerpt == "stderr" and record.report:
        errors = [x.removeprefix("[stderr]") for x in record.report.log.splitlines() if x.startswith("[stderr]")]
        proofs += [Proof(Role.CONTEXT, "log", text, record.at, name="stderr") for text in errors[-3:] if text.strip()]
    return proofs


def _end_proofs(record: Record | None) -> list[Proof]:
    """The line that shows that it is over; none as long as nothing does."""
    if record is None:
        return []
    line = record.message.partition("\n")[0] or f"{record.succeeded} of {record.deployment.id} succeeded"
    return [Proof(Role.CONTRADICTS, "log", line, record.at, path=record.path, offset=record.offset)]


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per rule and subject, although several symptoms led to it."""
    merged: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.rule.id, finding.subject)
        other = merged.get(key)
        merged[key] = _joined(other, finding) if other else finding
    return list(merged.values())


def _joined(one: Finding, other: Finding) -> Finding:
    """An active finding wins over one that is over; of two alike the later one, with both counted."""
    ordered = sorted((one, other), key=lambda x: (x.state is State.ACTIVE, x.last_seen or 0.0))
    early, late = ordered
    if early.state is not late.state:
        return late
    firsts = [at for at in (early.first_seen, late.first_seen) if at is not None]
    return replace(late, first_seen=min(firsts, default=None), count=early.count + late.count)


def _masked(findings: Sequence[Finding]) -> list[Finding]:
    """A finding whose root cause holds is kept, but as its consequence."""
    roots: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.state is State.ACTIVE:
            roots.setdefault(finding.rule.id, []).append(finding)
    return [_mask(finding, roots) for finding in findings]


def _mask(finding: Finding, roots: Mapping[str, Sequence[Finding]]) -> Finding:
    if finding.state is not State.ACTIVE:
        return finding
    for id_ in finding.rule.depends_on:
        for root in roots.get(id_, ()):
            if _hides(root, finding):
                return replace(finding, state=State.MASKED, masked_by=id_)
    return finding


def _hides(root: Finding, finding: Finding) -> bool:
    """What is proven is not hidden behind a guess, and no deployment's failure behind that of another one.

    In one and the same event a guess hides all the same: that a script failed is proven, and it is a guess why.
    """
    one, other = root.deployment, finding.deployment
    same_event = bool(one.id and one.event) and (one.id, one.event) == (other.id, other.event)
    if finding.verdict is Verdict.CONFIRMED and root.verdict is Verdict.UNVERIFIED and not same_event:
        return False
    return not one.id or not other.id or one.id == other.id


def _order(finding: Finding) -> tuple[object, ...]:
    states = (State.ACTIVE, State.QUIET, State.SUPPRESSED, State.MASKED, State.RECOVERED)
    verdicts = (Verdict.CONFIRMED, Verdict.LIKELY, Verdict.UNVERIFIED, Verdict.RULED_OUT)
    return (
        states.index(finding.state),
        -finding.severity.rank,
        verdicts.index(finding.verdict),
        -(finding.last_seen or 0.0),
        finding.rule.id,
        finding.subject,
    )
