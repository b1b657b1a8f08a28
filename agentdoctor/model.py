"""The nouns. Everything else in the package speaks in these; this module imports nothing of ours.

Those of which nobody wants the parts as a dict are tuples: Python makes such a class in a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple


class Severity(Enum):
    """What happens to deployments if nobody acts."""

    CRITICAL = "critical"  # deployments fail now, or the agent takes no work
    WARNING = "warning"  # the next deployment fails, or alerts will not arrive
    INFO = "info"

    @property
    def rank(self) -> int:
        """Larger is worse."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class Verdict(Enum):
    """How far the cause is proven."""

    CONFIRMED = "confirmed"  # the host shows it
    LIKELY = "likely"  # the log states this cause and no other fits; the host was not needed or not asked
    UNVERIFIED = "unverified"  # the host could settle it, but could not be looked at
    RULED_OUT = "ruled_out"  # the host contradicts it


class State(Enum):
    """Where a finding is in its life."""

    ACTIVE = "active"
    QUIET = "quiet"  # it happened, the host no longer shows it, and nothing has proved it over
    RECOVERED = "recovered"
    SUPPRESSED = "suppressed"
    MASKED = "masked"  # true, but a consequence of another finding


class Outcome(Enum):
    """What became of one check."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    UNKNOWN = "unknown"
    ERROR = "error"


class Role(Enum):
    """What a piece of evidence says about a finding."""

    SYMPTOM = "symptom"
    CONFIRMS = "confirms"
    CONTRADICTS = "contradicts"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Report:
    """The diagnosis the agent sent to AWS with put_host_command_complete (hook_executor.rb:59-64)."""

    succeeded: bool
    code: int | None  # 0 to 7; None when the agent wrote "Unknown" or the payload was cut before it
    script: str
    message: str
    log: str  # the hook's last 2,048 bytes, as the agent sent them
    identifier: str  # host command identifier, base64 as logged: the same for a report and its echo


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a record says about the deployment it belongs to. Every part may be unknown ("")."""

    id: str = ""
    group_id: str = ""
    event: str = ""
    script: str = ""
    application: str = ""  # only agent 2.x logs it

    def __bool__(self) -> bool:
        return bool(self.id or self.group_id or self.event or self.script)


class Record(NamedTuple):
    """One log entry with its continuation lines. A tuple, because a scan makes them by the million.

    ``message`` is what rules match: the entry without its header, its stack trace and, for a report, without
    the SDK call around it. ``at`` is in seconds since the epoch, None where the text has no stamp.
    """

    log: str  # agent, deployment, scripts, update, journal, text
    message: str
    path: str = ""
    offset: int = 0
    at: float | None = None
    agent: str = ""  # generation, "1.x" or "2.x", where the line tells
    level: str = ""
    pid: int | None = None
    deployment: Deployment = Deployment()
    revision: str = ""  # "current" or "last" successful: the revision it is about, where that can be told
    succeeded: str = ""  # the lifecycle event that this record says ended well
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a probe saw, or why it could not look (``value`` is then None)."""

    probe: str
    source: str  # log, disk, imds, systemd, process, network, clock, package
    value: Mapping[str, Any] | None = None
    reason: str = ""
    outcome: Outcome = Outcome.PASS  # of the looking itself: pass, skip, unknown or error
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a remediation: prose apart from the command, and what the command may break."""

    text: str
    where: str  # instance, operator, repository, console
    command: str = ""
    agents: tuple[str, ...] = ()  # empty: every generation
    risk: str = "none"  # none, low, disruptive, destructive, from-host
    undo: str = ""


class Sample(NamedTuple):
    """A log text that a rule must, or must not, match."""

    agent: str
    text: str
    match: bool = True
    log: str = "agent"
    seen: str = "live"  # live: from a real log; source: composed from the agent's source


