"""Symptoms: what the logs show, before anybody asks why. One incident is one occurrence, however often it is logged."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agentdoctor.model import Deployment, Record, Rule, Signature, Unexplained
from agentdoctor.patterns import Index, needle

# One failed poll is up to three entries, a failed event four; the agent itself waits 10 s before it tries again.
SAME_OCCURRENCE_SECONDS = 2.0
TEMPLATES_KEPT = 200

# Both generations say so when a lifecycle event ends well; the event stands in the identifier or in the span.
_EVENT_LITERALS = (b'put_host_command_complete(command_status:"Succeeded"', b"Command succeeded elapsed_ms=")


@dataclass
class Symptom:
    """What one signature saw of one subject, and the causes it may have."""

    candidates: tuple[str, ...]
    subject: str
    record: Record  # the first of the present episode: the one with the true error code
    details: dict[str, str] = field(default_factory=dict)
    deployment: Deployment = Deployment()
    count: int = 0
    first_at: float | None = None
    last_at: float | None = None
    over: bool = False
    over_at: float | None = None
    last: Record | None = None
    identifier: str = ""  # of the last report: an echo of it, however late, is no second failure
    recent: deque[float] = field(default_factory=deque)  # stamps, for signatures that need several in a time
    established: bool = False

    def about(self) -> dict[str, str]:
        """What probes and commands may ask about: the named groups, and the deployment's parts."""
        parts = self.deployment
        known = {"deployment_id": parts.id, "group_id": parts.group_id, "event": parts.event, "script": parts.script}
        return {**{key: value for key, value in known.items() if value}, **self.details}

    def see(self, record: Record, details: Mapping[str, str], times: int, within: float) -> None:
        """Count a record, unless it tells an occurrence that was counted again."""
        if self.over:
            self._reopen(record)
        identifier = record.report.identifier if record.report else ""
        same = bool(identifier and identifier == self.identifier) or (
            self.last is not None and _same_occurrence(self.last, record)
        )
        self.last, self.identifier = record, identifier or self.identifier
        self.details.update({key: value for key, value in details.items() if value})
        self.deployment = _fuller(self.deployment, record, self.details)
        if record.report and not self.record.report:
            self.record = record
        self.last_at = record.at if record.at is not None else self.last_at
        if not same:
            self.count += 1
            self._establish(record, times, within)

    def _establish(self, record: Record, times: int, within: float) -> None:
        if times <= 1:
            self.established = True
        elif record.at is not None:
            self.recent.append(record.at)
            while self.recent[0] < record.at - within:
                self.recent.popleft()
            self.established = self.established or len(self.recent) >= times

    def _reopen(self, record: Record) -> None:
        self.over, self.over_at, self.established = False, None, False
        self.record, self.count, self.first_at = record, 0, record.at
        self.details, self.deployment = {}, Deployment()

    def end(self, at: float | None) -> None:
        """Something showed that it is over."""
        self.recent.clear()
        self.over, self.over_at = True, at


def _same_occurrence(one: Record, other: Record) -> bool:
    if one.report and other.report and one.report.identifier:
        return one.report.identifier == other.report.identifier
    if one.at is None or other.at is None:
        return False
    return one.pid == other.pid and abs(other.at - one.at) <= SAME_OCCURRENCE_SECONDS


def _fuller(known: Deployment, record: Record, details: Mapping[str, str]) -> Deployment:
    """What several records of one incident know together: the report has the event, the path the group."""
    new = record.deployment
    script = (record.report.script if record.report else "") or details.get("script", "")
    return Deployment(
        known.id or new.id, known.group_id or new.group_id, known.event or new.event, known.script or script
    )


