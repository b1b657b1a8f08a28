"""Asking probes: each once, in parallel, within its time and within the whole's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping

from agentdoctor import record
from agentdoctor.host import Host
from agentdoctor.model import Evidence, Outcome
from agentdoctor.probes import CannotLook, Look, Probe, find

PROBE_SECONDS = 2.0
TOTAL_SECONDS = 4.5  # of the 5 s that a whole check may take


class _Job:
    """One probe at work in a thread of its own. The thread is a daemon: one that hangs is left behind."""

    def __init__(self, probe: Probe, look: Look) -> None:
        self.probe, self.look = probe, look
        self.started = time.monotonic()
        self.evidence: Evidence | None = None
        self.done = threading.Event()
        threading.Thread(target=self._work, name=probe.name, daemon=True).start()

    def _work(self) -> None:
        try:
            value = self.probe.look(self.look)
            evidence = Evidence(self.probe.name, self.probe.source, value)
        except CannotLook as error:
            evidence = self._failed(str(error), error.outcome)
        except OSError as error:
            evidence = self._failed(error.strerror or str(error), Outcome.UNKNOWN)
        except Exception as error:  # noqa: BLE001 - a bug in one probe must cost one row of the report, not the report
            evidence = self._failed(f"the probe failed: {type(error).__name__}: {error}", Outcome.ERROR)
        self.evidence = _timed(evidence, self.started)
        self.done.set()

    def _failed(self, reason: str, outcome: Outcome) -> Evidence:
        return Evidence(self.probe.name, self.probe.source, None, reason, outcome)

    def wait(self, deadline: float) -> Evidence:
        end = min(self.started + PROBE_SECONDS, deadline)
        self.done.wait(max(0.0, end - time.monotonic()))
        if self.evidence is None:
            seconds = time.monotonic() - self.started
            return _timed(self._failed(f"no answer within {seconds:.1f} s", Outcome.UNKNOWN), self.started)
        return self.evidence


def _timed(evidence: Evidence, started: float) -> Evidence:
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    return Evidence(evidence.probe, evidence.source, evidence.value, evidence.reason, evidence.outcome, milliseconds)


class Asker:
    """Answers ``ask(probe, about)`` from the host, each question once.

    ``about`` holds what a finding knows (its subject and details); a probe sees only what it registered for.
    ``network=False``: probes that would leave this host are not run.
    """

    def __init__(self, host: Host, total_seconds: float = TOTAL_SECONDS, network: bool = True) -> None:
        self._host = host
        self._network = network
        self._deadline = time.monotonic() + total_seconds
        self._jobs: dict[tuple[str, tuple[str, ...]], _Job] = {}
        self._answered: dict[record.Key, Evidence] = {}
        self._lock = threading.Lock()

    def start(self, names: Iterable[str]) -> None:
        """Begin to look, without waiting: for the probes of the whole host."""
        for probe in map(find, sorted(names)):
            if not (probe.about or probe.also) and self._without_looking(probe, {}) is None:
                self._job(probe, {})

    def ask(self, name: str, about: Mapping[str, str] | None = None) -> Evidence:
        """The evidence of one probe; never raises for what the host does."""
        probe = find(name)
        known = {key: value for key, value in (about or {}).items() if key in (*probe.about, *probe.also) and value}
        missing = [key for key in probe.about if key not in known]
        if missing:
            reason = f"the log does not say which {' and '.join(missing)}"
            return Evidence(name, probe.source, None, reason, Outcome.UNKNOWN)
        evidence = self._without_looking(probe, known)
        evidence = evidence if evidence is not None else self._job(probe, known).wait(self._deadline)
        self._answered[record.key(name, known)] = evidence
        return evidence

    def answered(self) -> dict[record.Key, Evidence]:
        """What was asked so far and what was answered, in an order that does not depend on the probes."""
        return dict(sorted(self._answered.items()))

    def _without_looking(self, probe: Probe, about: Mapping[str, str]) -> Evidence | None:
        """The answer of a probe that must not run; None if it may."""
        recorded = self._recorded(probe, about)
        if recorded is None and probe.network and not self._network:
            return Evidence(probe.name, probe.source, None, "not asked: --no-network", Outcome.SKIP)
        return recorded

    def _recorded(self, probe: Probe, about: Mapping[str, str]) -> Evidence | None:
        """What a snapshot says: of this very question, or of the probe. Without it a probe of files may look."""
        if self._host.live or (self._host.asks_imds and probe.source == "imds"):
            return None
        entry = self._host.answers.get(record.key(probe.name, about)) or self._host.recorded.get(probe.name)
        if entry is None and not probe.live:
            return None
        if entry is None:
            return Evidence(probe.name, probe.source, None, "a copied tree holds no such evidence", Outcome.SKIP)
        if "value" in entry:
            return Evidence(probe.name, probe.source, entry["value"], duration_ms=entry.get("duration_ms", 0.0))
        outcome = Outcome(entry.get("outcome", Outcome.UNKNOWN.value))
        return Evidence(probe.name, probe.source, None, entry.get("reason", ""), outcome)

    def _job(self, probe: Probe, about: Mapping[str, str]) -> _Job:
        key = (probe.name, tuple(about.get(name, "") for name in (*probe.about, *probe.also)))
        with self._lock:
            if key not in self._jobs:
                self._jobs[key] = _Job(probe, Look(self._host, dict(about), self.ask))
            return self._jobs[key]