@dataclass(frozen=True, slots=True)
class Signature:
    """The patterns of a rule, and where they count."""

    log: tuple[str, ...]
    any: tuple[str, ...] = ()
    output: tuple[str, ...] = ()  # patterns in what the hook of a failed event printed
    unless: tuple[str, ...] = ()  # a record that also matches one of these does not count
    revision: str = ""  # "current" or "last": only records about that revision
    times: int = 1  # so many records ...
    within: float = 0.0  # ... in so many seconds make the symptom
    otherwise: bool = False  # also a failed lifecycle event that no rule explains


@dataclass(frozen=True, slots=True)
class Recovery:
    """What shows that a finding is over: a log line, the same lifecycle event succeeding, or the host itself."""

    log: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    event: str = ""  # "same", or the name of a lifecycle event
    evidence: bool = False  # over when the host contradicts it


@dataclass(frozen=True, slots=True)
class Rule:
    """One known failure; the fields of one YAML file in rules/."""

    id: str
    title: str
    severity: Severity
    area: str
    cause: str
    remediation: tuple[Step, ...]
    recovery: Recovery
    docs: str
    agents: tuple[str, ...] = ("1.x", "2.x")
    depends_on: tuple[str, ...] = ()
    hold: float = 0.0  # seconds before it is told
    frequency: str = "occasional"  # among rules that share a symptom: common, occasional, rare
    signature: Signature | None = None
    confirm: tuple[Mapping[str, Mapping[str, Any]], ...] = ()  # any of these proves it, each when all of it holds
    rules_out: bool = True  # False: what the host does not show now may have passed, and proves nothing
    context: tuple[str, ...] = ()  # probes whose answer is shown beside the proof
    standing: bool = False  # the evidence alone makes a finding, no log line is needed
    latent: Severity | None = None  # of such a finding, as long as nothing has failed yet
    subject: str = ""  # the named group of the signature that says what it is about
    excerpt: str = "line"  # what of the record to show: line, or stderr (the hook's last lines)
    bundle: bool = False  # seen in a bundle alone, by lint: neither a log nor a host shows it
    samples: tuple[Sample, ...] = ()
    origin: str = ""  # the file it was read from

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.signature.any + self.signature.output if self.signature else ()

    @property
    def probes(self) -> tuple[str, ...]:
        """Every probe that it asks, once each."""
        return tuple(dict.fromkeys((*(name for proof in self.confirm for name in proof), *self.context)))


class Proof(NamedTuple):
    """One line of a finding's evidence, ready for a report."""

    role: Role
    source: str
    text: str
    at: float | None = None
    name: str = ""
    expected: Any = None
    actual: Any = None
    path: str = ""
    offset: int | None = None


class Alternative(NamedTuple):
    """A sibling cause, and the value that rules it out."""

    id: str
    title: str
    because: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that holds, or held, here."""

    rule: Rule
    state: State
    verdict: Verdict
    subject: str = ""
    first_seen: float | None = None
    last_seen: float | None = None
    recovered_at: float | None = None
    count: int = 0
    deployment: Deployment = Deployment()
    details: Mapping[str, str] = field(default_factory=dict)  # named groups of the signature
    evidence: tuple[Proof, ...] = ()
    ruled_out: tuple[Alternative, ...] = ()
    siblings: tuple[str, ...] = ()  # causes that fit as well and could not be told apart
    masked_by: str = ""
    latent: bool = False  # the host shows it, and nothing has failed yet

    @property
    def severity(self) -> Severity:
        """Of the rule; milder where it says so and nothing has failed yet."""
        return self.rule.latent if self.latent and self.rule.latent else self.rule.severity


class Check(NamedTuple):
    """One row per rule, whatever happened to it."""

    id: str
    outcome: Outcome
    reason: str = ""
    duration_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Errors in the logs that no rule explains, grouped by template."""

    template: str
    count: int
    first_at: float | None
    last_at: float | None


class Silence(NamedTuple):
    """Of which rule nobody wants to hear, until when (seconds since the epoch) and why."""

    id: str
    until: float
    reason: str
