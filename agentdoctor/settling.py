"""Errors of polling that agent 2.x has stopped to log: good polls are not logged, but bad ones every 10 to 90 s."""

from __future__ import annotations

from agentdoctor.evidence import Ask
from agentdoctor.model import Proof, Role
from agentdoctor.symptoms import POLL_ERROR_2X, SETTLED_SECONDS, Symptom

# What is logged in the second of a worker's start is that worker's: a stamp leaves out the part of its second, and the
# start of a process is counted from a boot whose time is known to the second (proc(5): btime).
_SAME_MOMENT = 2.0


def settled(symptom: Symptom, now: float, ask: Ask | None) -> Proof | None:
    """What shows that it is over: the worker that told it lives, and would have told it again by ``now``.

    ``now`` in seconds since the epoch. None where that is not so, or nobody can be asked. (agent-2x: worker.rs polls in
    one loop, which waits 10 to 90 s after an error.)
    """
    last = symptom.last or symptom.record
    if ask is None or last.agent != "2.x" or not last.message.startswith(POLL_ERROR_2X):
        return None
    if symptom.last_at is None or now - symptom.last_at <= SETTLED_SECONDS:
        return None
    seen = ask("process.agent", {}).value or {}
    started = seen.get("worker_started")
    if seen.get("generation") != "2.x" or not isinstance(started, float) or started >= symptom.last_at + _SAME_MOMENT:
        return None
    text = f"worker {seen.get('worker_pid')} polls on and has told no error for {now - symptom.last_at:.0f} s"
    return Proof(Role.CONTRADICTS, "process", text, now, "process.agent.worker_started")
