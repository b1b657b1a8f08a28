"""Symptoms: what the logs show, before anybody asks why. One incident is one occurrence, however often it is logged."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agentdoctor.failures import Told, failed_event
from agentdoctor.meanings import Meanings, same_occurrence
from agentdoctor.model import Deployment, Record, Rule
from agentdoctor.patterns import MESSAGE_LIMIT, compiled, facts
from agentdoctor.templates import Templates

SUBJECTS_KEPT = 50
EVENTS_KEPT = 1000

# Both generations say so when a lifecycle event ends well; the event stands in the identifier or in the span.
_NONE: frozenset[str] = frozenset()
# Ends well only where all others did: what ends a failure of which the log does not say in which event it was.
_LAST_EVENT = "ValidateService"
# Agent 2.x does not log good polls, and bad ones every 10 to 90 s: anything else it does this much later is proof.
POLL_ERROR_2X, SETTLED_SECONDS = "Error polling for host commands: ", 180.0
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
    over_by: Record | None = None  # what showed it
    last: Record | None = None
    identifier: str = ""  # of the last report: an echo of it, however late, is no second failure
    recent: deque[float] = field(default_factory=deque)  # stamps, for signatures that need several in a time
    established: bool = False
    cause: str = ""  # what it was last judged to be: when it is over nobody can ask the host any more
    awaited: tuple[bytes, ...] = ()  # literals of the lines that would end it
    events: frozenset[str] = frozenset()  # lifecycle events whose success would end it

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
            self.last is not None and same_occurrence(self.last, record)
        )
        if self.last is None or record.message is not self.last.message:  # else it says what it said before
            self.details.update({key: value for key, value in details.items() if value})
            self.deployment = _fuller(self.deployment, record, self.details)
        self.last, self.identifier = record, identifier or self.identifier
        if record.report and not self.record.report:
            self.record = record
        self.last_at = record.at if record.at is not None else self.last_at
        if not same:
            self.count += 1
            if times <= 1:
                self.established = True
            else:
                self._establish(record, times, within)

    def _establish(self, record: Record, times: int, within: float) -> None:
        if record.at is not None:
            self.recent.append(record.at)
            while self.recent[0] < record.at - within:
                self.recent.popleft()
            self.established = self.established or len(self.recent) >= times

    def _reopen(self, record: Record) -> None:
        self.over, self.over_by, self.established, self.cause = False, None, False, ""
        self.record, self.count, self.first_at = record, 0, record.at
        self.details, self.deployment, self.last = {}, Deployment(), None

    def end(self, record: Record) -> None:
        """A record showed that it is over."""
        self.recent.clear()
        self.over, self.over_by = True, record


def _fuller(known: Deployment, record: Record, details: Mapping[str, str]) -> Deployment:
    """What several records of one incident know together: the report has the event, the path the group."""
    new = record.deployment
    script = (record.report.script if record.report else "") or details.get("script", "")
    if not (new or new.application or script):
        return known
    return Deployment(
        known.id or new.id,
        known.group_id or new.group_id,
        known.event or new.event,
        known.script or script,
        known.application or new.application,
    )


class Symptoms:
    """All symptoms seen so far, and the errors that were none."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._meanings = Meanings(rules)
        self._otherwise = tuple(sorted(rule.id for rule in rules if rule.signature and rule.signature.otherwise))
        self._open: dict[tuple[tuple[str, ...], str], Symptom] = {}
        self._subjects: Counter[tuple[str, ...]] = Counter()
        self._waiting: dict[bytes, dict[int, Symptom]] = {}  # who waits for a line with this literal
        self._wanted: tuple[bytes, ...] = ()
        self._ends_of: dict[tuple[tuple[str, ...], str], tuple[tuple[bytes, ...], frozenset[str]]] = {}
        self._unexplained = Templates()
        self.unexplained = self._unexplained.listed
        self._polls: dict[int, Symptom] = {}  # errors of polling of agent 2.x
        self._told = Told()
        self.reported: dict[tuple[str, str], None] = {}  # deployments' events of which the agent's log tells

    def observe(self, record: Record) -> None:
        """Take one record into account: what it shows, and what it shows to be over."""
        deployment = record.deployment
        if record.log == "scripts":
            if (deployment.id, deployment.event) in self.reported:
                return  # the agent itself said how it ended
        elif deployment.event:
            self.reported[deployment.id, deployment.event] = None
            if len(self.reported) > EVENTS_KEPT:
                del self.reported[next(iter(self.reported))]
        told = self._told.before(record)
        if told:  # it knows of which event it is
            record = record._replace(deployment=told.deployment, revision=told.revision)
        meanings = self._meanings.of(record)
        for candidates, details in meanings:
            self._see(record, candidates, details)
        if meanings or told:
            return
        if failed_event(record) and self._otherwise:
            self._see(record, self._otherwise, {})
        self._recover(record)
        self._settle(record)
        if record.level in ("ERROR", "FATAL") or (record.report and not record.report.succeeded):
            self._unexplained.count(record)

    def seen(self) -> Iterator[Symptom]:
        """Every symptom, also those that have not been seen often enough."""
        return iter(self._open.values())

    def established(self) -> Iterator[Symptom]:
        """Symptoms that count: those seen as often as their signature asks."""
        return (symptom for symptom in self._open.values() if symptom.established)

    def wanted(self) -> Sequence[bytes]:
        """Literals of the lines that would end what is open."""
        return self._wanted

    def take_back(self, symptom: Symptom) -> None:
        """Go on with a symptom of an earlier process."""
        key = (symptom.candidates, symptom.subject)
        if key not in self._open:
            self._subjects[symptom.candidates] += 1
        self._open[key] = symptom
        if symptom.record.agent == "2.x" and symptom.record.message.startswith(POLL_ERROR_2X):
            self._polls[id(symptom)] = symptom
        self._wait(symptom)

    def _wait(self, symptom: Symptom) -> None:
        """Keep in mind what a symptom waits for, after it may have changed."""
        literals: tuple[bytes, ...] = ()
        events = _NONE
        if not symptom.over:
            literals, events = self._awaited(symptom.candidates, symptom.deployment.event)
        if literals is symptom.awaited and events is symptom.events:
            return
        for literal in symptom.awaited:
            self._waiting[literal].pop(id(symptom), None)
            if not self._waiting[literal]:
                del self._waiting[literal]
        for literal in literals:
            self._waiting.setdefault(literal, {})[id(symptom)] = symptom
        symptom.awaited, symptom.events = literals, events
        wanted = tuple(filter(None, self._waiting))
        if wanted != self._wanted:  # who looks for them begins anew only where they are others
            self._wanted = wanted

    def _awaited(self, candidates: tuple[str, ...], event: str) -> tuple[tuple[bytes, ...], frozenset[str]]:
        """What would end a symptom of these causes, seen in this event: literals of lines, and events."""
        key = (candidates, event)
        if key not in self._ends_of:
            literals: set[bytes] = set()
            events: set[str] = set()
            for recovery in (self._rules[id_].recovery for id_ in candidates):
                if recovery.event:
                    events.add((event or _LAST_EVENT) if recovery.event == "same" else recovery.event)
                    literals.update(_EVENT_LITERALS)
                if not (recovery.event and event):
                    literals.update(facts(pattern)[1].encode() for pattern in recovery.any)
            self._ends_of[key] = (tuple(sorted(literals)), frozenset(events))
        return self._ends_of[key]

    def _see(self, record: Record, candidates: tuple[str, ...], details: Mapping[str, str]) -> None:
        rule = self._rules[candidates[0]]
        symptom = self._symptom(record, candidates, details.get(rule.subject, "") if rule.subject else "")
        signature = rule.signature
        assert signature is not None
        if symptom.over and _past(record, symptom):
            return  # another log tells again of what is over: logs are read one after the other
        before = None if symptom.over or not symptom.count else symptom.deployment
        symptom.see(record, details, signature.times, signature.within)
        if record.agent == "2.x" and record.message.startswith(POLL_ERROR_2X):
            self._polls[id(symptom)] = symptom
        if symptom.deployment is not before:
            self._wait(symptom)

    def _symptom(self, record: Record, candidates: tuple[str, ...], subject: str) -> Symptom:
        """The symptom of these causes and this subject; beyond so many subjects they share one without a name."""
        known = self._open.get((candidates, subject))
        if known is not None:
            return known
        self._subjects[candidates] += 1
        subject = subject if self._subjects[candidates] <= SUBJECTS_KEPT else ""
        return self._open.setdefault((candidates, subject), Symptom(candidates, subject, record, first_at=record.at))

    def _recover(self, record: Record) -> None:
        """End what the record shows to be over."""
        for symptom in self._touched(record):
            if not symptom.over and not _earlier(record, symptom):
                symptom.end(record)
                self._wait(symptom)

    def _settle(self, record: Record) -> None:
        """End errors of polling by what the same 2.x agent does long after the last of them."""
        if not self._polls or record.agent != "2.x" or record.log != "agent" or record.at is None:
            return
        if record.level != "INFO" or record.message.startswith("Worker "):
            return
        for key, symptom in list(self._polls.items()):
            if not symptom.over and record.at - (symptom.last_at or record.at) > SETTLED_SECONDS:
                symptom.end(record)
                self._wait(symptom)
            if symptom.over:
                del self._polls[key]

    def _touched(self, record: Record) -> list[Symptom]:
        """The symptoms that this record ends. What failed inside a lifecycle event is over with that event."""
        if record.succeeded:
            waiting = self._waiting.get(_EVENT_LITERALS[0], {}).values()
            return [
                symptom
                for symptom in waiting
                if record.succeeded in symptom.events and _same_group(record.deployment, symptom.deployment)
            ]
        raw = record.message.encode("utf-8", "surrogatepass")
        literals = [literal for literal in self._waiting if literal in raw]
        found = {key: symptom for literal in literals for key, symptom in self._waiting[literal].items()}
        return [symptom for symptom in found.values() if self._says_over(record, symptom)]

    def _says_over(self, record: Record, symptom: Symptom) -> bool:
        """Whether a recovery pattern of one of its causes stands in the record."""
        for recovery in (self._rules[id_].recovery for id_ in symptom.candidates):
            if recovery.event and symptom.deployment.event:
                continue
            known = record.log == "text" or record.log in recovery.log
            if known and any(compiled(pattern).search(record.message[:MESSAGE_LIMIT]) for pattern in recovery.any):
                return True
        return False


def _same_group(one: Deployment, other: Deployment) -> bool:
    """Whether two may belong to one deployment group: the log does not always say."""
    pairs = ((one.group_id, other.group_id), (one.application, other.application))
    return all(not mine or not theirs or mine == theirs for mine, theirs in pairs)


def _past(record: Record, symptom: Symptom) -> bool:
    """Whether a record is older than what ended the symptom."""
    end = symptom.over_by.at if symptom.over_by else None
    return record.at is not None and end is not None and record.at < end


def _earlier(record: Record, symptom: Symptom) -> bool:
    return record.at is not None and symptom.last_at is not None and record.at < symptom.last_at