class Symptoms:
    """All symptoms seen so far, and the errors that were none."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._by_pattern: dict[str, list[Rule]] = {}
        for rule in rules:
            for pattern in rule.patterns:
                self._by_pattern.setdefault(pattern, []).append(rule)
        signatures = [rule.signature for rule in rules if rule.signature]
        self._index = Index(pattern for signature in signatures for pattern in signature.any)
        self._output = Index(pattern for signature in signatures for pattern in signature.output)
        self._open: dict[tuple[tuple[str, ...], str], Symptom] = {}
        self._wanted: tuple[bytes, ...] | None = ()
        self._unexplained: dict[str, Unexplained] = {}
        self._vetoes: dict[str, Record] = {}  # by rule: the last record that was another failure

    def observe(self, record: Record) -> None:
        """Take one record into account: what it shows, and what it shows to be over."""
        matches = list(self._matches(record))
        for candidates, details in _specific(matches):
            self._see(record, candidates, details)
        if matches:
            return
        self._recover(record)
        if record.level in ("ERROR", "FATAL") or (record.report and not record.report.succeeded):
            self._note(record)

    def seen(self) -> Iterator[Symptom]:
        """Every symptom, also those that have not been seen often enough."""
        return iter(self._open.values())

    def established(self) -> Iterator[Symptom]:
        """Symptoms that count: those seen as often as their signature asks."""
        return (symptom for symptom in self._open.values() if symptom.established)

    def unexplained(self) -> list[Unexplained]:
        """The errors that no rule knows, the most frequent first."""
        return sorted(self._unexplained.values(), key=lambda entry: (-entry.count, entry.template))

    def wanted(self) -> Sequence[bytes]:
        """Literals of the lines that would end what is open."""
        if self._wanted is None:
            open_ids = {id_ for symptom in self._open.values() if not symptom.over for id_ in symptom.candidates}
            literals: dict[bytes, None] = {}
            for id_ in sorted(open_ids):
                recovery = self._rules[id_].recovery
                literals.update((needle(pattern).encode(), None) for pattern in recovery.any)
                if recovery.event:
                    literals.update((literal, None) for literal in _EVENT_LITERALS)
            self._wanted = tuple(literal for literal in literals if literal)
        return self._wanted

    def _matches(self, record: Record) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
        """For each pattern found: the rules it may mean, and its named groups."""
        for pattern, match in self._found(record):
            rules = [rule for rule in self._by_pattern[pattern] if self._applies(rule, record)]
            if rules:
                groups = {key: value for key, value in match.groupdict().items() if value}
                yield tuple(sorted(rule.id for rule in rules)), groups

    def _found(self, record: Record) -> Iterator[tuple[str, re.Match[str]]]:
        """Patterns of messages in the message, of hook output in what a failed hook printed; in a paste, both."""
        yield from self._index.search(record.message)
        if record.log == "text":
            yield from self._output.search(record.message)
        if record.report and not record.report.succeeded and record.report.log:
            yield from self._output.search(record.report.log)

    def _applies(self, rule: Rule, record: Record) -> bool:
        signature = rule.signature
        if signature is None or (record.log != "text" and record.log not in signature.log):
            return False
        if record.agent and record.agent not in rule.agents:
            return False
        if signature.revision and record.revision and signature.revision != record.revision:
            return False
        return not self._vetoed(rule, signature, record)

    def _vetoed(self, rule: Rule, signature: Signature, record: Record) -> bool:
        """Whether another failure stands in the record, or stood in the report of the same occurrence.

        Only the report carries what the hook printed; the ERROR entry and the echo after it do not.
        """
        before = self._vetoes.get(rule.id)
        if before and _same_occurrence(before, record):
            return True
        if any(self._index.compiled(pattern).search(_whole(record)) for pattern in signature.unless):
            self._vetoes[rule.id] = record
            return True
        return False

    def _see(self, record: Record, candidates: tuple[str, ...], details: dict[str, str]) -> None:
        rule = self._rules[candidates[0]]
        subject = details.get(rule.subject, "") if rule.subject else ""
        key = (candidates, subject)
        symptom = self._open.get(key)
        if symptom is None:
            symptom = self._open[key] = Symptom(candidates, subject, record, first_at=record.at)
        signature = rule.signature
        assert signature is not None
        if symptom.over or symptom.count == 0:
            self._wanted = None
        symptom.see(record, details, signature.times, signature.within)

    def _recover(self, record: Record) -> None:
        for symptom in self._open.values():
            if symptom.over or _earlier(record, symptom):
                continue
            if any(self._ends(self._rules[id_], record, symptom) for id_ in symptom.candidates):
                symptom.end(record.at)
                self._wanted = None

    def _ends(self, rule: Rule, record: Record, symptom: Symptom) -> bool:
        """Whether a record shows that it is over. What failed inside a lifecycle event is over with that event."""
        recovery = rule.recovery
        if recovery.event and symptom.deployment.event:
            event = symptom.deployment.event if recovery.event == "same" else recovery.event
            return record.succeeded == event and _same_group(record.deployment, symptom.deployment)
        if record.log != "text" and record.log not in recovery.log:
            return False
        return any(self._index.compiled(pattern).search(record.message) for pattern in recovery.any)

    def _note(self, record: Record) -> None:
        """Count an error that no rule explains under its template."""
        key = template(record.message)
        known = self._unexplained.get(key)
        if known is None and len(self._unexplained) >= TEMPLATES_KEPT:
            return
        first = known.first_at if known else record.at
        self._unexplained[key] = Unexplained(key, (known.count if known else 0) + 1, first, record.at)


def _whole(record: Record) -> str:
    """The message and, for a failed hook, what it printed: a veto may stand in either."""
    return f"{record.message}\n{record.report.log}" if record.report else record.message


def _specific(
    matches: Sequence[tuple[tuple[str, ...], dict[str, str]]],
) -> list[tuple[tuple[str, ...], dict[str, str]]]:
    """Where one pattern names fewer causes than another that also fits, the narrower one counts; each once."""
    result: dict[tuple[str, ...], dict[str, str]] = {}
    for candidates, details in matches:
        if not any(set(other) < set(candidates) for other, _ in matches):
            result.setdefault(candidates, {}).update(details)
    return list(result.items())


def _same_group(one: Deployment, other: Deployment) -> bool:
    """Whether two may belong to one deployment group: the log does not always say."""
    return not one.group_id or not other.group_id or one.group_id == other.group_id


def _earlier(record: Record, symptom: Symptom) -> bool:
    return record.at is not None and symptom.last_at is not None and record.at < symptom.last_at


_MASKS = (
    (re.compile(r" - (?:/|<internal:).*", re.DOTALL), ""),
    (re.compile(r"\bhttps?://[^\s'\"]+"), "<url>"),
    (re.compile(r"\barn:aws[^\s'\"]+"), "<arn>"),
    (re.compile(r"\bd-[A-Z0-9]{9}\b"), "<deployment>"),
    (re.compile(r"(?<![\w.])/[^\s'\",)]+"), "<path>"),
    (re.compile(r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+|[0-9a-f]{12,})\b"), "<id>"),
    (re.compile(r"\d+"), "<n>"),
)


def template(message: str) -> str:
    """An error message without what differs from host to host: numbers, ids, paths, addresses."""
    text = message.partition("\n")[0][:400]
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()
