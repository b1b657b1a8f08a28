"""Judging again and again: the Doctor of a check, with evidence as fresh as what is asked needs it to be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from agentdoctor.clock import Moment
from agentdoctor.doctor import Doctor
from agentdoctor.host import Host, iso
from agentdoctor.life import Change, Customs, Life, Seen, advance, siblings
from agentdoctor.model import Check, Evidence, Outcome, Rule, Silence, State
from agentdoctor.probing import Prober
from agentdoctor.report import Run, document
from agentdoctor.runs import RESTART, identity

HISTORY_SECONDS = 900.0  # before the first start: what was last seen earlier is no news
OPEN_SECONDS, CALM_SECONDS = 60.0, 300.0  # between two looks while something is wrong, and while nothing is
_WHO = ("instance_id", "region", "os")  # what a host does not change while it lives


class Judge:
    """What is wrong with a host, over time. ``lives`` is what is known, ``run`` the last judgement."""

    def __init__(self, rules: Sequence[Rule], host: Host, prober: Prober, first_start: float) -> None:
        self.rules = rules
        self.doctor = Doctor(rules)
        self.lives: dict[str, Life] = {}
        self.host: dict[str, Any] = {}
        self.run: Run | None = None
        self._machine, self._prober = host, prober
        self._customs = Customs(
            {rule.id: rule for rule in rules}, siblings(rules), iso(first_start - HISTORY_SECONDS) or ""
        )
        standing = {name for rule in rules if rule.standing for way in rule.confirm for name in way}
        self._standing = {*standing, "imds.document", "package.version", RESTART}
        self._shown: frozenset[tuple[object, ...]] | None = None
        self._looked: float | None = None
        self.due = float("inf")  # a look that does not wait for its turn, in monotonic seconds

    def wants_look(self, monotonic: float) -> bool:
        """Whether the host must be looked at: something new is shown, one is due, or it was long ago."""
        wrong = any(life.state != "recovered" for life in self.lives.values())
        since = OPEN_SECONDS if wrong else CALM_SECONDS
        if self._looked is None or monotonic - self._looked >= since or self._looked < self.due <= monotonic:
            return True
        return self.doctor.shown() != self._shown

    def judge(
        self,
        at: Moment,
        own: Mapping[str, Evidence],
        silences: Mapping[str, Silence],
        kinds: set[str],
    ) -> list[Change]:
        """Judge what the logs show. ``own``: evidence of the service itself; ``kinds``: of logs that are read."""
        if self.wants_look(at.monotonic):
            self._looked, self._shown = at.monotonic, self.doctor.shown()
            self._prober.look(name for name in self._standing | self.doctor.questions() if name not in own)

        def ask(name: str, about: Mapping[str, str] | None = None) -> Evidence:
            return own[name] if name in own else self._prober.ask(name, about)

        findings = self.doctor.findings(at.wall, ask)
        checks = self.doctor.checks(findings, kinds, ask)
        found = identity(self._machine, ask)
        self.host = {**found, **{name: found[name] or self.host.get(name) for name in _WHO}}
        self.run = Run(
            mode="service",
            started_at=at.wall,
            duration_ms=0.0,
            findings=findings,
            checks=checks,
            unexplained=self.doctor.unexplained(),
            host=self.host,
            rules=self.rules,
            restart=ask(RESTART).value,
        )
        documents = {_name(one): one for one in document(self.run)["findings"]}
        customs = replace(self._customs, silences=silences)
        self.lives, changes = advance(self.lives, Seen(documents, self._passed(checks)), at.steady, customs)
        return changes

    def _passed(self, checks: Iterable[Check]) -> dict[str, str]:
        """The rules that the host itself shows not to hold."""
        standing = {rule.id for rule in self.rules if rule.standing}
        return {check.id: check.reason for check in checks if check.outcome is Outcome.PASS and check.id in standing}


def _name(found: Mapping[str, Any]) -> str:
    """What a finding is known by: not by its fingerprint, for who the host is may be learned late."""
    return f"{found['id']}\0{(found['subject'] or {}).get('name', '')}"


def texts(lives: Mapping[str, Life]) -> dict[str, str]:
    """Lives as JSON texts."""
    return {name: json.dumps(asdict(life), separators=(",", ":")) for name, life in lives.items()}


def recall(known: Mapping[str, str], now: float) -> dict[str, Life]:
    """Lives from what ``texts`` made of them; one that cannot be read is left out, and found again.

    A clock that was set back meanwhile must not make anybody wait: no time is later than now.
    """
    lives = {}
    for name, text in known.items():
        try:
            fields = json.loads(text)
            changes = tuple(min(at, now) for at in fields["changes"])
            lives[name] = Life(**{**fields, "changes": changes, "since": min(fields["since"], now)})
        except (ValueError, TypeError, KeyError):
            continue
    return lives


def wrong(lives: Mapping[str, Life]) -> int:
    """How many findings are there now and hidden behind no other."""
    return sum(life.state in (State.ACTIVE.value, State.QUIET.value) for life in lives.values())
