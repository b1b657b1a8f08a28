"""The service as metrics. Labels hold names of ours alone, as in the report's.

No name is one of the report's: both may lie in one folder, where the collector takes each name once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from agentdoctor import __version__
from agentdoctor.report.metrics import Family, Samples, written
from agentdoctor.report.status import LETTERS_WAIT, exit_code, state_of
from agentdoctor.status import RUNNING, Status

_PROCESS = {
    "memory_mb": ("service_memory_megabytes", "Memory that the service holds."),
    "cpu_seconds": ("service_cpu_seconds", "Processor time of the service since it was started."),
    "uptime_seconds": ("service_uptime_seconds", "How long the service runs."),
}


def render(status: Status) -> str:
    """All metrics. What is not known has no row."""
    return written(_families(status))


def _families(status: Status) -> Iterator[Family]:
    yield "service_build_info", "The program that wrote this; always 1.", [({"version": __version__}, 1)]
    yield "service_up", "1 if the service runs and stirs.", [({}, int(status.service == RUNNING))]
    yield "service_exit_code", "0 ok, 1 warning, 2 critical, 3 nobody watches.", [({}, exit_code(status))]
    yield "service_state_durable", "0 if what the service knows is in its memory only.", [({}, int(not status.trouble))]
    for name, (metric, help_) in _PROCESS.items():
        if name in status.process:
            yield metric, help_, [({}, float(status.process[name]))]
    yield "service_finding", "Findings with these labels, one for each thing that they are about.", _findings(status)
    if status.pulse:  # what a service that ended had read nobody knows
        yield from _logs(status)
    if status.facts:  # without a state that could be read nobody knows what waits
        yield from _alerts(status)
    yield "service_looked_timestamp_seconds", "When this was written, since the epoch.", [({}, status.at)]


def _findings(status: Status) -> Samples:
    counts: Counter[tuple[tuple[str, str], ...]] = Counter()
    for life in status.lives:
        document = life["document"]
        labels = {name: str(document[name]) for name in ("id", "severity", "verdict")}
        counts[tuple({**labels, "state": state_of(life, status)}.items())] += 1
    return [(dict(labels), count) for labels, count in counts.items()]


def _logs(status: Status) -> Iterator[Family]:
    logs = (status.pulse.get("logs") or {}).values()
    yield "service_logs", "Logs that are followed.", [({}, len(logs))]
    yield "service_logs_behind_bytes", "Bytes that are not read yet.", [({}, sum(x.get("behind", 0) for x in logs))]
    yield "service_logs_refused", "Files that are not read.", [({}, len(status.pulse.get("refused") or {}))]


def _alerts(status: Status) -> Iterator[Family]:
    waiting = [row.letter.created_at for row in status.letters if row.status in LETTERS_WAIT]
    refused = sum(row.status == "parked" for row in status.letters)
    yield "service_alerts_waiting", "Alerts that are still to be sent.", [({}, len(waiting))]
    yield "service_alerts_refused", "Alerts that SNS refused for good.", [({}, refused)]
    if waiting:
        yield "service_alerts_oldest_seconds", "Age of the oldest that waits.", [({}, status.at - min(waiting))]
    if delivered := status.facts.get("outbox.delivered"):
        when: Samples = [({}, float(delivered["at"]))]
        yield "service_alerts_delivered_timestamp_seconds", "When SNS took the last, since the epoch.", when
