"""Words for what ``probes/process.py`` sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.words import Phrase, span


def _process(value: Mapping[str, Any]) -> str:
    if not value.get("running"):
        return "no agent process"
    return f"agent master {value.get('master_pid')} with {value.get('workers')} worker(s)"


def _since(role: str) -> Phrase:
    def age(value: Mapping[str, Any]) -> str:
        seconds = value.get(f"{role}_age")
        return f"the agent has no {role}" if seconds is None else f"the agent's {role} started {span(seconds)} ago"

    return age


_STATES = {"D": "waits for a disk that does not answer", "T": "is stopped by a signal", "t": "is held by a debugger"}


def _connections(value: Mapping[str, Any]) -> str:
    count = value.get("connections") or "no"
    return f"its worker has {count} connection{'' if count == 1 else 's'} to CodeDeploy"


def _work(value: Mapping[str, Any]) -> str:
    busy = "a lifecycle event is at work" if value.get("deploying") else "no lifecycle event is at work"
    return f"{busy}, and its worker runs {value.get('children') or 'no'} hooks"


PHRASES: dict[str, Phrase] = {
    "process.agent.running": _process,
    "process.agent.generation": lambda value: f"it is agent {value.get('generation')}",
    "process.agent.workers": _process,
    "process.agent.master_age": _since("master"),
    "process.agent.worker_age": _since("worker"),
    "process.work.connections": _connections,
    "process.work.children": _work,
    "process.work.deploying": _work,
    "process.work.state": lambda value: f"its worker {_STATES.get(value['state'], 'is awake or waits to be woken')}",
}
STATED = {
    "process.agent.running": ("the agent's master process runs", "no master process of the agent runs"),
    "process.work.deploying": ("a lifecycle event is at work", "no lifecycle event is at work"),
}
NAMED = {
    "process.agent.worker_age": "the age of the agent's youngest worker, in seconds,",
    "process.agent.workers": "the number of the agent's workers",
    "process.agent.generation": "the agent's generation",
    "process.agent.master_age": "the age of the agent's master, in seconds,",
    "process.work.connections": "the number of the worker's connections to CodeDeploy",
    "process.work.children": "the number of hooks that the worker runs",
    "process.work.state": "the worker's state in /proc",
}
