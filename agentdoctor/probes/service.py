"""The service of agentdoctor itself: do its alerts arrive, can it remember, did it miss anything?

The service answers these for itself. A check, which may run beside it, reads what it stored.
"""

from __future__ import annotations

import json
import os
from typing import Any

from agentdoctor.probes import CannotLook, Look, Values, probe

GAP_SECONDS = 86400.0  # a gap is told for a day: what stood in it does not come back


def _facts(look: Look) -> dict[str, Any]:
    """What the service stored about itself. CannotLook where none has run."""
    if not look.host.state_dir:
        raise CannotLook("what a service knows was not copied", skip=True)
    try:
        os.stat(os.path.join(look.host.state_dir, "state.db"))
    except FileNotFoundError:
        raise CannotLook("no service has run here", skip=True) from None
    from agentdoctor.store import view  # SQLite: 10 ms, of which most hosts without the service need none

    seen = view(look.host.state_dir)
    if isinstance(seen, str):
        raise CannotLook(seen)
    return {name: json.loads(text) for name, text in seen.state["facts"].items()}


@probe("service.alerts", source="disk", live=False)
def alerts(look: Look) -> Values:
    """``broken``: alerts have failed for a quarter of an hour, or are refused until somebody acts; ``error``: why."""
    path = _facts(look).get("outbox.path") or {}
    return told(path, look.host.now())


def told(path: dict[str, Any], now: float) -> Values:
    """The same, from how the way to the topic fails: ``since``, ``kind``, ``error``, ``text``; {} when it does not."""
    from agentdoctor.outbox import Path

    if not path:
        return {"broken": False, "error": "", "since": None}
    known = Path(**path)
    return {"broken": known.broken(now), "error": f"{known.error} {known.text}".strip(), "since": known.since}


@probe("service.findings", source="disk", live=False)
def findings(look: Look) -> Values:
    """``flapping``: how many findings come and go; ``ids``: of which rules, sorted, as one text."""
    ids = _facts(look).get("flapping") or []
    return {"flapping": len(ids), "ids": ", ".join(ids)}


@probe("service.logs", source="disk", live=False)
def logs(look: Look) -> Values:
    """``gaps``: how many parts of logs were gone before they could be read, within a day; ``last``: one of them."""
    return gaps(_facts(look).get("gaps") or [], look.host.now())


def gaps(known: list[dict[str, Any]], now: float) -> Values:
    """The same, of gaps with ``at`` (seconds since the epoch), ``path`` and ``why``."""
    recent = [gap for gap in known if now - gap["at"] < GAP_SECONDS]
    return {"gaps": len(recent), "last": f"{recent[-1]['path']}: {recent[-1]['why']}" if recent else ""}


@probe("service.state", source="disk")
def state(look: Look) -> Values:
    """``durable``: what the service learns is on the disk; ``why`` not."""
    from agentdoctor.pulse import feel

    pulse = feel(look.host.state_dir) if look.host.state_dir else None
    if pulse is None:
        raise CannotLook("no service is running", skip=True)
    trouble = pulse.get("trouble") or {}
    return {"durable": not trouble, "why": str(trouble.get("why", ""))}
