"""What a step may break on this very host, where that depends on what runs in the agent's unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentdoctor.model import Step
from agentdoctor.scrub import line

Restart = Mapping[str, Any]  # what the probe unit.restart_risk saw


def level(step: Step, restart: Restart | None) -> str:
    """none, low, disruptive or destructive; from-host where the host did not tell."""
    safe = restart.get("safe") if restart else None
    if step.risk != "from-host" or safe is None:
        return step.risk
    return "low" if safe else "disruptive"


def note(step: Step, restart: Restart | None, looked: bool) -> str:
    """The same in words, "" for a step without risk. ``looked``: somebody tried to look at the host."""
    if step.risk == "none":
        return ""
    if step.risk != "from-host":
        return f"risk: {step.risk}"
    safe = restart.get("safe") if restart else None
    if restart is None or safe is None:
        return "restarts the agent: not while a deployment runs" + ("; could not look" if looked else "")
    return _safe(restart) if safe else "; ".join(_harm(restart))


def _safe(restart: Restart) -> str:
    others = restart.get("others") or 0
    if not others:
        return "low risk: nothing else runs in its unit"
    return f"low risk: what else runs in its unit ({_names(restart, others)}) is left alone"


def _harm(restart: Restart) -> list[str]:
    harm = []
    if restart.get("deploying"):
        harm.append(f"fails a deployment that runs now ({line(str(restart.get('deployment')))})")
    kills = restart.get("kills") or 0
    if kills:
        who, them, their = ("1 process", "it", "its") if kills == 1 else (f"{kills} processes", "them", "their")
        harm.append(
            f"kills {who} of your application that hooks started in its unit ({_names(restart, kills)}):"
            f" start {them} by systemd-run or {their} own unit first"
        )
    return harm


def _names(restart: Restart, count: int) -> str:
    names = [line(str(name)) for name in restart.get("names") or []]
    return ", ".join(names) + (", ..." if count > len(names) else "")
